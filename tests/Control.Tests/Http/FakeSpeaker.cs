// A speaker with one of everything: sessions in several states, routes with every attribute, big numbers, refusals. What it is told
// to do is written down. Shared with Bgpctl.Tests, so it uses public types only.

using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class FakeSpeaker : TakenOrders, ISpeaker
{
    public static readonly DateTimeOffset Now = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly OwnRoute Unreachable = new(
        Prefix.Parse("203.0.113.0/24"), new(RouteType.Unicast, [new(Address.Parse("10.192.9.9"), 0)]), null, "Network is unreachable");

    public RouteQuery? LastQuery { get; private set; }
    public int BatchesTaken { get; private set; }
    public bool Hangs { get; set; }
    /// <summary>More batches of the same routes, for tests of streaming.</summary>
    public int Batches { get; set; } = 1;

    private static BfdSessionStatus Watched(string peer, int link) => new()
    {
        Key = new(Address.Parse(peer), link, link == 0),
        Times = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50), 3),
        State = BfdState.Down,
        RemoteState = BfdState.Down,
        Since = Now - TimeSpan.FromHours(1),
        Interval = TimeSpan.FromSeconds(1),
        Counters = new(),
    };

    public RouterStatus Router { get; set; } = new(
        "0.1.0", "kube-master", new(0x0ac00002), new(64512), Now, Now - TimeSpan.FromHours(26),
        Now - TimeSpan.FromMinutes(5), ShuttingDown: false);

    public IReadOnlyList<ProtocolStatus> Protocols { get; set; } = FakeProtocols.All;
    public IReadOnlyList<RouteView> Table { get; set; } = FakeRoutes.All;
    public MemoryReport Memory => new(12_000_000, 3_400_000, 500_000, 20_000, 15_920_000);
    public IReadOnlyList<RangeStatus> Ranges { get; set; } = [];
    public Func<RouteView, RouteView?>? FilterNamed(string name) => null;
    public IReadOnlyList<BfdNeighbour> Bfd { get; set; } =
    [
        new(Watched("10.192.0.254", 2) with
        {
            State = BfdState.Up,
            RemoteState = BfdState.Up,
            Interval = TimeSpan.FromMilliseconds(50),
            DetectionTime = TimeSpan.FromMilliseconds(150),
            Ups = 2,
            Losses = 1,
            LastLoss = new("10.192.0.254 was not heard for 150 ms", Now - TimeSpan.FromMinutes(70)),
            LocalDiscriminator = 7,
            RemoteDiscriminator = 9,
        }, "eth0", ["tor1"]),
        new(Watched("192.0.2.1", 0) with { Problem = "UDP port 4784: Address already in use" }, null, ["node2"]),
    ];
    public BfdLateness? BfdLateness => null;
    public long BfdStrays => 0;
    public IReadOnlyList<string> FilterNames => ["only-default", "from \"tor\""];
    public bool Ready { get; set; } = true;
    public IReadOnlyList<string> Awaited { get; set; } = [];

    public KernelSnapshot KernelState { get; } = KernelSnapshot.Empty with
    {
        Version = 7,
        Links = ImmutableDictionary<int, Link>.Empty
            .Add(1, new(1, "lo", 1 | 8 | 64 | 65536, 65536, 0, null))
            .Add(2, new(2, "eth0", 1 | 2 | 64 | 4096 | 65536, 1500, 0, null)),
        Addresses = [new(2, Address.Parse("10.192.0.2"), 24, null, 0, false), new(2, Address.Parse("fe80::2"), 64, null, 253, false)],
    };

    public KernelStatus KernelStatus { get; set; } = new(
        1_000_001, 1_000_000, 0, 3_000_000_000, 4, 1,
        [new(Unreachable.Prefix, Unreachable.Wanted, 101, "Network is unreachable", Now - TimeSpan.FromSeconds(90), 4)]);

    public async IAsyncEnumerable<OwnRoute> KernelRoutes([EnumeratorCancellation] CancellationToken stop)
    {
        if (Hangs) await Task.Delay(Timeout.Infinite, stop);
        RouteHop[] hops = [new(Address.Parse("10.192.0.254"), 2), new(Address.Parse("10.192.0.253"), 2, 3)];
        var target = new RouteTarget(RouteType.Unicast, [.. hops], 32);
        yield return new(Prefix.DefaultIPv4, target, target, null);
        yield return Unreachable;
    }

    public async IAsyncEnumerable<IReadOnlyList<RouteView>> Routes(RouteQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        LastQuery = query;
        if (Hangs) await Task.Delay(Timeout.Infinite, stop);
        for (var batch = 0; batch < Batches; batch++)
        {
            stop.ThrowIfCancellationRequested();
            BatchesTaken++;
            yield return
            [
                .. Table.Where(route => (query.Prefix == null || route.Prefix == query.Prefix)
                    && (query.Family == null || route.Prefix.Family == query.Family)),
            ];
        }
    }

    private static readonly WayStep[] Steps =
    [
        new(0, Address.Parse("192.0.2.9"), Prefix.Parse("192.0.2.0/24"), "tor1", 0, [], true, "a route leads there"),
        new(
            1, Address.Parse("10.192.0.254"), Prefix.Parse("10.192.0.0/24"), "kernel (kernel)", 0, [new(Address.Parse("10.192.0.254"), 2)],
            true, "on a link"),
    ];

    public IReadOnlyList<ConfiguredRoute> ConfiguredRoutes { get; set; } = [];

    public Task<RouteExplanation> ExplainAsync(Prefix prefix, CancellationToken stop) => Task.FromResult(new RouteExplanation(
        prefix,
        [.. Table.Where(route => route.Prefix == prefix).Select(route => new CandidateExplanation(route, "only-default[0]", [.. Steps]))],
        [new("tor1", false, "it is the one who sent it", false), new("node2", true, "only-default[0]", true)],
        new(true, "accept", Unreachable)));

    public PeerExplanation? Explain(string peer) => Protocols.FirstOrDefault(protocol => protocol.Name == peer) is { Session: { } } found
        ? new(found.Origin, null, ["only-default[0]: accept", "the end: reject"], ["accept"]) : null;
}

