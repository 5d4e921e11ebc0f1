using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire.Attributes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Accepts, with a next hop on the fake node's link: the sessions' own addresses are loopback ones, which no route may lead
/// to.</summary>
internal sealed record OnLink(string Last = "200") : IFilter
{
    public string Name => "on-link";
    public bool LooksAtPrefix => true;

    public FilterResult Run(in FilterInput route, AttributeEditor editor)
    {
        editor.Load(route.Attributes);
        editor.SetNextHop(Address.Parse(route.Prefix.Family == IpFamily.IPv4 ? $"10.0.0.{Last}" : $"fd00::{Last}"));
        return new(FilterVerdict.AcceptChanged, route.Hints, Name, NextHopChoice.Set);
    }
}

/// <summary>One of our speakers on a loopback address, with a kernel of its own.</summary>
internal sealed class TestSpeaker : IAsyncDisposable
{
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="hasOldRoutes">An earlier run has left a route in the kernel.</param>
    public TestSpeaker(SpeakerConfig config, TimeProvider? time = null, bool hasOldRoutes = false, IBfd? bfd = null)
    {
        if (hasOldRoutes) Kernel.Holds[Prefix.Parse("100.64.0.0/10")] = new(RouteType.Blackhole, []);
        Loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (loop, _) => ended.SetResult(loop.Name));
        Loop = new(config, Kernel, Loops, time ?? TimeProvider.System, NullLoggerFactory.Instance, bfd);
        View = new(Loop, "test");
    }

    public FakeKernel Kernel { get; } = new();
    /// <summary>The first loop whose defect ends the process.</summary>
    public Task<string> Ended => ended.Task;
    public Loops Loops { get; }
    public SpeakerLoop Loop { get; }
    public SpeakerView View { get; }

    public SessionSnapshot Session(string name) => View.Protocols.Single(protocol => protocol.Name == name).Session!;

    public async Task<ImmutableSortedSet<string>> RoutesAsync(RouteSelection selection = RouteSelection.Primary)
    {
        var found = ImmutableSortedSet.CreateBuilder<string>();
        await foreach (var batch in View.Routes(new(selection), default))
            foreach (var route in batch) found.Add(route.Prefix.ToString());
        return found.ToImmutable();
    }

    /// <summary>What peers have said, and what of it is stale.</summary>
    public async Task<string> LearnedAsync()
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var batch in View.Routes(new(RouteSelection.All), default))
            foreach (var route in batch)
                if (route.From != null) found.Add(route.Stale ? $"{route.Prefix} stale" : $"{route.Prefix}");
        return string.Join(", ", found);
    }

    public ValueTask DisposeAsync() => Loop.DisposeAsync();
}

/// <summary>Two speakers, A and B, that are external peers of each other.</summary>
internal sealed class Pair : IAsyncDisposable
{
    private static int last;
    private static readonly int Port = Ports.Next("127.0.0.1");
    private readonly Address a, b;

    /// <param name="timeOfB">Null: the system's.</param>
    public Pair(
        Func<SpeakerConfig, SpeakerConfig>? changeA = null, Func<SpeakerConfig, SpeakerConfig>? changeB = null,
        TimeProvider? timeOfB = null, bool oldRoutesOfA = false, IBfd? bfdOfA = null, IBfd? bfdOfB = null)
    {
        var number = Interlocked.Increment(ref last);
        (a, b) = (Address.Parse($"127.77.{number}.1"), Address.Parse($"127.77.{number}.2"));
        ConfigA = Config(a, b, 65001, 65002, "b", passive: false);
        ConfigB = Config(b, a, 65002, 65001, "a", passive: true);
        if (changeA != null) ConfigA = changeA(ConfigA);
        if (changeB != null) ConfigB = changeB(ConfigB);
        (A, B) = (new(ConfigA, hasOldRoutes: oldRoutesOfA, bfd: bfdOfA), new(ConfigB, timeOfB, bfd: bfdOfB));
    }

    public SpeakerConfig ConfigA { get; }
    public SpeakerConfig ConfigB { get; }
    public TestSpeaker A { get; }
    public TestSpeaker B { get; }

    private static SpeakerConfig Config(Address own, Address peer, uint ownAs, uint peerAs, string name, bool passive) => new()
    {
        RouterId = new(own.IPv4Bits),
        As = new(ownAs),
        HostName = "test",
        Listen = [own],
        ListenPort = Port,
        Kernel = new() { Learn = false },
        Peers =
        [
            new()
            {
                Session = new()
                {
                    Name = name, Index = 0, PeerAddress = peer, PeerPort = Port, ListenPort = Port, SourceAddress = own,
                        LocalAs = new(ownAs),
                    PeerAs = new(peerAs), RouterId = new(own.IPv4Bits), Passive = passive, ConnectRetryTime = TimeSpan.FromSeconds(1),
                    GracefulRestartTime = TimeSpan.Zero,
                },
                Import = AcceptAll.Instance,
                Export = new OnLink(),
            },
        ],
    };

    /// <summary>A peer that is never there.</summary>
    public PeerConfig Absent(string name) => ConfigA.Peers[0] with
    {
        Session = ConfigA.Peers[0].Session with { Name = name, PeerAddress = Address.Parse("127.77.0.99"), Passive = true },
    };

    public static OwnRouteConfig Blackhole(string prefix) => new(Prefix.Parse(prefix), RouteType.Blackhole, []);

    public async Task<Pair> UpAsync()
    {
        await B.Loop.StartAsync();
        await A.Loop.StartAsync();
        await Until.TrueAsync(() => A.Session("b").Phase == Phase.Established && B.Session("a").Phase == Phase.Established);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
    }
}

internal static class Having
{
    public static SpeakerConfig Routes(this SpeakerConfig config, params string[] prefixes) =>
        config with { Routes = [.. prefixes.Select(Pair.Blackhole)] };

    public static SpeakerConfig Peer(this SpeakerConfig config, Func<PeerConfig, PeerConfig> change) =>
        config with { Peers = [change(config.Peers[0])] };
}
