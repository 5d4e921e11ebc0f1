using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// What a change does to the communities of one kind: first <see cref="Set"/> (instead of all there are), then
/// <see cref="Remove"/>, then <see cref="Add"/>.
/// </summary>
public sealed class CommunityChange : IEquatable<CommunityChange>
{
    private readonly CommunitySet removed;
    private readonly Func<Community, bool> removesStandard;
    private readonly Func<LargeCommunity, bool> removesLarge;
    private readonly Func<ExtendedCommunity, bool> removesExtended;

    /// <param name="set">Null: what is there stays. Patterns of <paramref name="set"/> and <paramref name="add"/> are exact ones.</param>
    /// <exception cref="ArgumentException">A community that is to be added leaves something open.</exception>
    public CommunityChange(CommunityKind kind, ListOf<CommunityPattern>? set, ListOf<CommunityPattern> remove, ListOf<CommunityPattern> add)
    {
        if (add.Concat(set ?? []).Any(pattern => !pattern.IsExact))
            throw new ArgumentException("what is added must be a community, not a pattern");
        (Kind, Set, Remove, Add, removed) = (kind, set, remove, add, new(kind, remove));
        // Made once here: a filter allocates nothing per route.
        removesStandard = community => removed.Has(community.Value);
        removesLarge = community => removed.Has(new(community.Global, (ulong)community.Data1 << 32 | community.Data2));
        removesExtended = community => removed.Has(community.Value);
    }

    public CommunityKind Kind { get; }
    public ListOf<CommunityPattern>? Set { get; }
    public ListOf<CommunityPattern> Remove { get; }
    public ListOf<CommunityPattern> Add { get; }

    internal void Apply(AttributeEditor editor)
    {
        if (Set is { } set)
        {
            editor.Remove(Kind.Attribute());
            AddAll(editor, set);
        }
        if (Remove.Count > 0) RemoveFrom(editor);
        AddAll(editor, Add);
    }

    private void RemoveFrom(AttributeEditor editor)
    {
        if (Kind == CommunityKind.Standard) editor.RemoveCommunities(removesStandard);
        else if (Kind == CommunityKind.Large) editor.RemoveLargeCommunities(removesLarge);
        else editor.RemoveExtendedCommunities(removesExtended);
    }

    private void AddAll(AttributeEditor editor, ListOf<CommunityPattern> communities)
    {
        foreach (var community in communities.Items)
        {
            var value = community.Value;
            if (Kind == CommunityKind.Standard) editor.AddCommunity(new((uint)value));
            else if (Kind == CommunityKind.Large) editor.AddLargeCommunity(new((uint)(value >> 64), (uint)(value >> 32), (uint)value));
            else editor.AddExtendedCommunity(new((ulong)value));
        }
    }

    public bool Equals(CommunityChange? other) =>
        other != null && Kind == other.Kind && Nullable.Equals(Set, other.Set) && Remove == other.Remove && Add == other.Add;
    public override bool Equals(object? obj) => Equals(obj as CommunityChange);
    public override int GetHashCode() => HashCode.Combine(Kind, Set, Remove, Add);
}
