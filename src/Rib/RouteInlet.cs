using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>What a record of a batch says.</summary>
internal enum RecordKind : byte
{
    Announce, Withdraw, EndOfRib, BeginOfRefresh, EndOfRefresh,
    /// <summary>Prefixes were passed over: only how many they were.</summary>
    Martians,
    /// <summary>As an announcement, but for when: another process was told so then.</summary>
    Restore,
}

/// <summary>
/// Routes of one peer on their way to a shard: records of attributes and prefixes, one behind the other in one array.
/// </summary>
/// <param name="room">Octets that it will likely have.</param>
internal sealed class RouteBatch(ushort peer, int room)
{
    // kind (1) family (1) add-path (1) spare (1) attribute length (4) NLRI length (4) interface (4) hash of the attributes (4), then
    // summary and attribute octets (announcements), then NLRI octets
    public const int HeaderLength = 20;
    private byte[] octets = ArrayPool<byte>.Shared.Rent(room);

    public ushort Peer { get; } = peer;
    public int Length { get; private set; }
    public ReadOnlySpan<byte> Octets => octets.AsSpan(0, Length);

    public Span<byte> Extend(int by)
    {
        if (Length + by > octets.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(octets.Length * 2, Length + by));
            Octets.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(octets);
            octets = larger;
        }
        Length += by;
        return octets.AsSpan(Length - by, by);
    }

    public void Return()
    {
        ArrayPool<byte>.Shared.Return(octets);
        octets = [];
    }
}

/// <summary>One record of a batch, read back.</summary>
internal ref struct RouteRecord
{
    public RecordKind Kind;
    public IpFamily Family;
    public bool AddPath;
    /// <summary>Interface that an own route leads to; 0: none is said. Of <see cref="RecordKind.Martians"/>: how many; of
    /// <see cref="RecordKind.Restore"/>: when the paths last changed.</summary>
    public int Interface;
    /// <summary>Of the attributes (<see cref="AttributeInterner.HashOf"/>).</summary>
    public uint Hash;
    public AttributeSummary Summary;
    public ReadOnlySpan<byte> Attributes, Nlri;

    public static RouteRecord Read(ref ReadOnlySpan<byte> octets)
    {
        var record = new RouteRecord { Kind = (RecordKind)octets[0], Family = (IpFamily)octets[1], AddPath = octets[2] != 0 };
        var attributes = BinaryPrimitives.ReadInt32LittleEndian(octets[4..]);
        var nlri = BinaryPrimitives.ReadInt32LittleEndian(octets[8..]);
        record.Interface = BinaryPrimitives.ReadInt32LittleEndian(octets[12..]);
        record.Hash = BinaryPrimitives.ReadUInt32LittleEndian(octets[16..]);
        octets = octets[RouteBatch.HeaderLength..];
        if (attributes > 0)
        {
            record.Summary = MemoryMarshal.Read<AttributeSummary>(octets);
            octets = octets[Unsafe.SizeOf<AttributeSummary>()..];
            record.Attributes = octets[..attributes];
        }
        record.Nlri = octets.Slice(attributes, nlri);
        octets = octets[(attributes + nlri)..];
        return record;
    }
}

/// <summary>
/// Where one source's routes enter the RIB. It belongs to that source's reader, which parses on its own core; the shards'
/// bounded inboxes are the only threshold, and they push back through <see cref="FlushAsync"/>. A few routes may have been dealt
/// with, and their news sent, when that returns.
/// </summary>
public sealed class RouteInlet
{
    private const int LeastRoom = 1 << 10;

    private readonly RibShard[] shards;
    private readonly RouteBatch?[] open;
    private readonly List<(int Shard, RouteBatch Batch)> ready = [];
    private readonly int batchLength;
    private readonly NlriSpread spread;
    /// <summary>As much as the last batch had: hundreds of peers that say little may have a batch each at once.</summary>
    private int room = LeastRoom;

    internal RouteInlet(ushort peer, RibShard[] shards, int batchLength = 1 << 15)
    {
        Peer = peer;
        this.shards = shards;
        this.batchLength = batchLength;
        open = new RouteBatch?[shards.Length];
        spread = new(shards.Length);
    }

    public ushort Peer { get; }

    /// <summary>Takes an UPDATE's routes; copies what it keeps.</summary>
    public void Receive(ref DecodedUpdate update)
    {
        Withdraw(update.Withdrawn);
        Withdraw(update.MpWithdrawn);
        Withdraw(update.Damaged);
        Withdraw(update.MpDamaged);
        Announce(update.Announced);
        Announce(update.MpAnnounced);
        if (update.EndOfRib is { } family) Mark(RecordKind.EndOfRib, family);
        if (update.Martians.IPv4 > 0) Header(Batch(0), RecordKind.Martians, IpFamily.IPv4, false, 0, 0, update.Martians.IPv4, 0);
        if (update.Martians.IPv6 > 0) Header(Batch(0), RecordKind.Martians, IpFamily.IPv6, false, 0, 0, update.Martians.IPv6, 0);
    }

    /// <summary>RFC 7313 section 4: the peer's table comes once more; what is not in it when it ends is gone.</summary>
    public void BeginRefresh(IpFamily family) => Mark(RecordKind.BeginOfRefresh, family);
    public void EndRefresh(IpFamily family) => Mark(RecordKind.EndOfRefresh, family);

