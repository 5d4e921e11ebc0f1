using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Net;

/// <summary>
/// A hash table from the prefixes of one family to 4-byte handles, with 4 octets of the owner's beside each prefix. An IPv4 row
/// takes 12 octets and an IPv6 row 24, plus 5 to 11 octets of index: no objects, whatever the table's size.
/// </summary>
/// <remarks>Not thread-safe: a table belongs to one loop. Handles stay valid until <see cref="Remove"/>; further columns can be kept in
/// slabs under the same handles (<see cref="Slab{T}.Column"/>).</remarks>
public abstract class PrefixTable : IDisposable
{
    public static PrefixTable Of(IpFamily family) => family == IpFamily.IPv4 ? new PrefixTable<IPv4Key>() : new PrefixTable<IPv6Key>();

    public abstract int Count { get; }
    /// <summary>Every handle is below this one: the bound for a walk. Handles that are free have <see cref="IsUsed"/> false.</summary>
    public abstract uint End { get; }
    public abstract long Octets { get; }
    public abstract bool IsUsed(uint handle);

    /// <summary>The row of a prefix given as in NLRI: its length and its octets (host bits are ignored); made where it is missing, with
    /// value 0.</summary>
    /// <returns>The owner's 4 octets of the row (<see cref="Value"/>).</returns>
    public abstract ref uint FindOrAdd(int length, ReadOnlySpan<byte> octets, out uint handle);
    /// <summary>0 where the prefix is not in the table.</summary>
    public abstract uint Find(int length, ReadOnlySpan<byte> octets);
    public abstract void Remove(uint handle);
    /// <summary>The prefix will be looked for soon: its place in the index is fetched meanwhile, which is most of what a lookup
    /// costs.</summary>
    public abstract void Prefetch(int length, ReadOnlySpan<byte> octets);
    /// <summary>The row will be removed soon.</summary>
    public abstract void Prefetch(uint handle);
    public abstract void Dispose();
    public abstract Prefix this[uint handle] { get; }
    /// <summary>The owner's 4 octets of a row.</summary>
    public abstract ref uint Value(uint handle);
    /// <summary>Writes the row's prefix as NLRI; returns the octets written (at most 17).</summary>
    public abstract int WriteNlri(uint handle, Span<byte> into);

    public uint FindOrAdd(int length, ReadOnlySpan<byte> octets)
    {
        FindOrAdd(length, octets, out var handle);
        return handle;
    }

    public uint FindOrAdd(Prefix prefix)
    {
        Span<byte> octets = stackalloc byte[16];
        return FindOrAdd(prefix.Length, octets[..prefix.Address.Write(octets)]);
    }

    public uint Find(Prefix prefix)
    {
        Span<byte> octets = stackalloc byte[16];
        return Find(prefix.Length, octets[..prefix.Address.Write(octets)]);
    }
}

/// <summary>The bits and length of a prefix, as small as its family allows.</summary>
internal interface IPrefixKey<TSelf> where TSelf : unmanaged, IPrefixKey<TSelf>
{
    static abstract IpFamily Family { get; }
    static abstract TSelf From(int length, ReadOnlySpan<byte> octets);
    ulong Hash { get; }
    bool Same(in TSelf other);
    Prefix Prefix { get; }
    int WriteNlri(Span<byte> into);
}

/// <summary>
/// Two rounds of multiplication: after one, the top bits of prefixes that lie side by side do not differ enough, and a search in a half
/// full index takes 9 steps where it should take 1.6 (measured with blocks of neighbouring /16 to /24).
/// </summary>
internal static class PrefixHash
{
    // Peers choose the prefixes; the seed keeps them from choosing what collides.
    private static readonly ulong Seed = HashSeed.Next();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong bits)
    {
        var once = (bits ^ Seed) * 0x9e3779b97f4a7c15;
        return (once ^ once >> 32) * 0xbf58476d1ce4e5b9;
    }
}

