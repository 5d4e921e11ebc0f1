using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Rib.Tests;

/// <summary>A peer's end of the wire: decodes what it is sent and holds what it says.</summary>
internal sealed class ReceivingPeer(RibPeer peer) : IPeerOutlet
{
    private readonly UpdateDecoder decoder = new(Sessions.AsSeenBy(peer));
    private readonly Lock gate = new();
    private readonly System.Collections.Concurrent.ConcurrentQueue<Action> drained = [];
    private long backlog;

    public ushort Peer => peer.Index;
    public SortedDictionary<Prefix, string> Holds { get; } = [];
    /// <summary>The same where path identifiers stand before the prefixes (RFC 7911).</summary>
    public SortedDictionary<(Prefix Prefix, uint Id), string> Paths { get; } = [];
    /// <summary>What no correct speaker sends: withdrawals of what was never announced, damage.</summary>
    public List<string> Complaints { get; } = [];
    public int EndsOfRib { get; private set; }
    /// <summary>What it held when the last of these came.</summary>
    public Prefix[]? AtEndOfRib { get; private set; }
    /// <summary>Subtypes of the ROUTE-REFRESH messages that came (RFC 7313).</summary>
    public List<byte> RefreshMarks { get; } = [];
    /// <summary>The next UPDATE makes it slow.</summary>
    public bool IsTired { get; set; }
    public int Announcements { get; private set; }
    /// <summary>The thread that brought the last message.</summary>
    public int SentOn { get; private set; }

    /// <summary>A slow peer's backlog stays at whatever this says.</summary>
    public long Backlog => Volatile.Read(ref backlog);

    public void BeSlow() => Volatile.Write(ref backlog, 64 << 20);

    public void BeFast()
    {
        Volatile.Write(ref backlog, 0);
        while (drained.TryDequeue(out var then)) then();
    }

    public void WhenDrained(long octets, Action then)
    {
        drained.Enqueue(then);
        if (Backlog <= octets) BeFast();
    }

    public void Send(OutBuffer buffer)
    {
        var segments = new List<ArraySegment<byte>>();
        buffer.SegmentsFor(peer.Index, segments);
        var octets = segments.SelectMany(segment => segment).ToArray();
        buffer.Release();
        lock (gate)
        {
            SentOn = Environment.CurrentManagedThreadId;
            for (var rest = octets.AsSpan(); rest.Length > 0;)
            {
                var length = rest[16] << 8 | rest[17];
                if (rest[18] == 2) Take(decoder.Decode(rest[19..length]));
                if (rest[18] == 5) RefreshMarks.Add(rest[21]);
                rest = rest[length..];
            }
        }
    }

    private void Take(DecodedUpdate update)
    {
        if (IsTired) BeSlow();
        if (update.Damage.Penalty != Penalty.None) Complaints.Add($"{peer.Name}: {update.Damage}");
        Withdraw(update.Withdrawn);
        Withdraw(update.MpWithdrawn);
        Announce(update.Announced);
        Announce(update.MpAnnounced);
        if (update.EndOfRib == null) return;
        EndsOfRib++;
        AtEndOfRib = [.. Holds.Keys];
    }

    private void Announce(AnnouncedRun run)
    {
        var attributes = Convert.ToHexStringLower(run.Attributes);
        foreach (var path in PathsOf(run.Nlri))
        {
            Announcements++;
            if (run.Nlri.AddPath) Paths[path] = attributes;
            else Holds[path.Prefix] = attributes;
        }
    }

    private void Withdraw(NlriRun run)
    {
        foreach (var path in PathsOf(run))
            if (!(run.AddPath ? Paths.Remove(path) : Holds.Remove(path.Prefix)))
                Complaints.Add($"{peer.Name}: {path} withdrawn, but it was never announced");
    }

    private static List<(Prefix Prefix, uint Id)> PathsOf(NlriRun run)
    {
        var paths = new List<(Prefix, uint)>();
        var octets = new byte[16];
        for (var rest = run.Octets; !rest.IsEmpty; rest = rest[(1 + (rest[0] + 7) / 8)..])
        {
            var id = run.AddPath ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(rest) : 0;
            if (run.AddPath) rest = rest[4..];
            Array.Clear(octets);
            rest.Slice(1, (rest[0] + 7) / 8).CopyTo(octets);
            paths.Add((new(Address.FromOctets(octets.AsSpan(0, run.Family.Octets())), rest[0]), id));
        }
        return paths;
    }
}