public sealed class FakeDaemon : IDaemon
{
    public List<string> Orders { get; } = [];
    public ConfigureResult Result { get; set; } = ConfigureResult.Taken(["peer tor1: import accept -> only-default", "peer tor9: added"]);
    public string ConfigFile => "/etc/bgpd/bgpd.yaml";
    public ReloadStatus? LastReload { get; set; } =
        new(FakeSpeaker.Now.AddSeconds(-90), "/etc/bgpd/bgpd.yaml", new("/etc/bgpd/bgpd.yaml:3:5", "expected a number, got \"x\""));
    public DateTimeOffset? LastTaken => null;
    public IReadOnlyList<SourceStatus> Sources { get; set; } =
    [
        new("files", "/etc/bgpd/resources",
            SourceState.Unread.Current(FakeSpeaker.Now.AddSeconds(-90)).Current(FakeSpeaker.Now.AddSeconds(-4)),
            ImmutableSortedDictionary<string, int>.Empty.Add("BGPPeer", 2).Add("IPPool", 1)),
        new("etcd", "https://192.0.2.70:2379",
            SourceState.Unread.Current(FakeSpeaker.Now.AddSeconds(-70)).Lost(FakeSpeaker.Now.AddSeconds(-65), "Connection refused"),
            ImmutableSortedDictionary<string, int>.Empty.Add("Node", 3)),
    ];
    public PlanFollower? Planned { get; set; }
    public ITrials? Trials { get; set; }
    public ResourcePlace? PlaceOf(ResourceId resource) => resource.Key.Name is "node2" or "tor" ? new("nodes.yaml", 7) : null;

    public Task<ConfigureResult> ConfigureAsync(string? file, TimeSpan? undoAfter)
    {
        Orders.Add("configure");
        return Task.FromResult(Result);
    }

    public Task<ConfigureResult> CheckAsync(string? file)
    {
        Orders.Add("check");
        return Task.FromResult(Result);
    }

    public bool Confirm() => false;
    public Task<ConfigureResult?> UndoAsync() => Task.FromResult<ConfigureResult?>(null);
    /// <summary>Of what is asked for by an upgrade: null: it is refused.</summary>
    public UpgradeResult Upgrade { get; set; } = UpgradeResult.Refused("/tmp/new cannot be run: Permission denied");

    public Task<UpgradeResult> UpgradeAsync(string? binary, TimeSpan within)
    {
        Orders.Add($"upgrade {binary} {within.TotalSeconds}");
        return Task.FromResult(Upgrade);
    }

    /// <summary>What was said to be waited for before this process ends.</summary>
    public Task? Answered { get; private set; }

    public void GiveWay(Task answered)
    {
        Answered = answered;
        Orders.Add("give way");
    }

    public void Shutdown(bool forRestart) => Orders.Add("shutdown");
}

