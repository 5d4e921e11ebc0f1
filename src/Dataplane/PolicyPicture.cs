using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane;

/// <summary>What policies do on this node at one moment, for those that look in.</summary>
/// <param name="Policies">All that there are, in the order in which they are asked: staged ones where they would be.</param>
/// <param name="Endpoints">On this node's interfaces, by interface.</param>
public sealed record PolicyPicture(ImmutableArray<PolicyEntry> Policies, ImmutableArray<EndpointEntry> Endpoints)
{
    /// <summary>Why the kernel does not tell what was counted; null: it does.</summary>
    public string? Uncounted { get; init; }

    /// <summary>With what the kernel has refused of a policy.</summary>
    internal PolicyPicture With(ImmutableArray<PolicyProblem> problems)
    {
        var closed = problems.Where(problem => problem.IsClosed).ToDictionary(problem => problem.Policy, problem => problem.Words);
        return this with
        {
            Policies = [.. Policies.Select(one => one with
            {
                Closed = closed.GetValueOrDefault($"{one.Policy.Kind.Word}/{PolicyChains.Said(one.Policy.Id)}"),
            })],
        };
    }
}

/// <summary>A policy, and where it stands.</summary>
/// <param name="Tier">One that nobody has said comes after all others, and denies.</param>
/// <param name="Selected">The endpoints here that it selects.</param>
public sealed record PolicyEntry(AnyNetworkPolicy Policy, Tier Tier, ImmutableArray<ResourceId> Selected)
{
    /// <summary>Why it lets nothing through that it is asked about: the kernel's words; null: it does what it says.</summary>
    public string? Closed { get; init; }

    /// <summary>From 1, among the enforced policies of its tier; 0: it is staged.</summary>
    public int Place { get; init; }

    /// <summary>Enforced policies of its tier.</summary>
    public int InTier { get; init; }

    /// <summary>By direction, for those that it has; none where the kernel has no counter of it: nobody is asked it here.</summary>
    public ImmutableArray<PolicyCount> Counts { get; init; } = [];
}

/// <summary>An endpoint on an interface, and what its packets are asked by.</summary>
/// <param name="Id">The object that it comes from; null: none, and the interface is a workload's by its name alone.</param>
/// <param name="Interface"><c>*</c>: of every interface that has no host endpoint of its own.</param>
/// <param name="Addresses">A host endpoint's are those that it is expected to have.</param>
public sealed record EndpointEntry(
    ResourceId? Id, string Interface, bool IsWorkload, ImmutableArray<string> Addresses, Labels Labels, ImmutableArray<string> Profiles,
    ImmutableArray<EndpointProgram> Programs)
{
    /// <summary>Why its packets do not come by this interface, or what becomes of them there; null: all is as it should be.</summary>
    public string? Problem { get; init; }
}

/// <param name="Program">As the flow table of host endpoints calls it: pod egress, normal-in, preDNAT, …</param>
/// <param name="Otherwise">What becomes of packets that no policy decides.</param>
public sealed record EndpointProgram(string Program, PolicyTypes Direction, ImmutableArray<EndpointTier> Tiers, string Otherwise);

/// <param name="Denies">What none of the policies decides is denied; else it goes on.</param>
public sealed record EndpointTier(string Name, bool Denies, ImmutableArray<ResourceId> Policies);