    private void Mark(RecordKind kind, IpFamily family)
    {
        for (var shard = 0; shard < shards.Length; shard++) Header(Batch(shard), kind, family, false, 0, 0, 0, 0);
    }

    public void Withdraw(in NlriRun run)
    {
        if (run.Octets.IsEmpty) return;
        if (shards.Length == 1)
        {
            Append(0, RecordKind.Withdraw, run, run.Octets, default, default, 0, 0);
            return;
        }
        foreach (var shard in spread.Spread(run)) Append(shard, RecordKind.Withdraw, run, spread.Of(shard), default, default, 0, 0);
    }

    /// <param name="onInterface">Where an own route leads, for filters; 0: nowhere in particular.</param>
    public void Announce(in AnnouncedRun run, int onInterface = 0) => Announce(RecordKind.Announce, run, onInterface);

    /// <summary>Paths that an earlier process was told, and took over or had so long.</summary>
    public void Restore(in AnnouncedRun run, uint changed) => Announce(RecordKind.Restore, run, (int)changed);

    private void Announce(RecordKind kind, in AnnouncedRun run, int onInterface)
    {
        if (run.Nlri.Octets.IsEmpty) return;
        var hash = AttributeInterner.HashOf(run.Attributes);
        if (shards.Length == 1)
        {
            Append(0, kind, run.Nlri, run.Nlri.Octets, run.Attributes, run.Summary, onInterface, hash);
            return;
        }
        foreach (var shard in spread.Spread(run.Nlri))
            Append(shard, kind, run.Nlri, spread.Of(shard), run.Attributes, run.Summary, onInterface, hash);
    }

    /// <summary>Hands over what was taken; waits while a shard has more than enough to do.</summary>
    public ValueTask FlushAsync()
    {
        for (var shard = 0; shard < open.Length; shard++) Close(shard);
        return ready.Count == 0 ? default : SendAsync();
    }

    private async ValueTask SendAsync()
    {
        foreach (var (shard, batch) in ready) await shards[shard].EnqueueAsync(batch).ConfigureAwait(false);
        ready.Clear();
    }

    private void Append(
        int shard, RecordKind kind, in NlriRun run, ReadOnlySpan<byte> nlri, ReadOnlySpan<byte> attributes, in AttributeSummary summary,
        int onInterface, uint hash)
    {
        var batch = Batch(shard);
        Header(batch, kind, run.Family, run.AddPath, attributes.Length, nlri.Length, onInterface, hash);
        if (!attributes.IsEmpty)
        {
            MemoryMarshal.Write(batch.Extend(Unsafe.SizeOf<AttributeSummary>()), summary);
            attributes.CopyTo(batch.Extend(attributes.Length));
        }
        nlri.CopyTo(batch.Extend(nlri.Length));
        if (batch.Length >= batchLength) Close(shard);
    }

    private static void Header(
        RouteBatch batch, RecordKind kind, IpFamily family, bool addPath, int attributes, int nlri, int onInterface, uint hash)
    {
        var header = batch.Extend(RouteBatch.HeaderLength);
        (header[0], header[1], header[2], header[3]) = ((byte)kind, (byte)family, (byte)(addPath ? 1 : 0), 0);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], attributes);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], nlri);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], onInterface);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], hash);
    }

    private RouteBatch Batch(int shard) => open[shard] ??= new(Peer, room);

    private void Close(int shard)
    {
        if (open[shard] is not { Length: > 0 } batch) return;
        ready.Add((shard, batch));
        room = Math.Clamp(batch.Length, LeastRoom, 2 * batchLength);
        open[shard] = null;
    }
}

/// <summary>Sorts prefixes by the shard that owns them; holds scratch space.</summary>
internal sealed class NlriSpread(int shards)
{
    private readonly ArrayBufferWriter<byte>[] parts = [.. Enumerable.Range(0, shards).Select(_ => new ArrayBufferWriter<byte>())];
    private readonly List<int> touched = [];

    /// <summary>A shard's part of the last run.</summary>
    public ReadOnlySpan<byte> Of(int shard) => parts[shard].WrittenSpan;

    /// <returns>The shards that have a part.</returns>
    public List<int> Spread(in NlriRun run)
    {
        foreach (var shard in touched) parts[shard].ResetWrittenCount();
        touched.Clear();
        var idLength = run.AddPath ? 4 : 0;
        for (var rest = run.Octets; !rest.IsEmpty;)
        {
            var length = rest[idLength];
            var octets = (length + 7) / 8;
            var shard = Shards.Of(length, rest.Slice(idLength + 1, octets), shards);
            if (parts[shard].WrittenCount == 0) touched.Add(shard);
            parts[shard].Write(rest[..(idLength + 1 + octets)]);
            rest = rest[(idLength + 1 + octets)..];
        }
        return touched;
    }
}

/// <summary>Which shard owns a prefix.</summary>
internal static class Shards
{
    public static int Of(int length, ReadOnlySpan<byte> octets, int count)
    {
        if (count == 1) return 0;
        var hash = (ulong)length * 0x9e3779b97f4a7c15;
        for (var i = 0; i < octets.Length; i++)
        {
            // Host bits are no part of the prefix.
            var octet = 8 * (i + 1) <= length ? octets[i] : octets[i] & 0xff << (8 * (i + 1) - length);
            hash = (hash ^ (byte)octet) * 0x100000001b3;
        }
        return (int)((hash >> 32) * (ulong)count >> 32);
    }
}
