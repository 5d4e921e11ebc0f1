// The table at which two routers meet: ours and another's, each in its namespace, and a third namespace whence scripted neighbours
// speak to either.
//
//        feeder ── 10.98.0.0/24 ── ours ── 10.99.0.0/24 ── theirs ── 10.97.0.0/24 ── feeder
//
// In each network the router on the left has .1 of its own wires, and addresses of both families have the same last number.
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Interop;

internal sealed class Lab : IAsyncDisposable
{
    public const string Our4 = "10.99.0.1", Our6 = "fd99::1", Their4 = "10.99.0.2", Their6 = "fd99::2";
    public const string OurSide4 = "10.98.0.1", OurSide6 = "fd98::1", TheirSide4 = "10.97.0.1", TheirSide6 = "fd97::1";
    public const uint OurAs = 65001, TheirAs = 65002, FeederAs = 65010;
    public static readonly string[] OurRoutes = ["192.0.2.0/24", "2001:db8:a::/48"];
    public static readonly string[] TheirRoutes = ["198.51.100.0/24", "2001:db8:b::/48"];

    private readonly List<Netns> spaces = [];

    public Router Ours { get; private set; } = null!;
    public Router Theirs { get; private set; } = null!;
    public Netns Us { get; private set; } = null!;
    public Netns Them { get; private set; } = null!;
    public Netns Feeder { get; private set; } = null!;
    public Wiretap? Tap4 { get; private set; }
    public Neighbour[] OurView { get; private set; } = [];
    public Neighbour[] TheirView { get; private set; } = [];

    public sealed record Options
    {
        public bool WePassive { get; init; }
        /// <summary>We know them by their ranges alone.</summary>
        public bool WeKnowRanges { get; init; }
        public bool TheyPassive { get; init; }
        public string? OurPassword { get; init; }
        public string? TheirPassword { get; init; }
        /// <summary>Both in one AS.</summary>
        public bool Internal { get; init; }
        /// <summary>Who reflects.</summary>
        public bool WeReflect { get; init; }
        public bool TheyReflect { get; init; }
        /// <summary>The IPv4 session runs through a wiretap; there is no IPv6 one then.</summary>
        public bool Tapped { get; init; }
        public int Hold { get; init; } = 9;
        /// <summary>BFD watches the sessions between the two, with 50 ms and a multiplier of 3.</summary>
        public bool Bfd { get; init; }
        /// <summary>But they know nothing of it.</summary>
        public bool OnlyWe { get; init; }
        /// <summary>Those sessions may run over so many hops.</summary>
        public int Hops { get; init; } = 1;
        /// <summary>We announce graceful restart.</summary>
        public bool AnnounceRestart { get; init; }
        /// <summary>The routers tell each other several paths of a prefix: we these, they all.</summary>
        public string? AddPath { get; init; }
    }

