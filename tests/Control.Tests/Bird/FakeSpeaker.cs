using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>A speaker that holds what a test puts into it and remembers what it was asked to do.</summary>
internal class FakeSpeaker : TakenOrders, ISpeaker
{
    private readonly Dictionary<(RouteSelection, string?), List<RouteView>> perPeer = [];

    public RouterStatus Router { get; set; } = new(
        "2.0.12", "node-a", new(0x0a630001), new(65001), At(10, 0, 0), At(9, 0, 0), At(9, 30, 0), ShuttingDown: false);

    public List<ProtocolStatus> ProtocolList { get; } = [];
    public List<RouteView> RouteList { get; } = [];
    public RouteQuery? LastQuery { get; private set; }

    public IReadOnlyList<ProtocolStatus> Protocols => ProtocolList;
    public KernelSnapshot KernelState { get; set; } = KernelSnapshot.Empty;
    public KernelStatus KernelStatus => new(0, 0, 0, 0, 0, 0, []);
    public MemoryReport Memory { get; set; } = new(0, 0, 0, 0, 0);
    public IReadOnlyList<RangeStatus> Ranges { get; set; } = [];
    public IReadOnlyList<BfdNeighbour> Bfd { get; set; } = [];
    public BfdLateness? BfdLateness => null;
    public long BfdStrays => 0;
    public IReadOnlyList<string> FilterNames { get; set; } = [];
    public Dictionary<string, Func<RouteView, RouteView?>> NamedFilters { get; } = [];
    public Func<RouteView, RouteView?>? FilterNamed(string name) => NamedFilters.GetValueOrDefault(name);
    public bool Ready => true;
    public IReadOnlyList<string> Awaited => [];

    public static DateTimeOffset At(int hour, int minute, int second) => new(2026, 11, 21, hour, minute, second, 139, TimeSpan.Zero);

    public static RouteView Route(
        string prefix, RouteOrigin origin, string protocol, RouteType type = RouteType.Unicast, uint preference = 200) =>
        new(Prefix.Parse(prefix), origin, type, protocol, From: null, At(9, 0, 1))
        {
            First = true,
            Best = true,
            Preference = preference,
            Reason = "only",
        };

    /// <summary>A route of a peer, best and through the peer unless changed with <c>with</c>.</summary>
    public static RouteView Bgp(string prefix, string protocol, string from, Canonical attributes, int link = 2) =>
        Route(prefix, RouteOrigin.Bgp, protocol, preference: 100) with
        {
            From = Address.Parse(from),
            Hops = [new(Address.Parse(from), link)],
            Attributes = attributes.ToArray(),
            Summary = attributes.Summary,
        };

    /// <summary>Answers for one peer's view; <see cref="RouteList"/> serves the others.</summary>
    public void Put(RouteSelection selection, string peer, params RouteView[] routes) => perPeer[(selection, peer)] = [.. routes];

    public IAsyncEnumerable<OwnRoute> KernelRoutes(CancellationToken stop) => throw new NotSupportedException();

    public virtual async IAsyncEnumerable<IReadOnlyList<RouteView>> Routes(
        RouteQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        await Task.Yield();
        LastQuery = query;
        var all = query.Peer != null ? perPeer.GetValueOrDefault((query.Selection, query.Peer)) ?? [] : RouteList;
        var found = all.Where(route => Selected(route, query) && InScope(route, query)).ToList();
        if (query is { Scope: PrefixScope.For, Prefix: not null } && found.Count > 0)
        {
            var longest = found.Max(route => route.Prefix.Length);
            found.RemoveAll(route => route.Prefix.Length != longest);
        }
        foreach (var batch in found.Chunk(7)) yield return batch;
    }

    private static bool Selected(RouteView route, RouteQuery query) =>
        (query.Family == null || query.Family == route.Prefix.Family)
        && (query.Protocol == null || query.Protocol == route.Protocol)
        && (query.Peer != null || route.Filtered == (query.Selection == RouteSelection.Filtered))
        && (query.Selection != RouteSelection.Primary || route.Best);

    private static bool InScope(RouteView route, RouteQuery query) => (query.Prefix, query.Scope) switch
    {
        (null, _) => true,
        ({ } prefix, PrefixScope.Exact) => route.Prefix == prefix,
        ({ } prefix, PrefixScope.For) => route.Prefix.Contains(prefix),
        ({ } prefix, _) => prefix.Contains(route.Prefix),
    };

    public IReadOnlyList<ConfiguredRoute> ConfiguredRoutes { get; set; } = [];

    public Task<RouteExplanation> ExplainAsync(Prefix prefix, CancellationToken stop) =>
        Task.FromResult(new RouteExplanation(prefix, [], [], null));
    public PeerExplanation? Explain(string peer) => null;
}

internal sealed class FakeDaemon : IDaemon
{
    public List<string> Asked { get; } = [];
    public ImmutableArray<ConfigureProblem> Problems { get; set; } = [];
    public bool Pending { get; set; }
    public bool HasPrevious { get; set; }
    public TaskCompletionSource<bool> Stopped { get; } = new();

    public string ConfigFile => "bgpd.yaml";
    public ReloadStatus? LastReload => null;
    public DateTimeOffset? LastTaken => null;
    public IReadOnlyList<SourceStatus> Sources { get; set; } = [];
    public PlanFollower? Planned { get; set; }
    public ITrials? Trials { get; set; }
    public ResourcePlace? PlaceOf(ResourceId resource) => null;

    public Task<ConfigureResult> ConfigureAsync(string? file, TimeSpan? undoAfter)
    {
        Asked.Add($"configure {file} {undoAfter?.TotalSeconds}");
        return Task.FromResult(Result);
    }

    public Task<ConfigureResult> CheckAsync(string? file)
    {
        Asked.Add($"check {file}");
        return Task.FromResult(Result);
    }

    private ConfigureResult Result => new(Problems, []);

    public bool Confirm() => Pending;
    public Task<ConfigureResult?> UndoAsync() => Task.FromResult(HasPrevious ? ConfigureResult.Taken([]) : null);
    public Task<UpgradeResult> UpgradeAsync(string? binary, TimeSpan within) => Task.FromResult(UpgradeResult.Refused("not here"));
    public void GiveWay(Task answered) => Asked.Add("give way");
    public void Shutdown(bool forRestart) => Stopped.SetResult(forRestart);
}
