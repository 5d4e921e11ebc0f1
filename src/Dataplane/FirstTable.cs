using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// What is in force where no earlier run has left a table and the sources have not been read: an API server may be away for hours, and
/// nobody is known meanwhile. As a workload that is not known is closed (section 2.4 of calico-policy-nat.md), so are all until then; but
/// what has begun before goes on, as somebody else has let it through. Hosts are open, as without host endpoints. What is known later takes
/// the place of that in one transaction, as it does of what an earlier run has left. Where that had no policy, and this one has, workloads
/// are closed beside what it left, which stays.
/// </summary>
public static class FirstTable
{
    /// <summary>A table that has none of this name translates no services.</summary>
    public const string ServicesChain = "prerouting-nat";

    /// <summary>A table that has this, which leads nobody anywhere, has nothing else yet.</summary>
    public const string Mark = "first";

    /// <summary>The same, of one that has been closed beside what an earlier run has left.</summary>
    public const string MarkBeside = "first-beside";

    /// <summary>A table that has none of this name enforces no policy.</summary>
    public const string PolicyChain = Enforcement.Prefix + "spoof";

    /// <summary>Where what an earlier run has left may have rules, too: these stay, as workloads are closed without.</summary>
    private static readonly string[] Others = [Frame.RawPrerouting.Name, Frame.Translated.Name];

    /// <param name="settings">Of which policy is enabled.</param>
    /// <param name="isThere">Which chains the table has.</param>
    /// <inheritdoc cref="Of"/>
    public static ImmutableArray<NftChange> Beside(
        DataplaneSettings settings, ListOf<string> workloads, TimeProvider clock, Predicate<string> isThere) =>
    [
        .. Of(settings, workloads, clock).Where(change => change is not NftChange.PutChain(var chain)
            || (chain.Name != Mark && !(Others.Contains(chain.Name) && isThere(chain.Name)))),
        new NftChange.PutChain(new(MarkBeside, null, [])),
    ];

    /// <summary>What <see cref="Beside"/> has put goes again, and what an earlier run has left stays.</summary>
    public static ImmutableArray<NftChange> Without(ImmutableArray<NftChange> beside) => [.. beside.Select(Undone).OfType<NftChange>()];

    /// <summary>Null: it goes with another.</summary>
    private static NftChange? Undone(NftChange change) => change switch
    {
        NftChange.PutChain(var chain) => new NftChange.RemoveChain(chain.Name),
        NftChange.PutSet(var set) => new NftChange.RemoveSet(set.Name),
        NftChange.PutCounter(var name) => new NftChange.RemoveCounter(name),
        NftChange.PutTimeout(var timeout) => new NftChange.RemoveTimeout(timeout.Name),
        _ => null,
    };

    /// <param name="settings">Of which policy or egress is enabled.</param>
    /// <param name="workloads">What names of their interfaces begin with; none: Calico's own.</param>
    /// <param name="clock"></param>
    public static ImmutableArray<NftChange> Of(DataplaneSettings settings, ListOf<string> workloads, TimeProvider clock)
    {
        if (workloads.Count == 0) workloads = PolicyFacts.DefaultWorkloadPrefixes;
        var table = new TableWriter();
        var (policy, egress) = (new Enforcement(), new Egress.Egress(NullLogger.Instance, clock));
        var configured = new DataplaneChange.Configured(settings);
        foreach (var feature in (IFeature[])[policy, egress]) feature.Apply(configured);
        policy.Close(table.For(policy), workloads);
        egress.Close(table.For(egress), workloads);
        return [.. table.Take(), new NftChange.PutChain(new(Mark, null, []))];
    }
}
