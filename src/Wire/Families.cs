using Calico.Bgp.Net;

namespace Calico.Bgp.Wire;

/// <summary>An address family as BGP names it (RFC 4760): AFI and SAFI. What has no room here is carried by number.</summary>
public readonly record struct Family(ushort Afi, byte Safi)
{
    public static readonly Family IPv4Unicast = new(1, 1);
    public static readonly Family IPv6Unicast = new(2, 1);

    public static Family Of(IpFamily family) => family == IpFamily.IPv4 ? IPv4Unicast : IPv6Unicast;

    /// <summary>True for the two unicast families that this daemon routes.</summary>
    public bool TryUnicast(out IpFamily family)
    {
        family = Afi == 2 ? IpFamily.IPv6 : IpFamily.IPv4;
        return Safi == 1 && Afi is 1 or 2;
    }

    public override string ToString() => (Afi, Safi) switch
    {
        (1, 1) => "ipv4",
        (2, 1) => "ipv6",
        _ => $"afi {Afi} safi {Safi}",
    };
}

/// <summary>A set of the families that this daemon routes.</summary>
[Flags]
public enum FamilySet : byte { None = 0, IPv4 = 1, IPv6 = 2, Both = 3 }

public static class FamilySetExtensions
{
    public static FamilySet Bit(this IpFamily family) => family == IpFamily.IPv4 ? FamilySet.IPv4 : FamilySet.IPv6;
    public static bool Has(this FamilySet set, IpFamily family) => (set & family.Bit()) != 0;

    /// <summary>For people.</summary>
    public static string Words(this FamilySet set) => set switch
    {
        FamilySet.None => "no family",
        FamilySet.Both => "IPv4 and IPv6",
        _ => set.ToString(),
    };
}
