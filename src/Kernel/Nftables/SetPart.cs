using System.Numerics;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A set by its name: as it shall be, as the kernel has it, and the elements by which the two differ. What the kernel has is what is
/// wanted, without <see cref="ToAdd"/> and with <see cref="ToRemove"/>; so elements are kept once. Of a set that the kernel does not have
/// all are to be added, and none is noted by itself.
/// </summary>
internal sealed class SetPart(string name)
{
    /// <summary>A set with more elements says how many it may have, and that is room for so many times as many.</summary>
    private const int Small = 1_000, Room = 2;

    private const string StandInSuffix = "-standin";

    private readonly HashSet<NftElement> elements = new(NftElement.ByKey.Instance), toAdd = new(NftElement.ByKey.Instance);
    private NftElement[]? inOrder;

    public string Name => name;

    /// <summary>Without its elements; null: it shall not be.</summary>
    public NftSet? Wanted { get; private set; }

    /// <summary>Without its elements; null: the kernel has no such set.</summary>
    public NftSet? There { get; private set; }

    /// <summary>The kernel has another map, which rules ask while this one is made again.</summary>
    public bool HasStandIn { get; private set; }

    public static string StandInFor(string name) => name + StandInSuffix;

    /// <summary>The map's that is stood in for by one of this name; null: none is.</summary>
    public static string? StoodInForBy(string name) =>
        name.EndsWith(StandInSuffix, StringComparison.Ordinal) ? name[..^StandInSuffix.Length] : null;

    /// <summary>Those that are wanted; of a dynamic set none.</summary>
    public IReadOnlyCollection<NftElement> Elements => elements;

    /// <summary>The same by their first keys, put in order once for all packets until the set changes.</summary>
    public ReadOnlySpan<NftElement> InOrder
    {
        get
        {
            if (inOrder == null)
            {
                inOrder = [.. elements];
                Array.Sort(inOrder, Packets.PacketTable.ByFirst);
            }
            return inOrder;
        }
    }

    /// <summary>Each key once, as in the kernel.</summary>
    public IReadOnlyCollection<NftElement> ToAdd => IsNew ? elements : toAdd;

    public HashSet<NftElement> ToRemove { get; } = new(NftElement.ByKey.Instance);

    private bool IsNew => There == null && Wanted is not { Dynamic: true };

    /// <summary>
    /// As it is made. Of a set whose size the kernel is told it has all places at once; another one grows as it fills up, which takes as
    /// long as the elements themselves.
    /// </summary>
    public NftSet? ToMake => Wanted is { Size: 0, Intervals: false } && elements.Count > Small
        ? Wanted with { Size = BitOperations.RoundUpToPowerOf2((uint)elements.Count * Room) } : Wanted;

    /// <summary>The kernel lets nobody make of it what is wanted, or it has outgrown what was said of its size.</summary>
    public bool ChangesKind => ChangesShape || (Wanted is { Size: 0 } && There is { Size: > 0 } && elements.Count > There.Size);

    /// <summary>Rules that ask it as it is to be may not fit what it is.</summary>
    public bool ChangesShape => Wanted != null && There != null && !There.SameKind(Wanted);

    public bool Differs => HasStandIn
        || (Wanted == null ? There != null : There == null || ChangesKind || ToAdd.Count + ToRemove.Count > 0);

    public bool Wants(NftElement element) =>
        elements.TryGetValue(element, out var wanted) ? wanted == element : Wanted is { Dynamic: true } && toAdd.Contains(element);

    /// <summary>By a key that is no range.</summary>
    public bool TryFind(NftOctets key, out NftElement element) => elements.TryGetValue(NftElement.Of(key), out element);

    /// <summary>True where something has to be done about it.</summary>
    public bool Put(NftSet set)
    {
        if (Wanted is { } before && before.Dynamic != set.Dynamic) Forget();
        Wanted = set with { Elements = [] };
        if (elements.Count > 0)
        {
            var newer = new HashSet<NftElement>(set.Elements, NftElement.ByKey.Instance);
            foreach (var old in elements.Where(old => !newer.Contains(old)).ToArray()) Remove(old);
        }
        elements.EnsureCapacity(set.Elements.Length);
        if (!IsNew) toAdd.EnsureCapacity(set.Elements.Length);
        foreach (var element in set.Elements) Put(element);
        return Differs;
    }

    /// <summary>Its elements become ours, or not ours any more: that is another kind of set, which begins with none.</summary>
    private void Forget()
    {
        elements.Clear();
        inOrder = null;
        toAdd.Clear();
        ToRemove.Clear();
    }

    public void Put(NftElement element)
    {
        var isThere = false;
        if (Wanted is { Dynamic: true }) ToRemove.Remove(element);
        else
        {
            if (!elements.Add(element))
            {
                elements.TryGetValue(element, out var old);
                if (old == element) return;
                elements.Remove(old);
                if (!IsNew && !toAdd.Contains(old)) ToRemove.Add(old);
                elements.Add(element);
            }
            inOrder = null;
            if (IsNew) return;
            isThere = ToRemove.Count > 0 && ToRemove.TryGetValue(element, out var there) && there == element && ToRemove.Remove(there);
        }
        if (!isThere && toAdd.Add(element)) return;
        toAdd.Remove(element); // Its key may have another value.
        if (!isThere) toAdd.Add(element);
    }

    public void Remove(NftElement element)
    {
        if (Wanted is { Dynamic: true })
        {
            toAdd.Remove(element);
            ToRemove.Add(element);
        }
        else if (elements.TryGetValue(element, out var old))
        {
            elements.Remove(old);
            inOrder = null;
            if (!IsNew && !toAdd.Remove(old)) ToRemove.Add(old);
        }
    }

    /// <summary>It shall not be. What the kernel has of it stays known until it is gone, because it may be wanted again before.</summary>
    public void Remove()
    {
        foreach (var element in elements.ToArray()) Remove(element);
        if (Wanted is { Dynamic: true }) Forget();
        Wanted = null;
    }

    /// <summary>What the kernel has was read. Of a dynamic set nothing is compared; what is still to be put into it stays so.</summary>
    public void Compare(ToldSet? told, bool hasStandIn)
    {
        (There, HasStandIn) = (told?.Shape, hasStandIn);
        if (Wanted is not { Dynamic: false }) return;
        ToRemove.Clear();
        toAdd.Clear();
        if (told == null) return;
        toAdd.UnionWith(elements);
        foreach (var element in told.Elements)
            if (elements.TryGetValue(element, out var wanted) && wanted == element) toAdd.Remove(element);
            else ToRemove.Add(element);
    }

    /// <summary>The kernel has it now as it was sent; what it had refused before was not sent.</summary>
    /// <param name="anew">It was made again, with all that is wanted of it.</param>
    public void Commit(bool anew, Predicate<NftPart>? blocked)
    {
        anew |= IsNew;
        There = anew ? ToMake : Wanted == null || There == null ? Wanted : Wanted with { Size = There.Size };
        if (anew || blocked == null) ToRemove.Clear();
        else ToRemove.RemoveWhere(element => !blocked(new NftPart.Removal(new NftPart.Element(name, element))));
        if (blocked == null) toAdd.Clear();
        else toAdd.RemoveWhere(element => !blocked(new NftPart.Element(name, element)));
        if (anew && blocked != null) toAdd.UnionWith(elements.Where(element => blocked(new NftPart.Element(name, element))));
    }

    public void CommitStandIn(bool isThere) => HasStandIn = isThere;
}
