using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>The sets that are wanted, and what of each is to be written: what comes and goes again before that is never said.</summary>
internal sealed class SetParts
{
    private readonly HashSet<SetPart> all = [];
    private readonly List<SetPart> unwritten = [];
    private readonly SortedSet<string> going = new(StringComparer.Ordinal);

    /// <summary>True: to be put; false: to be removed.</summary>
    private readonly Dictionary<(SetPart Part, SetElement Element), bool> changes = [];

    public int Count => all.Count;

    public void Add(SetPart part)
    {
        all.Add(part);
        unwritten.Add(part);
        part.IsThere = going.Remove(part.Name);
    }

    public void Remove(SetPart part)
    {
        all.Remove(part);
        part.IsGone = true;
        if (part.IsWritten || part.IsThere) going.Add(part.Name);
    }

    /// <summary>The element was not there, or was; of a set that is still to be written as a whole nothing is noted.</summary>
    public void Change(SetPart part, SetElement element, bool isIn)
    {
        if (!part.IsWritten) return;
        if (changes.TryAdd((part, element), isIn)) return;
        if (changes[(part, element)] == isIn) throw new InvalidOperationException($"{part.Name} was told twice of {element}");
        changes.Remove((part, element));
    }

    public void Write(PartsWriter into)
    {
        if (into.IsFresh)
        {
            going.Clear();
            changes.Clear();
            unwritten.Clear();
            unwritten.AddRange(all);
        }
        foreach (var name in going) into.RemoveSet(name);
        going.Clear();
        foreach (var part in unwritten.Where(part => !part.IsGone).OrderBy(part => part.Name, StringComparer.Ordinal))
        {
            into.Put(part.Render());
            part.IsWritten = true;
        }
        unwritten.Clear();
        WriteChanges(into);
    }

    private void WriteChanges(PartsWriter into)
    {
        if (changes.Count == 0) return;
        var all = changes.Where(change => !change.Key.Part.IsGone).ToArray();
        Array.Sort(all, (a, b) =>
        {
            var order = string.CompareOrdinal(a.Key.Part.Name, b.Key.Part.Name);
            if (order == 0) order = a.Value.CompareTo(b.Value);
            return order != 0 ? order : a.Key.Element.CompareTo(b.Key.Element);
        });
        for (var (first, end) = (0, 0); first < all.Length; first = end)
        {
            var ((part, _), isIn) = all[first];
            while (end < all.Length && all[end].Key.Part == part && all[end].Value == isIn) end++;
            var elements = ImmutableArray.CreateBuilder<NftElement>(end - first);
            foreach (var (key, _) in all.AsSpan(first, end - first)) elements.Add(part.Render(key.Element));
            // What is removed of a set stands before what is put.
            if (isIn) into.PutElements(part.Name, elements.MoveToImmutable());
            else into.RemoveElements(part.Name, elements.MoveToImmutable());
        }
        changes.Clear();
        // After a large change the table would stay as large as it was.
        if (changes.EnsureCapacity(0) > 4096) changes.TrimExcess();
    }
}
