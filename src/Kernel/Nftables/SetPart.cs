namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A set by its name: as it shall be, as the kernel has it, and the elements by which the two differ. What the kernel has is what is
/// wanted, without <see cref="ToAdd"/> and with <see cref="ToRemove"/>; so elements are kept once.
/// </summary>
internal sealed class SetPart(string name)
{
    private readonly HashSet<NftElement> elements = new(NftElement.ByKey.Instance);
    private NftElement[]? inOrder;

    public string Name => name;

    /// <summary>Without its elements; null: it shall not be.</summary>
    public NftSet? Wanted { get; private set; }

    /// <summary>Without its elements; null: the kernel has no such set.</summary>
    public NftSet? There { get; private set; }

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
    public HashSet<NftElement> ToAdd { get; } = new(NftElement.ByKey.Instance);

    public HashSet<NftElement> ToRemove { get; } = new(NftElement.ByKey.Instance);

    /// <summary>The kernel lets nobody make of it what is wanted.</summary>
    public bool ChangesKind => Wanted != null && There != null && !There.SameKind(Wanted);

    public bool Differs => Wanted == null ? There != null : There == null || ChangesKind || ToAdd.Count + ToRemove.Count > 0;

    public bool Wants(NftElement element) =>
        elements.TryGetValue(element, out var wanted) ? wanted == element : Wanted is { Dynamic: true } && ToAdd.Contains(element);

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
        ToAdd.EnsureCapacity(set.Elements.Length);
        foreach (var element in set.Elements) Put(element);
        return Differs;
    }

    /// <summary>Its elements become ours, or not ours any more: that is another kind of set, which begins with none.</summary>
    private void Forget()
    {
        elements.Clear();
        inOrder = null;
        ToAdd.Clear();
        ToRemove.Clear();
    }

    public void Put(NftElement element)
    {
        var isThere = false;
        if (Wanted is { Dynamic: true }) ToRemove.Remove(element);
        else
        {
            if (elements.TryGetValue(element, out var old))
            {
                if (old == element) return;
                elements.Remove(old);
                if (!ToAdd.Contains(old)) ToRemove.Add(old);
            }
            elements.Add(element);
            inOrder = null;
            isThere = ToRemove.Count > 0 && ToRemove.TryGetValue(element, out var there) && there == element && ToRemove.Remove(there);
        }
        if (!isThere && ToAdd.Add(element)) return;
        ToAdd.Remove(element); // Its key may have another value.
        if (!isThere) ToAdd.Add(element);
    }

    public void Remove(NftElement element)
    {
        if (Wanted is { Dynamic: true })
        {
            ToAdd.Remove(element);
            ToRemove.Add(element);
        }
        else if (elements.TryGetValue(element, out var old))
        {
            elements.Remove(old);
            inOrder = null;
            if (!ToAdd.Remove(old)) ToRemove.Add(old);
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
    public void Compare(ToldSet? told)
    {
        There = told?.Shape;
        if (Wanted is not { Dynamic: false }) return;
        ToRemove.Clear();
        ToAdd.Clear();
        ToAdd.UnionWith(elements);
        foreach (var element in told?.Elements ?? [])
            if (elements.TryGetValue(element, out var wanted) && wanted == element) ToAdd.Remove(element);
            else ToRemove.Add(element);
    }

    /// <summary>The kernel has it now as it was sent; what it had refused before was not sent.</summary>
    /// <param name="anew">It was made again, with all that is wanted of it.</param>
    public void Commit(bool anew, Predicate<NftPart>? blocked)
    {
        There = Wanted;
        if (anew || blocked == null) ToRemove.Clear();
        else ToRemove.RemoveWhere(element => !blocked(new NftPart.Removal(new NftPart.Element(name, element))));
        if (blocked == null) ToAdd.Clear();
        else ToAdd.RemoveWhere(element => !blocked(new NftPart.Element(name, element)));
        if (anew && blocked != null) ToAdd.UnionWith(elements.Where(element => blocked(new NftPart.Element(name, element))));
    }
}
