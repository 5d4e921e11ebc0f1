using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using PortRange = Calico.Bgp.Kernel.Nftables.PortRange;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// What is done with a packet once it is to be translated: rules without the matches that lead there, the last of which takes everything.
/// Ports can only be given in a rule that says the protocol. Several addresses share the connections by the number of addresses.
/// </summary>
internal static class NatActions
{
    /// <summary>What the kernel takes new source ports from, where it is free to (the privileged ones apart).</summary>
    public static readonly PortRange AnyPort = new(1024, ushort.MaxValue);

    public static IEnumerable<NftRule> For(NatPlan plan, FamilyPlan family)
    {
        foreach (var (protocol, ports) in Ports(plan))
            foreach (var (chance, act) in Acts(plan, family, ports))
                yield return new([.. protocol is { } known ? [new MatchProtocols(known)] : Array.Empty<NftStatement>(), .. chance, act]);
    }

    private static IEnumerable<(IpProtocol?, PortRange?)> Ports(NatPlan plan)
    {
        if (plan.Ports is { } ports) yield return (IpProtocol.Tcp, ports);
        if (plan.AvoidedPort is { } avoided) yield return (IpProtocol.Udp, WithoutPort(plan.Ports ?? AnyPort, avoided));
        else if (plan.Ports is { } same) yield return (IpProtocol.Udp, same);
        yield return (null, null);
    }

    /// <summary>The wider of the two sides of the port; all, where the port is not in the range, or is the range.</summary>
    public static PortRange WithoutPort(PortRange range, int port)
    {
        if (port < range.From || port > range.To || range.From == range.To) return range;
        return port - range.From > range.To - port ? range with { To = (ushort)(port - 1) } : range with { From = (ushort)(port + 1) };
    }

    private static IEnumerable<(NftStatement[] Chance, NftStatement Act)> Acts(NatPlan plan, FamilyPlan family, PortRange? ports)
    {
        if (family.Addresses.Count == 0) return [([], new ActMasquerade(ports))];
        var total = (uint)family.Addresses.Sum(range => (long)Size(range));
        var before = 0u;
        return family.Addresses.Select((range, i) =>
        {
            NftStatement[] chance = i == family.Addresses.Count - 1 ? [] : [Chance(plan, family.Family, total, before, Size(range))];
            before += Size(range);
            return (chance, (NftStatement)new ActSourceNat(range.First, range.Last, ports, plan.Persistent));
        });
    }

    /// <summary>A die is thrown anew in each rule, among those that are left; a source's share is the same in all.</summary>
    private static NftStatement Chance(NatPlan plan, IpFamily family, uint total, uint before, uint size) =>
        plan.Persistent ? new MatchSourceShare(family, total, before + size) : new MatchChance(total - before, size);

    /// <summary>How many addresses; beyond a million it makes no difference.</summary>
    private static uint Size(AddressRange range)
    {
        var count = (range.Last.Bits - range.First.Bits >> (128 - range.First.Family.Bits())) + 1;
        return (uint)UInt128.Min(count, 1 << 20);
    }
}
