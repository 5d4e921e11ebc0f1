using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <param name="Policy">The object, with its kind; or the chain of what several endpoints are asked.</param>
/// <param name="Words">The kernel's, of the rule that it refused.</param>
/// <param name="IsClosed">It lets nothing through that it is asked about; else it does without what was refused.</param>
public sealed record PolicyProblem(string Policy, string Words, bool IsClosed)
{
    public string Reason => $"{(IsClosed ? "closed: " : "")}the kernel refused a rule of it ({Words})";

    /// <summary>What the kernel refuses of network policy, once for each object.</summary>
    internal static ImmutableArray<PolicyProblem> Of(NftStatus table) =>
    [
        .. table.Problems.Where(problem => problem.Rule?.Chain.StartsWith(Enforcement.Prefix, StringComparison.Ordinal) == true)
            .Select(problem => Of(problem, problem.Rule!)).DistinctBy(problem => problem.Policy),
    ];

    private static PolicyProblem Of(NftProblem problem, NftRulePlace rule) => new(
        PolicyComment.Parse(rule.Comment) is { IsEndOfTier: false } by ? $"{by.Kind}/{by.Name}" : $"chain {rule.Chain}",
        problem.Words, rule.IsLastResort);
}

/// <summary>What is enforced at one moment, for those that look in.</summary>
/// <param name="Ready">The resources are known; before that what an earlier run left is not touched.</param>
/// <param name="Policies">That are enforced, whether they select anything here or not.</param>
/// <param name="Workloads">Endpoints of workloads on this node.</param>
/// <param name="Hosts">Host endpoints on its interfaces.</param>
/// <param name="Programs">What endpoints that are asked the same share.</param>
public sealed record PolicyView(
    bool Enabled, bool Ready, int Policies, int Workloads, int Hosts, int Programs, ImmutableArray<PolicyProblem> Problems)
{
    /// <summary>What is denied is told (<see cref="IDataplane.Denied"/>).</summary>
    public bool LogsDenied { get; init; }

    /// <summary>That rules match by.</summary>
    public int Sets { get; init; }

    /// <summary>Workloads whose interface is not here, or is called otherwise: what they are asked no packet of theirs meets.</summary>
    public int WithoutInterface { get; init; }

    /// <summary>Because a change forbids them, or their workload is gone.</summary>
    public long ConnectionsCut { get; init; }

    /// <summary>It is to be enforced, and nothing is known of the objects yet: what was in force before is so still.</summary>
    public bool IsBeginning { get; init; }

    public static readonly PolicyView Off = new(false, false, 0, 0, 0, 0, []);
}
