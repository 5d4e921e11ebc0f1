using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What applies to packets from a pool's addresses to outside of all pools.</summary>
public enum PoolTreatment : byte
{
    /// <summary>natOutgoing is false: packets leave as they are.</summary>
    None,
    Masquerade,
    /// <summary>The network translates what is reached through it, this node the rest.</summary>
    Upstream,
    /// <summary>The network translates or nobody does (<c>nat.bgpd/upstream: Require</c>).</summary>
    UpstreamOnly,
}

public static class PoolTreatmentExtensions
{
    public static string Word(this PoolTreatment treatment) => treatment switch
    {
        PoolTreatment.None => "no NAT",
        PoolTreatment.Masquerade => "masquerade",
        PoolTreatment.Upstream => "upstream NAT",
        _ => "upstream NAT only",
    };
}

/// <param name="ExceptTo">Destinations that the network translates for.</param>
/// <param name="Reason">Why not upstream, or through whom.</param>
public sealed record PoolPlan(string Name, Prefix Cidr, bool NatOutgoing, bool Disabled, UpstreamNat? Asked, PoolTreatment Treatment,
    AddressRanges ExceptTo, string Reason)
{
    public PoolPlan WithoutUpstream() => Treatment == PoolTreatment.None ? this
        : this with { Treatment = PoolTreatment.Masquerade, ExceptTo = AddressRanges.None, Reason = "" };
}

/// <summary>An interface that encapsulates, and the name of what asks for it.</summary>
public sealed record TunnelSource(IpFamily Family, string Interface);

/// <summary>
/// How this node translates, in the words of the resources, for one family. Felix's rule (felix/rules/nat.go): a source in a pool with
/// natOutgoing and a destination outside of every pool. Every pool counts, a disabled one too: that is how a destination is exempted.
/// Only pools for load balancers alone do not: no workload lives there.
/// </summary>
public sealed record FamilyPlan(IpFamily Family)
{
    public ListOf<PoolPlan> Pools { get; init; } = [];
    /// <summary>Destinations that are never translated towards: pools.</summary>
    public ListOf<Prefix> Inside { get; init; } = [];
    /// <summary>The same for hosts; null: hosts are like anybody.</summary>
    public ListOf<Prefix>? Hosts { get; init; }
    public ListOf<AddressRange> Addresses { get; init; }

    /// <summary>Outermost pools whose sources this node translates, but for <see cref="PoolPlan.ExceptTo"/>.</summary>
    public IEnumerable<PoolPlan> Translated
    {
        get
        {
            PoolPlan? outer = null;
            foreach (var pool in Pools.OrderBy(pool => pool.Cidr))
            {
                if (pool.Treatment is not (PoolTreatment.Masquerade or PoolTreatment.Upstream)) continue;
                if (outer != null && outer.Cidr.Contains(pool.Cidr)) continue;
                yield return outer = pool;
            }
        }
    }
}

public sealed record NatPlan(ListOf<FamilyPlan> Families)
{
    public static readonly NatPlan Nothing = new([]);

    /// <summary>TCP's and UDP's new source ports; null: the kernel's choice.</summary>
    public Kernel.Nftables.PortRange? Ports { get; init; }
    /// <summary>A port that no UDP connection may get; null: VXLAN is not in use.</summary>
    public int? AvoidedPort { get; init; }
    /// <summary>The only interfaces that translation happens on; null: all.</summary>
    public string? Interface { get; init; }
    public bool Persistent { get; init; }
    public ListOf<TunnelSource> Tunnels { get; init; } = [];

    public IEnumerable<PoolPlan> Pools => Families.SelectMany(family => family.Pools);

    /// <summary>What it does to one family.</summary>
    public NatPlan Only(IpFamily family) => this with
    {
        Families = [.. Families.Where(one => one.Family == family)],
        Tunnels = [.. Tunnels.Where(tunnel => tunnel.Family == family)],
    };

    /// <summary>As if this node alone could translate.</summary>
    public NatPlan WithoutUpstream() => this with
    {
        Families = [.. Families.Select(family => family with { Pools = [.. family.Pools.Select(pool => pool.WithoutUpstream())] })],
    };
}