    public static async Task<Lab> MakeAsync(string peer, Options options)
    {
        var lab = new Lab();
        try
        {
            await lab.BuildAsync(peer, options);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    private async Task BuildAsync(string peer, Options o)
    {
        var (us, them) = (Us, Them) = (await SpaceAsync("us"), await SpaceAsync("them"));
        Feeder = await SpaceAsync("feed");
        if (o.Tapped) await TapAsync(us, them);
        else await Netns.JoinAsync(us, "eth0", [Our4 + "/24", Our6 + "/64"], them, "eth0", [Their4 + "/24", Their6 + "/64"]);
        await Netns.JoinAsync(us, "eth1", [OurSide4 + "/24", OurSide6 + "/64"], Feeder, "eth0",
            ["10.98.0.2/24", "10.98.0.3/24", "fd98::2/64", "fd98::3/64"]);
        await Netns.JoinAsync(them, "eth1", [TheirSide4 + "/24", TheirSide6 + "/64"], Feeder, "eth1",
            ["10.97.0.2/24", "10.97.0.3/24", "fd97::2/64", "fd97::3/64"]);
        // Internal routes keep their next hops: each router must know the way to the other's feeder.
        foreach (var (space, words) in new[] { (us, "10.97.0.0/24 via " + Their4), (us, "fd97::/64 via " + Their6),
            (them, "10.98.0.0/24 via " + Our4), (them, "fd98::/64 via " + Our6) })
            if (!(o.Tapped && words.StartsWith("fd", StringComparison.Ordinal))) await space.IpAsync("route add " + words);

        var theirAs = o.Internal ? OurAs : TheirAs;
        OurView = [new("peer4", Our4, Their4, theirAs, o.WePassive, o.OurPassword, o.WeReflect),
            new("peer6", Our6, Their6, theirAs, o.WePassive, o.OurPassword, o.WeReflect)];
        if (o.WeKnowRanges) OurView = [OurView[0] with { Range = "10.99.0.0/24" }, OurView[1] with { Range = "fd99::/64" }];
        TheirView = [new("peer4", Their4, Our4, OurAs, o.TheyPassive, o.TheirPassword, o.TheyReflect),
            new("peer6", Their6, Our6, OurAs, o.TheyPassive, o.TheirPassword, o.TheyReflect)];
        if (o.AddPath != null)
        {
            OurView = [.. OurView.Select(neighbour => neighbour with { AddPath = o.AddPath })];
            TheirView = [.. TheirView.Select(neighbour => neighbour with { AddPath = o.AddPath })];
        }
        OurView = [.. OurView.Select(n => n with { Bfd = o.Bfd, Hops = o.Hops })];
        TheirView = [.. TheirView.Select(n => n with { Bfd = o.Bfd && !o.OnlyWe, Hops = o.Hops })];
        if (o.Tapped) (OurView, TheirView) = (OurView[..1], TheirView[..1]);
        var feederAs = o.Internal ? OurAs : FeederAs;
        Ours = Router.Make(Project.Subject, us, new(OurAs, "10.99.0.1", [.. OurView, .. Side("98", feederAs, theirAs, o.WeReflect)],
            OurRoutes, o.Hold, AnnounceRestart: o.AnnounceRestart, AllowAsSets: true));
        Theirs = Router.Make(peer, them, new(theirAs, "10.99.0.2", [.. TheirView, .. Side("97", feederAs, OurAs, o.TheyReflect)],
            TheirRoutes, o.Hold));
        await Task.WhenAll(Ours.StartAsync(), Theirs.StartAsync());
    }

    /// <summary>A router's neighbours in the feeder's namespace: one that feeds it and one that looks at what it would send to the other
    /// router.</summary>
    private static Neighbour[] Side(string network, uint feederAs, uint sinkAs, bool sinkIsClient) =>
    [
        new("feed4", $"10.{network}.0.1", $"10.{network}.0.2", feederAs, true),
        new("feed6", $"fd{network}::1", $"fd{network}::2", feederAs, true),
        new("sink4", $"10.{network}.0.1", $"10.{network}.0.3", sinkAs, true, null, sinkIsClient),
        new("sink6", $"fd{network}::1", $"fd{network}::3", sinkAs, true, null, sinkIsClient),
    ];

    private async Task TapAsync(Netns us, Netns them)
    {
        var (nearUs, nearThem) = (await SpaceAsync("tap1"), await SpaceAsync("tap2"));
        await Netns.JoinAsync(us, "eth0", [Our4 + "/24"], nearUs, "eth0", [Their4 + "/24"]);
        await Netns.JoinAsync(them, "eth0", [Their4 + "/24"], nearThem, "eth0", [Our4 + "/24"]);
        Tap4 = new Wiretap(new(nearUs, Our4, Their4), new(nearThem, Their4, Our4));
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var made = await Netns.MakeAsync(role);
        spaces.Add(made);
        return made;
    }

    /// <summary>Both routers call every session between them established.</summary>
    public async Task EstablishedAsync(int seconds = 45)
    {
        foreach (var neighbour in OurView) await Until.TrueAsync(
            $"we call {neighbour.Name} established", () => Ours.IsEstablishedAsync(neighbour), seconds, Said);
        foreach (var neighbour in TheirView) await Until.TrueAsync(
            $"they call {neighbour.Name} established", () => Theirs.IsEstablishedAsync(neighbour), seconds, Said);
    }

    /// <summary>Everybody has the other's own routes, of both families.</summary>
    public async Task RoutesBothWaysAsync()
    {
        foreach (var prefix in OurRoutes) await SeenByThemAsync(prefix);
        foreach (var prefix in TheirRoutes) await SeenByUsAsync(prefix);
    }

    public Task<Seen> SeenByUsAsync(string prefix) => Until.SomeAsync($"we have {prefix}", () => Ours.RouteAsync(prefix), 30, Said);
    public Task<Seen> SeenByThemAsync(string prefix) => Until.SomeAsync($"they have {prefix}", () => Theirs.RouteAsync(prefix), 30, Said);
    public Task GoneFromUsAsync(string prefix) =>
        Until.TrueAsync($"{prefix} is gone from us", async () => await Ours.RouteAsync(prefix) == null, 30, Said);
    public Task GoneFromThemAsync(string prefix) =>
        Until.TrueAsync($"{prefix} is gone from them", async () => await Theirs.RouteAsync(prefix) == null, 30, Said);

    public string Said() => $"--- ours:\n{Ours.Said}\n--- theirs:\n{Theirs.Said}";

    public async ValueTask DisposeAsync()
    {
        if (Tap4 != null) await Tap4.DisposeAsync();
        await Task.WhenAll(new[] { Ours, Theirs }.Where(router => router != null).Select(router => router.DisposeAsync().AsTask()));
        foreach (var space in spaces) await space.DisposeAsync();
    }
}
