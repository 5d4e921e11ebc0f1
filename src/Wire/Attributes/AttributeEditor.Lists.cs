using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>What the editor does with attributes that are lists: paths, clusters, communities. A list that has become empty goes.</summary>
public sealed partial class AttributeEditor
{
    private const int MaxCount = 255;

    public void PrependClusterId(RouterId id)
    {
        var length = ValueOf(AttributeType.ClusterList).Length;
        var room = Room(4 + length);
        BinaryPrimitives.WriteUInt32BigEndian(room, id.Value);
        ValueOf(AttributeType.ClusterList).CopyTo(room[4..]);
        Point(AttributeType.ClusterList, used - room.Length, room.Length);
    }

    /// <summary>Prepends to the path's first sequence, opening a new segment where 255 are reached (RFC 4271 5.1.2).</summary>
    public void Prepend(Asn asn, int count = 1)
    {
        while (count > 0)
        {
            var path = ValueOf(AttributeType.AsPath);
            var joins = path.Length > 0 && path[0] == (byte)SegmentType.Sequence && path[1] < MaxCount;
            var now = Math.Min(count, joins ? MaxCount - path[1] : MaxCount);
            PrependSome(asn, now, joins);
            count -= now;
        }
    }

    public void AddCommunity(Community community)
    {
        Span<byte> octets = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, community.Value);
        Add(AttributeType.Communities, octets);
    }

    public void AddLargeCommunity(LargeCommunity community)
    {
        Span<byte> octets = stackalloc byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(octets, community.Global);
        BinaryPrimitives.WriteUInt32BigEndian(octets[4..], community.Data1);
        BinaryPrimitives.WriteUInt32BigEndian(octets[8..], community.Data2);
        Add(AttributeType.LargeCommunities, octets);
    }

    public void AddExtendedCommunity(ExtendedCommunity community)
    {
        Span<byte> octets = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(octets, community.Value);
        Add(AttributeType.ExtendedCommunities, octets);
    }

    public void RemoveCommunities(Func<Community, bool> which) =>
        RemoveItems(AttributeType.Communities, 4, which, static (which, item) => which(new(BinaryPrimitives.ReadUInt32BigEndian(item))));

    public void RemoveLargeCommunities(Func<LargeCommunity, bool> which) =>
        RemoveItems(AttributeType.LargeCommunities, 12, which, static (which, item) =>
        {
            var reader = new WireReader(item);
            return which(new(reader.U32(), reader.U32(), reader.U32()));
        });

    public void RemoveExtendedCommunities(Func<ExtendedCommunity, bool> which) =>
        RemoveItems(AttributeType.ExtendedCommunities, 8, which,
            static (which, item) => which(new(BinaryPrimitives.ReadUInt64BigEndian(item))));

    private void PrependSome(Asn asn, int number, bool joins)
    {
        var skipped = joins ? 2 : 0;
        var before = ValueOf(AttributeType.AsPath).Length - skipped;
        var room = Room(2 + 4 * number + before);
        var path = ValueOf(AttributeType.AsPath);
        room[0] = (byte)SegmentType.Sequence;
        room[1] = (byte)(joins ? path[1] + number : number);
        for (var i = 0; i < number; i++) BinaryPrimitives.WriteUInt32BigEndian(room[(2 + 4 * i)..], asn.Value);
        path[skipped..].CopyTo(room[(2 + 4 * number)..]);
        Point(AttributeType.AsPath, used - room.Length, room.Length);
    }

    /// <summary>At the end, unless it is there already.</summary>
    private void Add(AttributeType type, ReadOnlySpan<byte> item)
    {
        var list = ValueOf(type);
        for (var at = 0; at < list.Length; at += item.Length)
            if (list.Slice(at, item.Length).SequenceEqual(item)) return;
        var length = list.Length;
        var room = Room(length + item.Length);
        ValueOf(type).CopyTo(room);
        item.CopyTo(room[length..]);
        Point(type, used - room.Length, room.Length);
    }

    private delegate bool Matches<in T>(T which, ReadOnlySpan<byte> item);

    private void RemoveItems<T>(AttributeType type, int size, T which, Matches<T> matches)
    {
        var length = ValueOf(type).Length;
        if (length == 0) return;
        var room = Room(length);
        var start = used - length;
        var list = ValueOf(type);
        var kept = 0;
        for (var at = 0; at < length; at += size)
        {
            var item = list.Slice(at, size);
            if (matches(which, item)) continue;
            item.CopyTo(room[kept..]);
            kept += size;
        }
        if (kept == length) used = start;
        else if (kept == 0) Remove(type);
        else Point(type, start, kept);
    }
}