internal static class FakeProtocols
{
    public static readonly ImmutableArray<ProtocolStatus> All =
    [
        new("kernel1", ProtocolKind.Kernel, true, true, Ago(26 * 3600)) { Channels = [Channel(IpFamily.IPv4, 0, 0, 1_000_000)] },
        new("tor1", ProtocolKind.Bgp, true, true, Ago(3720))
        {
            Description = "top of rack",
            Channels = [Channel(IpFamily.IPv4, 1_000_000, 12, 3), Channel(IpFamily.IPv6, 1, 0, 2) with { NextHop = "fd00::2" }],
            Session = Tor1(),
            Origin = PeerOrigin.Of("/etc/bgpd/bgpd.yaml", 12),
        },
        new("node2", ProtocolKind.Bgp, true, false, Ago(15))
        {
            Message = "Connection refused",
            Channels = [Channel(IpFamily.IPv4, 0, 0, 0) with { Up = false }],
            Session = Node2(),
            RouteReflectorClient = true,
            Origin = PeerOrigin.Of(new(Kinds.Node, new("node2"))),
        },
        new("new-tor", ProtocolKind.Bgp, true, true, Ago(90061))
        {
            Description = "say \"hi\"\nhere \\ there",
            Channels = [Unconfigured(Channel(IpFamily.IPv4, 0, 4, 0))],
            Session = NewTor(),
        },
        new("off", ProtocolKind.Bgp, false, false, Ago(7200)) { Session = Off() },
    ];

    private static DateTimeOffset Ago(int seconds) => FakeSpeaker.Now - TimeSpan.FromSeconds(seconds);

    private static ChannelStatus Channel(IpFamily family, long imported, long filtered, long exported) => new(
        family, true, new("ACCEPT"), new("only-default"), null, new(imported, filtered, exported, imported),
        new(
            new(imported + filtered + 5, 1, filtered, 2, imported + 5), new(5, 0, 0, 1, 4), new(exported + 2, 1, 1, 0, exported),
            new(7, 0, 0, 0, 6)));

    private static ChannelStatus Unconfigured(ChannelStatus channel) =>
        channel with { Import = new("REJECT", IsDefault: true), Export = new("REJECT", IsDefault: true) };

    private static SessionSettings Settings(string name, ushort index, string address, uint asn) => new()
    {
        Name = name,
        Index = index,
        PeerAddress = Address.Parse(address),
        LocalAs = new(64512),
        PeerAs = new(asn),
        RouterId = new(0x0ac00002),
    };

    private static SessionSnapshot Tor1() => new()
    {
        Settings = Settings("tor1", 1, "10.192.0.254", 4_200_000_001) with { Password = "secret" },
        Phase = Phase.Established,
        Since = Ago(3720),
        Enabled = true,
        Faults = SessionFaults.None.With(new(FaultKind.Received, new(ErrorCode.Cease, 4), "Administrative reset", Ago(3725))),
        Negotiated = Agreed("10.192.0.254", 4_200_000_001),
        Left = new(TimeSpan.FromSeconds(71.5), TimeSpan.FromSeconds(12), null),
        Counters = new(new(1, 300_000, 0, 124, 1, 9_876_543_210), new(1, 4, 0, 125, 0, 4567), 2, 1),
        EstablishedTransitions = 3,
    };

    private static SessionSnapshot Node2() => new()
    {
        Settings = Settings("node2", 2, "fe80::3", 64512) with { Interface = "eth0", Passive = true },
        Phase = Phase.Active,
        Since = Ago(15),
        Enabled = true,
        Faults = SessionFaults.None
            .Told(new(FaultKind.Sent, new(ErrorCode.OpenMessage, 2), "Bad peer AS", Ago(60))
            {
                Detail = "expected AS 64512, peer says AS 1",
            })
            .With(new(FaultKind.Socket, null, "Connection refused", Ago(15))),
        Left = new(null, null, TimeSpan.FromSeconds(3.25)),
    };

    private static SessionSnapshot NewTor() => new()
    {
        Settings = Settings("new-tor", 3, "2001:db8::1", 65002),
        Phase = Phase.Established,
        Since = Ago(90061),
        Enabled = true,
        Negotiated = Agreed("2001:db8::1", 65002),
        Left = new(TimeSpan.FromSeconds(80), TimeSpan.FromSeconds(20), null),
        EstablishedTransitions = 1,
    };

    private static SessionSnapshot Off() => new()
    {
        Settings = Settings("off", 4, "192.0.2.7", 65003),
        Phase = Phase.Idle,
        Since = Ago(7200),
        Enabled = false,
        Faults = SessionFaults.None.With(
            new(FaultKind.Stopped, new(ErrorCode.Cease, 2), "Administrative shutdown: \"maintenance\"", Ago(7200))),
    };

