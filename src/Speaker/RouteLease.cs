using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>What a producer says of a route beside its prefix. What is null or empty is as with any own route.</summary>
public sealed record SaidAttributes
{
    /// <summary>Told to neighbours as it is, where they can be told it; it must be reachable for the route to be used at all.</summary>
    public Address? NextHop { get; init; }
    public ListOf<Community> Communities { get; init; }
    public ListOf<LargeCommunity> LargeCommunities { get; init; }
    public uint? LocalPref { get; init; }
    public uint? Med { get; init; }

    internal void Apply(AttributeEditor editor)
    {
        if (NextHop is { } nextHop) editor.SetNextHop(nextHop);
        if (Med is { } med) editor.SetMed(med);
        if (LocalPref is { } localPref) editor.SetLocalPref(localPref);
        foreach (var community in Communities) editor.AddCommunity(community);
        foreach (var community in LargeCommunities) editor.AddLargeCommunity(community);
    }
}

/// <summary>A route that a program on this node has announced for a while (MetalLB, kube-vip): it need speak no BGP itself.</summary>
/// <param name="Ttl">It is withdrawn then, unless it is announced again; null: until it is withdrawn.</param>
public sealed record RouteLease(string Producer, Prefix Prefix, TimeSpan? Ttl, SaidAttributes Said)
{
    /// <summary>The source of routes that it stands in: <c>lease.metallb1</c> of IPv4, <c>lease.metallb2</c> of IPv6.</summary>
    public string Source => $"{SpeakerLoop.LeasedName}{Producer}{(Prefix.Family == IpFamily.IPv4 ? 1 : 2)}";
}

/// <summary><c>control.producers</c>: what one of them may announce.</summary>
/// <param name="Prefixes">Inside of these alone; none: any.</param>
public sealed record ProducerQuota(string Name, int Limit, ListOf<Prefix> Prefixes)
{
    public const int DefaultLimit = 1000;
}
