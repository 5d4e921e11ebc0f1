using System.Buffers;
using System.Buffers.Binary;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>What a record of an image says.</summary>
public enum ImageRecordKind : byte
{
    /// <summary>Paths that one peer said with the same attributes at the same time (Adj-RIB-In, as received).</summary>
    Paths = 1,
    /// <summary>Those follow that some members of an export group were told, all of them the same.</summary>
    Holding = 2,
    /// <summary>Routes that they were told with the same attributes (Adj-RIB-Out); without attributes: with some that nobody knows
    /// any more.</summary>
    Told = 3,
    /// <summary>Nothing follows. An image without it is half of one.</summary>
    End = 4,
    /// <summary>There are no more paths of this age. Of each age there is one, in their order.</summary>
    AgeEnds = 5,
}

/// <summary>What a peer is still owed in a family.</summary>
[Flags]
public enum MemberDebts : byte
{
    None = 0,
    EndOfRib = 1,
    EndOfRefresh = 2,
    Refresh = 4,
}

/// <summary>How a path stands with its peer's sessions; an image has the older ones first.</summary>
public enum PathAge : byte
{
    /// <summary>Left by an earlier session, for long (RFC 9494).</summary>
    LongStale,
    /// <summary>Left by an earlier session (RFC 4724).</summary>
    Stale,
    /// <summary>Said before the refresh that has begun (RFC 7313).</summary>
    Unconfirmed,
    Present,
}

/// <summary>One record of an image; its spans live until the next one is read.</summary>
public ref struct ImageRecord
{
    public ImageRecordKind Kind;
    /// <summary>Who said the paths, or whose the told routes are.</summary>
    public ushort Peer;
    public PathAge Age;
    /// <summary>When the paths last changed, as <see cref="RouteFacts.Changed"/> counts: the clock is the machine's, not the
    /// process's.</summary>
    public uint Changed;
    /// <summary>Canonical octets.</summary>
    public ReadOnlySpan<byte> Attributes;
    public NlriRun Nlri;
    /// <summary>Of a <see cref="ImageRecordKind.Holding"/>: index (16) and debts (8) of each member.</summary>
    public ReadOnlySpan<byte> Members;

    /// <summary>As an inlet takes it.</summary>
    public readonly AnnouncedRun Announced =>
        new() { Nlri = Nlri, Attributes = Attributes, Summary = new AttributeView(Attributes).Summarize() };
}

/// <summary>
/// A shard's tables as octets, for the process that takes them over: one record after the other. Attributes are path attributes as on the
/// wire, ascending by type, the next hop of either family in NEXT_HOP; prefixes are NLRI. It is all that two releases must understand
/// of each
/// other's tables; what the decision, filters and doors make of it is worked out again.
/// </summary>
//  +----------+------------+-----------+---------+-----------+
//  | Kind (8) | Family (8) | Flags (8) | Age (8) | Peer (16) |
//  +----------+------------+-----------+---------+-----------+------------------------+
//  | Changed (32) | Length of the attributes (32) | Length of the NLRI or members (32) |
//  +--------------+-------------------------------+------------------------------------+
//  | Attributes | NLRI or members                                                      |
//  +------------+----------------------------------------------------------------------+
internal sealed class TableImageWriter(Stream into) : IDisposable
{
    public const int HeaderOctets = 18;
    /// <summary>RFC 7911 identifiers stand before the prefixes.</summary>
    public const byte AddPathFlag = 1;
    /// <summary>Prefixes of one record; longer runs are cut.</summary>
    public const int MostNlriOctets = 1 << 16;

    private byte[] waiting = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int used;

    public void Paths(ushort peer, PathAge age, uint changed, in NlriRun nlri, ReadOnlySpan<byte> attributes) =>
        Write(ImageRecordKind.Paths, nlri.Family, nlri.AddPath, peer, age, changed, attributes, nlri.Octets);

    public void AgeEnds(PathAge age) => Write(ImageRecordKind.AgeEnds, IpFamily.IPv4, false, 0, age, 0, [], []);

    public void Holding(IpFamily family, bool addPath, IEnumerable<(ushort Peer, MemberDebts Debts)> members)
    {
        var octets = new ArrayBufferWriter<byte>();
        foreach (var (peer, debts) in members)
        {
            var span = octets.GetSpan(3);
            BinaryPrimitives.WriteUInt16BigEndian(span, peer);
            span[2] = (byte)debts;
            octets.Advance(3);
        }
        Write(ImageRecordKind.Holding, family, addPath, 0, PathAge.Present, 0, [], octets.WrittenSpan);
    }