internal static class Sessions
{
    private static readonly OpenMessage NoOpen = new(new(0), 90, new(1), new CapabilitySet());

    /// <summary>The session from the other side, so that what we send is decoded as the peer decodes it.</summary>
    public static Negotiated AsSeenBy(RibPeer peer) => new()
    {
        LocalAs = peer.PeerAs,
        PeerAs = peer.LocalAs,
        LocalId = peer.PeerId,
        PeerId = peer.LocalId,
        LocalAddress = peer.PeerAddress,
        PeerAddress = peer.SelfIPv4,
        Families = FamilySet.Both,
        FourOctetAs = true,
        AddPathReceive = peer.Encode.AddPath,
        Sent = NoOpen,
        Received = NoOpen,
    };
}

/// <summary>Every next hop is on a link, unless it was cut off.</summary>
internal sealed class FlatNetwork(params Address[] cutOff) : INextHopResolver
{
    public NextHopState Resolve(Address nextHop, int scope) =>
        cutOff.Contains(nextHop) ? NextHopState.Unresolved : new(true, true, false, MetricOf(nextHop), [new(nextHop, 1)])
        {
            Covering = nextHop.Family.Bits(),
        };

    private static uint MetricOf(Address nextHop) => (nextHop.IsIPv4 ? nextHop.IPv4Bits : (uint)nextHop.Bits) & 1;

    public StaticWay? Static(Prefix prefix) => null;
    public uint Table => 254;

    public string? InterfaceName(int index) => "eth0";
}

/// <summary>A kernel that remembers what it was told, and may say that it has no room.</summary>
internal sealed class RememberingKernel : IFibSink
{
    private readonly Dictionary<Prefix, FibTarget> holds = [];
    private int told;

    public volatile bool HasNoRoom;
    public bool HasRoom => !HasNoRoom;
    public ushort CountedAs(IpFamily family) => 60_000;
    public IFilter Export { get; set; } = AcceptAll.Instance;
    public int Told => Volatile.Read(ref told);

    public Address? GatewayOf(Prefix prefix) => TargetOf(prefix)?.Vias[0].Gateway;

    public FibTarget? TargetOf(Prefix prefix)
    {
        lock (holds) return holds.GetValueOrDefault(prefix);
    }

    public void Apply(ReadOnlySpan<FibChange> changes)
    {
        Interlocked.Add(ref told, changes.Length);
        lock (holds)
        {
            foreach (var (prefix, target) in changes)
                if (target == null) holds.Remove(prefix);
                else holds[prefix] = target;
        }
    }
}

/// <summary>Remembers what limits were exceeded, and lets all else pass.</summary>
internal sealed class SilentListener : IRibListener
{
    public System.Collections.Concurrent.ConcurrentQueue<ushort> Exceeded { get; } = [];

    public void EndOfRib(ushort peer, IpFamily family) { }
    public void PrefixLimitExceeded(ushort peer, IpFamily family, int limit) => Exceeded.Enqueue(peer);
    public void CameToRest() { }
}

/// <summary>A RIB with peers that can be spoken for.</summary>
internal sealed class RibRig : IDisposable
{
    public static readonly Asn OwnAs = new(65000);
    private readonly AttributeEditor editor = new();
    private readonly Dictionary<ushort, RouteInlet> inlets = [];

    /// <param name="slice">Prefixes that a walk over a table looks at before other work has its turn.</param>
    public RibRig(
        int shards = 1, DecisionSettings? settings = null, IFibSink? fib = null, INextHopResolver? network = null, int slice = 4096,
        ILogger<Rib>? log = null)
    {
        var loops = new Loops(
            TimeProvider.System, NullLogger<Loops>.Instance,
            (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));
        Rib = new(shards, settings ?? new(), network ?? new FlatNetwork(), fib, Listener, loops, log ?? NullLogger<Rib>.Instance, slice);
        Rib.Start();
    }