[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly struct IPv4Key(uint bits, uint length) : IPrefixKey<IPv4Key>
{
    private readonly uint bits = bits;
    private readonly uint length = length;

    public static IpFamily Family => IpFamily.IPv4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static IPv4Key From(int length, ReadOnlySpan<byte> octets)
    {
        uint bits;
        if (octets.Length >= 4) bits = BinaryPrimitives.ReadUInt32BigEndian(octets);
        else
        {
            bits = 0;
            for (var i = 0; i < octets.Length; i++) bits |= (uint)octets[i] << (24 - 8 * i);
        }
        return new(length == 0 ? 0 : bits & uint.MaxValue << (32 - length), (uint)length);
    }

    public ulong Hash => PrefixHash.Mix((ulong)bits << 8 | length);
    public bool Same(in IPv4Key other) => bits == other.bits && length == other.length;
    public Prefix Prefix => new(Address.FromIPv4(bits), (int)length);

    public int WriteNlri(Span<byte> into)
    {
        var count = ((int)length + 7) >> 3;
        if (into.Length >= 5)
        {
            into[0] = (byte)length;
            BinaryPrimitives.WriteUInt32BigEndian(into[1..], bits);
            return 1 + count;
        }
        return Prefix.WriteNlri(into);
    }
}

[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly struct IPv6Key(ulong high, ulong low, uint length) : IPrefixKey<IPv6Key>
{
    private readonly ulong high = high, low = low;
    private readonly uint length = length;

    public static IpFamily Family => IpFamily.IPv6;

    public static IPv6Key From(int length, ReadOnlySpan<byte> octets)
    {
        ulong high = 0, low = 0;
        for (var i = 0; i < octets.Length && i < 8; i++) high |= (ulong)octets[i] << (56 - 8 * i);
        for (var i = 8; i < octets.Length && i < 16; i++) low |= (ulong)octets[i] << (120 - 8 * i);
        var bits = new Address(high, low, IpFamily.IPv6).Masked(length);
        return new(bits.High, bits.Low, (uint)length);
    }

    public ulong Hash => PrefixHash.Mix(PrefixHash.Mix(high ^ length) ^ low);
    public bool Same(in IPv6Key other) => high == other.high && low == other.low && length == other.length;
    public Prefix Prefix => new(new Address(high, low, IpFamily.IPv6), (int)length);

    public int WriteNlri(Span<byte> into)
    {
        if (into.Length < 17) return Prefix.WriteNlri(into);
        into[0] = (byte)length;
        BinaryPrimitives.WriteUInt64BigEndian(into[1..], high);
        BinaryPrimitives.WriteUInt64BigEndian(into[9..], low);
        return 1 + (((int)length + 7) >> 3);
    }
}

internal sealed class PrefixTable<TKey> : PrefixTable where TKey : unmanaged, IPrefixKey<TKey>
{
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Row
    {
        public TKey Key;
        public uint Value;
    }

    // A slot holds 6 bits of the hash over 26 bits of the handle, so that most strangers are passed without a look at their row.
    private const int HandleBits = 26;
    private const uint HandleMask = (1u << HandleBits) - 1;
    private const uint Empty = 0, Deleted = ~HandleMask; // handle 0 is never handed out; a deleted slot is tags over handle 0

    private readonly Slab<Row> rows = new();
    private readonly Slab<byte> used = new();
    private LongArray<uint> slots = new(1024);
    private int occupied; // slots that are not Empty
    private int shift = 64 - 10;

    public override int Count => rows.Count;
    public override uint End => rows.End;
    public override long Octets => rows.Octets + used.Octets + slots.Octets;
    public override bool IsUsed(uint handle) => used.Peek(handle) != 0;
    public override Prefix this[uint handle] => rows[handle].Key.Prefix;
    public override ref uint Value(uint handle) => ref rows[handle].Value;
    public override int WriteNlri(uint handle, Span<byte> into) => rows[handle].Key.WriteNlri(into);

    public override uint Find(int length, ReadOnlySpan<byte> octets)
    {
        var key = TKey.From(length, octets);
        return slots[Seek(key, key.Hash, out _)] & HandleMask;
    }

    public override ref uint FindOrAdd(int length, ReadOnlySpan<byte> octets, out uint handle)
    {
        var key = TKey.From(length, octets);
        var hash = key.Hash;
        var at = Seek(key, hash, out var reusable);
        handle = slots[at] & HandleMask;
        if (handle != 0) return ref rows[handle].Value;

        handle = rows.Add();
        if (handle > HandleMask) throw new InvalidOperationException($"a prefix table holds at most {HandleMask} prefixes");
        ref var row = ref rows[handle];
        row.Key = key;
        used.Column(handle) = 1;
        if (reusable >= 0) at = reusable;
        else occupied++;
        slots[at] = Tag(hash) | handle;
        if (occupied * 4 > slots.Length * 3) Rebuild();
        return ref row.Value;
    }

    public override void Remove(uint handle)
    {
        ref var row = ref rows[handle];
        var at = Seek(row.Key, row.Key.Hash, out _);
        slots[at] = Deleted;
        used[handle] = 0;
        rows.Remove(handle);
        if (rows.Count > 0) return;
        slots.Clear();
        occupied = 0;
    }

    public override void Prefetch(int length, ReadOnlySpan<byte> octets) => slots.Prefetch((long)(TKey.From(length, octets).Hash >> shift));

    public override void Prefetch(uint handle) => slots.Prefetch((long)(rows[handle].Key.Hash >> shift));

    public override void Dispose()
    {
        rows.Dispose();
        used.Dispose();
        slots.Dispose();
    }

    private static uint Tag(ulong hash) => (uint)(hash >> 32) << HandleBits;

    /// <summary>The slot of the key, or the empty slot that ends the search; <paramref name="reusable"/>: the first deleted one on the way,
    /// or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Seek(in TKey key, ulong hash, out int reusable)
    {
        reusable = -1;
        var tag = Tag(hash);
        var mask = slots.Length - 1;
        for (var at = (int)(hash >> shift); ; at = (at + 1) & mask)
        {
            var slot = slots[at];
            if (slot == Empty) return at;
            if (slot == Deleted) { if (reusable < 0) reusable = at; }
            else if ((slot & ~HandleMask) == tag && rows[slot & HandleMask].Key.Same(key)) return at;
        }
    }

    private void Rebuild()
    {
        const uint ahead = 32;
        var size = slots.Length;
        if (rows.Count * 2 > size) size *= 2;
        slots.Dispose();
        slots = new(size);
        shift = 64 - int.Log2(size);
        occupied = rows.Count;
        for (uint handle = 1; handle < rows.End; handle++)
        {
            if (handle + ahead < rows.End) slots.Prefetch((long)(rows[handle + ahead].Key.Hash >> shift));
            if (used[handle] == 0) continue;
            var hash = rows[handle].Key.Hash;
            var at = (int)(hash >> shift);
            while (slots[at] != Empty) at = (at + 1) & (size - 1);
            slots[at] = Tag(hash) | handle;
        }
    }
}
