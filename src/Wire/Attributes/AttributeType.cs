namespace Calico.Bgp.Wire.Attributes;

/// <summary>Path attribute type codes (IANA "BGP Path Attributes").</summary>
public enum AttributeType : byte
{
    None = 0,
    Origin = 1,
    AsPath = 2,
    NextHop = 3,
    MultiExitDisc = 4,
    LocalPref = 5,
    AtomicAggregate = 6,
    Aggregator = 7,
    Communities = 8,
    OriginatorId = 9,
    ClusterList = 10,
    MpReachNlri = 14,
    MpUnreachNlri = 15,
    ExtendedCommunities = 16,
    As4Path = 17,
    As4Aggregator = 18,
    PmsiTunnel = 22,
    TunnelEncapsulation = 23,
    IPv6ExtendedCommunities = 25,
    Aigp = 26,
    BgpLs = 29,
    LargeCommunities = 32,
    OnlyToCustomer = 35,
    PrefixSid = 40,
    AttrSet = 128,
}

[Flags]
public enum AttributeFlags : byte { None = 0, Optional = 0x80, Transitive = 0x40, Partial = 0x20, ExtendedLength = 0x10 }

/// <summary>How the route entered BGP; lower wins (RFC 4271 section 9.1.2.2 b).</summary>
public enum Origin : byte { Igp, Egp, Incomplete }
