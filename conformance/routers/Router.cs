// A router of any make in a namespace of its own: how it is configured, started, asked and told.
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

internal abstract class Router : IAsyncDisposable
{
    private readonly Scratch scratch = new();

    protected Netns Space { get; }
    public RouterSpec Spec { get; protected set; }
    protected string Folder => scratch.Path;
    protected string Log => Path.Combine(Folder, "log");
    protected Background? Process { get; set; }

    protected Router(Netns space, RouterSpec spec)
    {
        (Space, Spec) = (space, spec);
    }

    public static Router Make(string name, Netns space, RouterSpec spec) => name switch
    {
        "bgpd" => new BgpdRouter(space, spec),
        "bird" => new BirdRouter(space, spec),
        "frr" => new FrrRouter(space, spec),
        "gobgp" => new GobgpRouter(space, spec),
        "openbgpd" => new OpenBgpdRouter(space, spec),
        "exabgp" => new ExabgpRouter(space, spec),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such router"),
    };

    public static string[] ProgramsOf(string name) => name switch
    {
        "bird" => ["bird", "birdc"],
        "frr" => ["vtysh", "bgpd"],
        "gobgp" => ["gobgpd", "gobgp"],
        "openbgpd" => ["bgpd", "bgpctl"],
        "exabgp" => ["exabgp"],
        _ => ["birdc"],
    };

    /// <summary>Attributes of a received route that this daemon can show; the others are not judged here.</summary>
    public virtual IReadOnlySet<string> Shows => AllAttributes;

    /// <summary>It hands on what others tell it.</summary>
    public virtual bool PassesOn => true;

    public static readonly IReadOnlySet<string> AllAttributes = new HashSet<string>
    {
        Seen.Origin, Seen.AsPath, Seen.NextHop, Seen.Med, Seen.LocalPref, Seen.AtomicAggregate, Seen.Aggregator, Seen.Communities,
            Seen.Extended,
        Seen.IPv6Extended, Seen.Large, Seen.OriginatorId, Seen.ClusterList, Seen.Otc, Seen.Aigp, Seen.LinkBandwidth, Seen.Unknown,
    };

    public abstract Task StartAsync();
    public abstract Task<bool> IsEstablishedAsync(Neighbour neighbour);

    /// <summary>The route as this daemon shows it; null when it has none.</summary>
    public abstract Task<Seen?> RouteAsync(string prefix);

    /// <summary>How many paths of the prefix it has.</summary>
    public virtual Task<int> PathsAsync(string prefix) => throw new NotSupportedException(GetType().Name);

    /// <summary>From now on the own routes are these.</summary>
    public virtual Task OriginateAsync(IReadOnlyList<string> routes)
    {
        Spec = Spec with { Routes = routes };
        return Task.CompletedTask;
    }

    /// <summary>Sends the neighbour a ROUTE-REFRESH.</summary>
    public abstract Task AskRefreshAsync(Neighbour neighbour);

    /// <summary>To every process of the namespace: some daemons are several.</summary>
    public Task SignalAsync(string name) => Space.SignalAsync(name);

    public async Task KillAsync()
    {
        await SignalAsync("KILL");
        await Process!.EndedAsync();
        await Process.DisposeAsync();
    }
    public bool Alive => Process is { Alive: true };

    public string Said => Background.SaidIn(Log);

    public virtual async ValueTask DisposeAsync()
    {
        if (Process != null) await Process.DisposeAsync();
        scratch.Dispose();
    }

    protected string Write(string file, string text) => scratch.Write(file, text);
}