    public Rib Rib { get; }
    public SilentListener Listener { get; } = new();
    public Dictionary<ushort, ReceivingPeer> Receivers { get; } = [];

    public static RibPeer Peer(
        ushort index, bool inner = false, bool client = false, IFilter? import = null, IFilter? export = null) => new()
        {
            Index = index,
            Name = $"p{index}",
            Origin = RouteOrigin.Bgp,
            Preference = 100,
            Import = import ?? AcceptAll.Instance,
            Export = export ?? AcceptAll.Instance,
            Internal = inner,
            ReflectorClient = client,
            LocalAs = OwnAs,
            PeerAs = inner ? OwnAs : new(64500u + index),
            LocalId = new(0x0a000001),
            ClusterId = new(0x0a000001),
            PeerId = new(0x0a000100u + index),
            PeerAddress = Address.FromIPv4(0x0a000100u + index),
            Direct = !inner,
            Interface = 0,
            SelfIPv4 = Address.Parse("10.0.0.1"),
            SelfIPv6 = Address.Parse("fd00::1"),
            Families = FamilySet.Both,
            Encode = new(true, 4096, false, FamilySet.None),
        };

    public ReceivingPeer Up(RibPeer peer)
    {
        var receiver = Receivers[peer.Index] = new(peer);
        inlets[peer.Index] = Rib.InletFor(peer.Index);
        Rib.PeerUp(peer, receiver);
        return receiver;
    }

    public void Down(ushort peer, FamilySet kept = FamilySet.None, FamilySet staleToo = FamilySet.None)
    {
        Rib.PeerDown(peer, Receivers[peer], new(kept, staleToo));
        Receivers.Remove(peer);
        inlets.Remove(peer);
    }

    public async Task AnnounceAsync(ushort peer, byte[] attributes, params Prefix[] prefixes)
    {
        Announce(inlets[peer], attributes, prefixes);
        await inlets[peer].FlushAsync();
    }

    /// <summary>The same for a source of our own, which receives nothing.</summary>
    public async Task AnnounceOwnAsync(ushort source, byte[] attributes, params Prefix[] prefixes)
    {
        inlets.TryAdd(source, Rib.InletFor(source));
        await AnnounceAsync(source, attributes, prefixes);
    }

    private static void Announce(RouteInlet inlet, byte[] attributes, Prefix[] prefixes)
    {
        foreach (var prefix in prefixes)
        {
            var nlri = new byte[17];
            inlet.Announce(new()
            {
                Nlri = new() { Family = prefix.Family, Octets = nlri.AsSpan(0, prefix.WriteNlri(nlri)) },
                Attributes = attributes,
                Summary = new AttributeView(attributes).Summarize(),
            });
        }
    }

    public async Task WithdrawAsync(ushort peer, params Prefix[] prefixes)
    {
        foreach (var prefix in prefixes)
        {
            var nlri = new byte[17];
            inlets[peer].Withdraw(new() { Family = prefix.Family, Octets = nlri.AsSpan(0, prefix.WriteNlri(nlri)) });
        }
        await inlets[peer].FlushAsync();
    }

    public async Task RefreshAsync(ushort peer, IpFamily family, bool begins)
    {
        if (begins) inlets[peer].BeginRefresh(family);
        else inlets[peer].EndRefresh(family);
        await inlets[peer].FlushAsync();
    }

    public async Task EndOfRibAsync(ushort peer, IpFamily family)
    {
        TakeEndOfRib(inlets[peer], family);
        await inlets[peer].FlushAsync();
    }

    private static void TakeEndOfRib(RouteInlet inlet, IpFamily family)
    {
        var update = new DecodedUpdate { EndOfRib = family };
        inlet.Receive(ref update);
    }

    public byte[] Attributes(Action<AttributeEditor> edit)
    {
        editor.LoadEmpty(Origin.Igp);
        editor.SetNextHop(Address.Parse("10.0.0.200"));
        edit(editor);
        return editor.Finish(out _).ToArray();
    }

    public async Task<List<RouteFacts>> ReadAsync(RouteRequest request)
    {
        var all = new List<RouteFacts>();
        await foreach (var facts in Rib.Read(request)) all.AddRange(facts);
        return all;
    }

    public void Dispose() => Rib.Dispose();
}