    public void Told(ushort source, in NlriRun nlri, ReadOnlySpan<byte> attributes) =>
        Write(ImageRecordKind.Told, nlri.Family, nlri.AddPath, source, PathAge.Present, 0, attributes, nlri.Octets);

    public void End()
    {
        Write(ImageRecordKind.End, IpFamily.IPv4, false, 0, PathAge.Present, 0, [], []);
        Flush();
        into.Flush();
    }

    private void Write(
        ImageRecordKind kind, IpFamily family, bool addPath, ushort peer, PathAge age, uint changed, ReadOnlySpan<byte> attributes,
        ReadOnlySpan<byte> rest)
    {
        var length = HeaderOctets + attributes.Length + rest.Length;
        if (used + length > waiting.Length) Flush();
        if (length > waiting.Length)
        {
            ArrayPool<byte>.Shared.Return(waiting);
            waiting = ArrayPool<byte>.Shared.Rent(length);
        }
        var room = waiting.AsSpan(used);
        (room[0], room[1], room[2], room[3]) = ((byte)kind, (byte)family, addPath ? AddPathFlag : (byte)0, (byte)age);
        BinaryPrimitives.WriteUInt16BigEndian(room[4..], peer);
        BinaryPrimitives.WriteUInt32BigEndian(room[6..], changed);
        BinaryPrimitives.WriteInt32BigEndian(room[10..], attributes.Length);
        BinaryPrimitives.WriteInt32BigEndian(room[14..], rest.Length);
        attributes.CopyTo(room[HeaderOctets..]);
        rest.CopyTo(room[(HeaderOctets + attributes.Length)..]);
        used += length;
    }

    private void Flush()
    {
        into.Write(waiting, 0, used);
        used = 0;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(waiting);
}

/// <summary>Reads an image and believes none of it before it has been looked at: it is another process's, perhaps of another
/// release.</summary>
public sealed class TableImageReader(Stream from) : IDisposable
{
    /// <summary>More than any record of ours has.</summary>
    private const int MostOctets = 1 << 20;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 15);
    private int start, end;

    /// <returns>False: the image has ended.</returns>
    /// <exception cref="InvalidDataException">It is damaged, or of a kind that this release does not know.</exception>
    public bool Next(out ImageRecord record)
    {
        record = default;
        var header = Octets(TableImageWriter.HeaderOctets);
        var (kind, family, flags, age) = ((ImageRecordKind)header[0], header[1], header[2], (PathAge)header[3]);
        record.Peer = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        record.Changed = BinaryPrimitives.ReadUInt32BigEndian(header[6..]);
        var attributes = BinaryPrimitives.ReadInt32BigEndian(header[10..]);
        var rest = BinaryPrimitives.ReadInt32BigEndian(header[14..]);
        if (kind is < ImageRecordKind.Paths or > ImageRecordKind.AgeEnds) throw Damaged($"expected a record's kind, got {(byte)kind}");
        if (family > (byte)IpFamily.IPv6 || age > PathAge.Present)
            throw Damaged($"expected a family and an age, got {family}, {(byte)age}");
        if (attributes is < 0 or > ushort.MaxValue || rest is < 0 or > MostOctets)
            throw Damaged($"expected lengths of attributes and prefixes, got {attributes} and {rest}");
        if (kind == ImageRecordKind.End) return false;
        var body = Octets(attributes + rest);
        (record.Kind, record.Age) = (kind, age);
        record.Attributes = body[..attributes];
        if (!AttributeView.IsWhole(record.Attributes)) throw Damaged("expected whole attributes");
        record.Nlri = new() { Family = (IpFamily)family, AddPath = (flags & TableImageWriter.AddPathFlag) != 0 };
        if (kind == ImageRecordKind.Holding)
        {
            record.Members = body[attributes..];
            if (record.Members.Length % 3 != 0) throw Damaged($"expected members of three octets each, got {rest} octets");
            return true;
        }
        record.Nlri = new() { Family = record.Nlri.Family, AddPath = record.Nlri.AddPath, Octets = body[attributes..] };
        if (!Nlri.IsSound(record.Nlri, out _)) throw Damaged("expected whole prefixes");
        return true;
    }

    private static InvalidDataException Damaged(string words) => new($"the image of the tables: {words}");

    private ReadOnlySpan<byte> Octets(int count)
    {
        if (end - start < count) Fill(count);
        start += count;
        return buffer.AsSpan(start - count, count);
    }

    private void Fill(int count)
    {
        if (buffer.Length - start < count)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        while (end - start < count)
        {
            // Room for what is there: a length that is damaged takes none.
            if (end == buffer.Length) Grow();
            var got = from.Read(buffer, end, buffer.Length - end);
            if (got == 0) throw Damaged("expected its end, got the end of the octets");
            end += got;
        }
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.AsSpan(0, end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
}
