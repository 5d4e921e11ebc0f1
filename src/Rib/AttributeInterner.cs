using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>
/// What belongs to an attribute set beside its octets: said by our filters, or by the interface that a link-local next hop is on.
/// Two sets that differ here are different sets.
/// </summary>
internal readonly record struct LocalMarks(KernelHints Hints, int Scope);

/// <summary>One distinct attribute set.</summary>
internal struct AttributeRow
{
    public AttributeSummary Summary;
    public LocalMarks Marks;
    public uint Hash;
    public uint References;
    public uint Place;
    public ushort Length;
    /// <summary>Handle in <see cref="NextHops"/>; 0: none is needed.</summary>
    public uint NextHop;
}

/// <summary>
/// Keeps every distinct attribute set once, by its canonical octets; N prefixes of one UPDATE cost one lookup. Handles are counted:
/// who stores one takes a reference, and the last release forgets the set.
/// </summary>
internal sealed class AttributeInterner(NextHops nextHops) : IDisposable
{
    // A slot holds the upper 6 bits of the hash over 26 bits of the handle, so that most strangers are passed without a look at their row.
    private const uint HandleMask = (1u << 26) - 1;
    private const uint Empty = 0, Deleted = ~HandleMask; // handle 0 is never handed out

    // Peers choose the octets; the seed keeps them from choosing what collides.
    private static readonly ulong Seed = HashSeed.Next() | 1;
    private readonly Slab<AttributeRow> rows = new();
    private readonly OctetStore store = new();
    private LongArray<uint> slots = new(1024);
    private int occupied; // slots that are not Empty

    public int Count => rows.Count;
    public long Octets => rows.Octets + store.Octets + slots.Octets;

    public ref AttributeRow this[uint handle] => ref rows[handle];
    public ReadOnlySpan<byte> OctetsOf(uint handle)
    {
        ref var row = ref rows[handle];
        return store[row.Place, row.Length];
    }

    /// <summary>What <see cref="Intern(ReadOnlySpan{byte}, in AttributeSummary, LocalMarks, uint)"/> wants to know of canonical octets:
    /// worked out by who parses them, on another core.</summary>
    public static uint HashOf(ReadOnlySpan<byte> octets)
    {
        var hash = Seed ^ (uint)octets.Length;
        for (; octets.Length >= 8; octets = octets[8..]) hash = Fold(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(octets));
        ulong rest = 0;
        for (var i = 0; i < octets.Length; i++) rest |= (ulong)octets[i] << 8 * i;
        hash = Fold(hash ^ rest);
        return (uint)(hash ^ hash >> 32);
    }

    /// <summary>The set will be looked for soon: its place in the index is fetched meanwhile.</summary>
    public void Prefetch(uint hash) => slots.Prefetch(hash & (uint)(slots.Length - 1));

    /// <summary>The set's handle, with one reference for the caller.</summary>
    public uint Intern(ReadOnlySpan<byte> octets, in AttributeSummary summary, LocalMarks marks) =>
        Intern(octets, summary, marks, HashOf(octets));

    /// <param name="octetsHash">Of the octets alone (<see cref="HashOf"/>).</param>
    public uint Intern(ReadOnlySpan<byte> octets, in AttributeSummary summary, LocalMarks marks, uint octetsHash)
    {
        var hash = marks == default ? octetsHash : (uint)Fold(
            Seed ^ octetsHash ^ (ulong)marks.Hints.Metric << 32 ^ (ulong)marks.Hints.Table << 16 ^ (ulong)(uint)marks.Scope << 40);
        var mask = (uint)slots.Length - 1;
        for (var at = hash & mask; ; at = (at + 1) & mask)
        {
            var slot = slots[at];
            if (slot == Empty) return Add(octets, summary, marks, hash);
            if (((slot ^ hash) & ~HandleMask) != 0 || slot == Deleted) continue;
            ref var row = ref rows[slot & HandleMask];
            if (row.Hash != hash || row.Marks != marks || row.Length != octets.Length
                || !store[row.Place, row.Length].SequenceEqual(octets)) continue;
            row.References++;
            return slot & HandleMask;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Hold(uint handle) => rows[handle].References++;

    public void Release(uint handle)
    {
        if (handle == 0) return;
        ref var row = ref rows[handle];
        if (--row.References > 0) return;
        Forget(row.Hash, handle);
        store.Remove(row.Place, row.Length);
        nextHops.Release(row.NextHop);
        rows.Remove(handle);
    }

    private void Forget(uint hash, uint handle)
    {
        var mask = (uint)slots.Length - 1;
        var at = hash & mask;
        while ((slots[at] & HandleMask) != handle) at = (at + 1) & mask;
        var ends = slots[(at + 1) & mask] == Empty;
        slots[at] = ends ? Empty : Deleted;
        if (ends) occupied--;
    }

    private uint Add(ReadOnlySpan<byte> octets, in AttributeSummary summary, LocalMarks marks, uint hash)
    {
        if (occupied * 4 >= slots.Length * 3) Rebuild();
        var handle = rows.Add();
        if (handle > HandleMask) throw new InvalidOperationException($"a shard holds at most {HandleMask} attribute sets");
        rows[handle] = new()
        {
            Summary = summary,
            Marks = marks,
            Hash = hash,
            References = 1,
            Place = store.Add(octets),
            Length = (ushort)octets.Length,
            NextHop = summary.NextHopLength == 0 ? 0 : nextHops.Hold(summary.NextHop, marks.Scope),
        };
        Place(hash, handle);
        return handle;
    }

    private void Place(uint hash, uint handle)
    {
        var mask = (uint)slots.Length - 1;
        var at = hash & mask;
        while ((slots[at] & HandleMask) != 0) at = (at + 1) & mask;
        if (slots[at] == Empty) occupied++;
        slots[at] = (hash & ~HandleMask) | handle;
    }

    private void Rebuild()
    {
        var size = rows.Count * 2 > slots.Length ? slots.Length * 2 : slots.Length;
        slots.Dispose();
        slots = new(size);
        occupied = 0;
        // In the order of the rows, not of the slots: memory is read forward.
        for (uint handle = 1; handle < rows.End; handle++)
            if (rows[handle].References > 0) Place(rows[handle].Hash, handle);
    }

    public void Dispose()
    {
        rows.Dispose();
        store.Dispose();
        slots.Dispose();
    }

    /// <summary>Two rounds, so that every bit of the value moves the lower half as well as the upper.</summary>
    private static ulong Fold(ulong value)
    {
        var once = (value ^ value >> 32) * 0x9e3779b97f4a7c15;
        return (once ^ once >> 32) * 0xbf58476d1ce4e5b9;
    }
}
