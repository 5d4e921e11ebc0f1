using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// Community patterns made ready: the exact ones sorted, the open ones in a row.
/// </summary>
internal sealed class CommunitySet
{
    private readonly CommunityKind kind;
    private readonly UInt128[] exact;
    private readonly CommunityPattern[] open;

    public CommunitySet(CommunityKind kind, ListOf<CommunityPattern> patterns)
    {
        this.kind = kind;
        exact = [.. patterns.Where(pattern => pattern.IsExact).Select(pattern => pattern.Value).Order()];
        open = [.. patterns.Where(pattern => !pattern.IsExact)];
    }

    public bool Has(UInt128 community)
    {
        if (exact.AsSpan().BinarySearch(community) >= 0) return true;
        foreach (var pattern in open)
            if (pattern.Has(community)) return true;
        return false;
    }

    public bool HasAnyOf(ReadOnlySpan<byte> list)
    {
        for (var octets = kind.Octets(); list.Length >= octets; list = list[octets..])
            if (Has(kind.Read(list))) return true;
        return false;
    }
}

/// <summary>What a match asks of the communities of one kind; each of the three lists that is not empty must hold.</summary>
public sealed class CommunityMatch : IEquatable<CommunityMatch>
{
    private readonly CommunitySet any, none;

    /// <param name="any">One community of the route fits one pattern.</param>
    /// <param name="all">Each pattern (a list of them where it has several forms) is fitted by some community of the route.</param>
    /// <param name="none">No community of the route fits any pattern.</param>
    public CommunityMatch(
        CommunityKind kind, ListOf<CommunityPattern> any, ListOf<ListOf<CommunityPattern>> all, ListOf<CommunityPattern> none)
    {
        (Kind, Any, All, None) = (kind, any, all, none);
        (this.any, this.none) = (new(kind, any), new(kind, none));
    }

    public CommunityKind Kind { get; }
    public ListOf<CommunityPattern> Any { get; }
    public ListOf<ListOf<CommunityPattern>> All { get; }
    public ListOf<CommunityPattern> None { get; }

    internal bool Matches(ReadOnlySpan<byte> attributes)
    {
        if (!new AttributeView(attributes).TryGet(Kind.Attribute(), out var list)) list = default;
        if (Any.Count > 0 && !any.HasAnyOf(list)) return false;
        foreach (var forms in All.Items)
            if (!HasOneOf(list, forms)) return false;
        return None.Count == 0 || !none.HasAnyOf(list);
    }

    private bool HasOneOf(ReadOnlySpan<byte> list, ListOf<CommunityPattern> forms)
    {
        for (var octets = Kind.Octets(); list.Length >= octets; list = list[octets..])
            foreach (var pattern in forms.Items)
                if (pattern.Has(Kind.Read(list))) return true;
        return false;
    }

    public bool Equals(CommunityMatch? other) =>
        other != null && Kind == other.Kind && Any == other.Any && All == other.All && None == other.None;
    public override bool Equals(object? obj) => Equals(obj as CommunityMatch);
    public override int GetHashCode() => HashCode.Combine(Kind, Any, All, None);
}
