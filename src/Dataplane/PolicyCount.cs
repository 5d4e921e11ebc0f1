using System.Collections.Immutable;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane;

/// <summary>Connections' first packets: what conntrack knows of passes without being asked about again.</summary>
public readonly record struct PacketCount(ulong Packets, ulong Octets)
{
    public static PacketCount operator +(PacketCount a, PacketCount b) => new(a.Packets + b.Packets, a.Octets + b.Octets);
}

/// <summary>What the rules of one direction of a policy, or of a profile, have decided since some endpoint here came to ask them.</summary>
public sealed record PolicyCount(ResourceId Of, PolicyTypes Direction, PacketCount Allowed, PacketCount Denied);

/// <param name="Reason">end of tier, no profile, unknown endpoint, spoofed source, to the host.</param>
public sealed record DenialCount(string Reason, PacketCount Denied);

/// <summary>What the kernel has counted, at one moment.</summary>
/// <param name="Policies">Of those that some endpoint here asks; in the order of their kinds and names.</param>
/// <param name="Others">What no rule of theirs has denied.</param>
public sealed record PolicyCounts(ImmutableArray<PolicyCount> Policies, ImmutableArray<DenialCount> Others)
{
    public static readonly PolicyCounts None = new([], []);
}
