using System.Collections.Immutable;

namespace Calico.Bgp.Dataplane;

/// <param name="Policy">The object, with its kind.</param>
public sealed record PolicyProblem(string Policy, string Reason);

/// <summary>What is enforced at one moment, for those that look in.</summary>
/// <param name="Ready">The resources are known; before that what an earlier run left is not touched.</param>
/// <param name="Policies">That are enforced, whether they select anything here or not.</param>
/// <param name="Workloads">Endpoints of workloads on this node.</param>
/// <param name="Hosts">Host endpoints on its interfaces.</param>
/// <param name="Programs">What endpoints that are asked the same share.</param>
public sealed record PolicyView(
    bool Enabled, bool Ready, int Policies, int Workloads, int Hosts, int Programs, ImmutableArray<PolicyProblem> Problems)
{
    public static readonly PolicyView Off = new(false, false, 0, 0, 0, 0, []);
}
