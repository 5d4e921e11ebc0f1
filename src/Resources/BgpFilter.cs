using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum FilterAction : byte { Accept, Reject }
public enum FilterMatchOperator : byte { Equal, NotEqual, In, NotIn }
public enum FilterSource : byte { RemotePeers }
#pragma warning disable IDE1006 // Calico's own words.
public enum FilterPeerType : byte { eBGP, iBGP }
#pragma warning restore IDE1006

/// <summary>What an accepting rule does to the route, in order.</summary>
public abstract record BgpFilterOperation
{
    private BgpFilterOperation() { }

    public sealed record AddCommunity(CommunityValue Value) : BgpFilterOperation;
    /// <param name="Prefix">As the path shall begin afterwards.</param>
    public sealed record PrependAsPath(ListOf<Asn> Prefix) : BgpFilterOperation;
    public sealed record SetPriority(int Value) : BgpFilterOperation;
}

/// <summary>One rule; all that it says must hold, nothing said matches everything. The first rule that matches decides.</summary>
public sealed record BgpFilterRule(FilterAction Action)
{
    public Prefix? Cidr { get; init; }
    /// <summary>There exactly when <see cref="Cidr"/> is.</summary>
    public FilterMatchOperator? MatchOperator { get; init; }
    /// <summary>Bounds of the prefix length, as written; null: not said.</summary>
    public int? PrefixLengthMin { get; init; }
    public int? PrefixLengthMax { get; init; }
    public FilterSource? Source { get; init; }
    /// <summary>A name, <c>*</c> for any characters.</summary>
    public string? Interface { get; init; }
    public FilterPeerType? PeerType { get; init; }
    public CommunityValue? Community { get; init; }
    public ListOf<Asn> AsPathPrefix { get; init; }
    /// <summary>The kernel metric that the route's local preference stands for.</summary>
    public int? Priority { get; init; }
    public ListOf<BgpFilterOperation> Operations { get; init; }

    /// <summary>The rule names bounds of the prefix length (either, or an empty pair).</summary>
    public bool HasPrefixLength { get; init; }
}

/// <summary>BGPFilter: ordered rules for each direction and family.</summary>
public sealed record BgpFilter(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.BgpFilter;

    public ListOf<BgpFilterRule> ExportV4 { get; init; }
    public ListOf<BgpFilterRule> ImportV4 { get; init; }
    public ListOf<BgpFilterRule> ExportV6 { get; init; }
    public ListOf<BgpFilterRule> ImportV6 { get; init; }

    public ListOf<BgpFilterRule> Export(IpFamily family) => family == IpFamily.IPv4 ? ExportV4 : ExportV6;
    public ListOf<BgpFilterRule> Import(IpFamily family) => family == IpFamily.IPv4 ? ImportV4 : ImportV6;
}