    private static Negotiated Agreed(string peer, uint asn)
    {
        var capabilities = new CapabilitySet { RouteRefresh = true, Fqdn = new("tor1", "example.net") };
        return new()
        {
            LocalAs = new(64512),
            PeerAs = new(asn),
            LocalId = new(0x0ac00002),
            PeerId = new(0x0ac000fe),
            LocalAddress = Address.Parse("10.192.0.2"),
            PeerAddress = Address.Parse(peer),
            HoldTime = 90,
            Families = FamilySet.Both,
            FourOctetAs = true,
            RouteRefresh = true,
            Sent = new(new(64512), 90, new(0x0ac00002), capabilities),
            Received = new(Asn.Trans, 90, new(0x0ac000fe), capabilities),
        };
    }
}

internal static class FakeRoutes
{
    public static readonly ImmutableArray<RouteView> All =
    [
        Route("0.0.0.0/0", "tor1", Everything()) with { Best = true, Reason = "shorter AS path" },
        Route("0.0.0.0/0", "new-tor", Plain("10.192.0.253", 65002, 65010)) with
        {
            First = false, Stale = true, Left = TimeSpan.FromSeconds(90), IsBesideBest = true, Reason = "longer AS path",
            From = Address.Parse("2001:db8::1"),
        },
        Route("198.51.100.0/24", "tor1", Plain("192.0.2.99", 4_200_000_001)) with
        {
            Resolvable = false, Recursive = true, Hops = [], Reason = "next hop unresolved",
        },
        Route("203.0.113.0/24", "tor1", Plain("10.192.9.9", 4_200_000_001)) with
        {
            Best = true, KernelProblem = true, IgpMetric = 20, Recursive = true, PathId = 4_294_967_295,
        },
        Route("10.10.0.0/26", "tor1", Plain("10.192.0.254", 4_200_000_001)) with { Filtered = true, Reason = "import filter" },
        Route("10.1.0.0/26", "static1", "") with
        {
            Origin = RouteOrigin.Static, Type = RouteType.Blackhole, From = null, Best = true, Preference = 200, Hops = [],
        },
        Route("2001:db8:7::/48", "new-tor", SixNextHops()) with { Best = true, Hops = [new(Address.Parse("fe80::254"), 2)] },
    ];

    private static RouteView Route(string prefix, string protocol, string octets)
    {
        var attributes = Convert.FromHexString(octets.Replace(" ", ""));
        return new(
            Prefix.Parse(prefix), RouteOrigin.Bgp, RouteType.Unicast, protocol, Address.Parse("10.192.0.254"),
            FakeSpeaker.Now - TimeSpan.FromMinutes(62))
        {
            First = true,
            Preference = 100,
            Hops = [new(Address.Parse("10.192.0.254"), 2)],
            Reason = "only route",
            Attributes = attributes,
            Summary = attributes.Length == 0 ? default : new AttributeView(attributes).Summarize(),
        };
    }

    private static string Plain(string nextHop, params uint[] path)
    {
        Span<byte> address = stackalloc byte[4];
        Address.Parse(nextHop).Write(address);
        var numbers = string.Concat(path.Select(asn => asn.ToString("x8")));
        return $"40 01 01 00 40 02 {path.Length * 4 + 2:x2} 02 {path.Length:x2} {numbers} 40 03 04 {Convert.ToHexString(address)}";
    }

    private static string SixNextHops() =>
        "40 01 01 02 40 02 06 02 01 0000fdea 40 03 20 20010db8000000000000000000000001 fe800000000000000000000000000254";

    private static string Everything() => string.Join(' ',
        "40 01 01 01",                                                                    // ORIGIN EGP
        "40 02 14 02 02 fa56ea01 0000fdea 01 02 00000001 00000002",                       // AS_PATH 4200000001 65002 {1 2}
        "40 03 04 0ac000fe",                                                              // NEXT_HOP 10.192.0.254
        "80 04 04 ffffffff",                                                              // MED 4294967295
        "40 05 04 00000096",                                                              // LOCAL_PREF 150
        "40 06 00",                                                                       // ATOMIC_AGGREGATE
        "c0 07 08 fa56ea01 c0000201",                                                     // AGGREGATOR 4200000001 192.0.2.1
        "c0 08 08 fde80001 ffffff01",                                                     // COMMUNITIES 65000:1, NO_EXPORT
        "80 09 04 c0000209",                                                              // ORIGINATOR_ID 192.0.2.9
        "80 0a 08 c000020a c000020b",                                                     // CLUSTER_LIST
        "c0 10 20 0002fde800000064 0103c00002010007 4004fde84cee6b28 0309000011112222",   // rt, ro, link bandwidth 125 MB/s, unknown
        "80 1a 0b 01000b000000003b9aca00",                                                // AIGP 1000000000
        "c0 20 0c fa56ea01 00000001 ffffffff",                                            // LARGE_COMMUNITIES
        "c0 23 04 fa56ea01",                                                              // OTC
        "e0 63 02 beef");                                                                 // an unknown one
}
