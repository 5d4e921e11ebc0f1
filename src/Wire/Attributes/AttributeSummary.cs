using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>What a set of attributes says about itself at a glance.</summary>
[Flags]
public enum AttributeMarks : ushort
{
    None = 0,
    HasMed = 1,
    HasLocalPref = 2,
    HasOriginatorId = 4,
    HasAigp = 8,
    HasOtc = 16,
    /// <summary>Well-known communities (RFC 1997, 8326, 9494, 7999) among the communities.</summary>
    NoExport = 32,
    NoAdvertise = 64,
    NoExportSubconfed = 128,
    GracefulShutdown = 256,
    LlgrStale = 512,
    NoLlgr = 1024,
    Blackhole = 2048,
    /// <summary>There are optional attributes that are not transitive or that we do not know.</summary>
    HasUnknown = 4096,
    /// <summary>An AS_SET in the path, which RFC 9774 has done away with.</summary>
    HasAsSet = 16384,
    /// <summary>A link bandwidth that packets can be shared out by is among the extended communities.</summary>
    HasLinkBandwidth = 8192,
}

/// <summary>
/// The fields of an attribute set that the decision and the doors look at, taken out of its octets once. A row without
/// references: one stands in the interner beside each distinct set.
/// </summary>
public struct AttributeSummary
{
    /// <summary>The next hop's octets, left-aligned as in <see cref="Net.Address"/>.</summary>
    public ulong NextHopHigh, NextHopLow;
    /// <summary>Octets of the NEXT_HOP in the canonical form: 4, 16 (IPv6) or 32 (global and link-local, RFC 2545); 0: none.</summary>
    public byte NextHopLength;
    public Origin Origin;
    public AttributeMarks Marks;
    /// <summary>RFC 4271 9.1.2.2 a: an AS_SET counts 1, confederation segments (RFC 5065) 0.</summary>
    public ushort AsPathLength;
    public ushort ClusterListLength;
    public uint Med;
    public uint LocalPref;
    /// <summary>First AS of the path, 0 for an empty one or one that starts with a set: whom the MED came from.</summary>
    public uint NeighborAs;
    /// <summary>Last AS of the path, 0 for an empty one or one that ends with a set.</summary>
    public uint OriginAs;
    public uint OriginatorId;

    public readonly bool Has(AttributeMarks mark) => (Marks & mark) != 0;

    /// <summary>The (global) next hop; meaningless when <see cref="NextHopLength"/> is 0.</summary>
    public readonly Address NextHop => new(NextHopHigh, NextHopLow, NextHopLength == 4 ? IpFamily.IPv4 : IpFamily.IPv6);
}
