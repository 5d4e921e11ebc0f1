using System.Buffers.Binary;
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
    public uint Next;
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
    // Peers choose the octets; the seed keeps them from choosing what collides.
    private readonly ulong seed = HashSeed.Next() | 1;
    private readonly Slab<AttributeRow> rows = new();
    private readonly OctetStore store = new();
    private LongArray<uint> buckets = new(1024);

    public int Count => rows.Count;
    public long Octets => rows.Octets + store.Octets + buckets.Octets;

    public ref AttributeRow this[uint handle] => ref rows[handle];
    public ReadOnlySpan<byte> OctetsOf(uint handle)
    {
        ref var row = ref rows[handle];
        return store[row.Place, row.Length];
    }

    /// <summary>The set's handle, with one reference for the caller.</summary>
    public uint Intern(ReadOnlySpan<byte> octets, in AttributeSummary summary, LocalMarks marks)
    {
        var hash = Hash(octets, marks);
        for (var at = buckets[hash & (uint)(buckets.Length - 1)]; at != 0;)
        {
            ref var row = ref rows[at];
            if (row.Hash == hash && row.Marks == marks && row.Length == octets.Length && store[row.Place, row.Length].SequenceEqual(octets))
            {
                row.References++;
                return at;
            }
            at = row.Next;
        }
        return Add(octets, summary, marks, hash);
    }

    public void Hold(uint handle) => rows[handle].References++;

    public void Release(uint handle)
    {
        if (handle == 0) return;
        ref var row = ref rows[handle];
        if (--row.References > 0) return;
        ref var link = ref buckets[row.Hash & (uint)(buckets.Length - 1)];
        while (link != handle) link = ref rows[link].Next;
        link = row.Next;
        store.Remove(row.Place, row.Length);
        nextHops.Release(row.NextHop);
        rows.Remove(handle);
    }

    private uint Add(ReadOnlySpan<byte> octets, in AttributeSummary summary, LocalMarks marks, uint hash)
    {
        if (rows.Count >= buckets.Length) Grow();
        var handle = rows.Add();
        ref var bucket = ref buckets[hash & (uint)(buckets.Length - 1)];
        rows[handle] = new()
        {
            Summary = summary,
            Marks = marks,
            Hash = hash,
            Next = bucket,
            References = 1,
            Place = store.Add(octets),
            Length = (ushort)octets.Length,
            NextHop = summary.NextHopLength == 0 ? 0 : nextHops.Hold(summary.NextHop, marks.Scope),
        };
        bucket = handle;
        return handle;
    }

    private void Grow()
    {
        var larger = new LongArray<uint>(buckets.Length * 2);
        // In the order of the rows, not of the chains: memory is read forward.
        for (uint at = 1; at < rows.End; at++)
        {
            ref var row = ref rows[at];
            if (row.References == 0) continue;
            ref var bucket = ref larger[row.Hash & (uint)(larger.Length - 1)];
            row.Next = bucket;
            bucket = at;
        }
        buckets.Dispose();
        buckets = larger;
    }

    public void Dispose()
    {
        rows.Dispose();
        store.Dispose();
        buckets.Dispose();
    }

    private uint Hash(ReadOnlySpan<byte> octets, LocalMarks marks)
    {
        var hash = seed ^ (uint)octets.Length ^ (ulong)marks.Hints.Metric << 32 ^ (ulong)marks.Hints.Table << 16 ^ (uint)marks.Scope;
        for (; octets.Length >= 8; octets = octets[8..]) hash = Fold(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(octets));
        ulong rest = 0;
        for (var i = 0; i < octets.Length; i++) rest |= (ulong)octets[i] << 8 * i;
        hash = Fold(hash ^ rest);
        return (uint)(hash ^ hash >> 32);

        static ulong Fold(ulong value)
        {
            var high = Math.BigMul(value, 0x9e3779b97f4a7c15, out var low);
            return high ^ low;
        }
    }
}
