using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>One attribute of a canonical set.</summary>
public readonly ref struct CanonicalAttribute(AttributeType type, AttributeFlags flags, ReadOnlySpan<byte> value, int at, int end)
{
    public AttributeType Type { get; } = type;
    /// <summary>Without <see cref="AttributeFlags.ExtendedLength"/>, which only says how the length is written.</summary>
    public AttributeFlags Flags { get; } = flags;
    public ReadOnlySpan<byte> Value { get; } = value;
    /// <summary>Where it stands in the set's octets: header and value are [At, End).</summary>
    internal int At { get; } = at;
    internal int End { get; } = end;
}

/// <summary>Reads canonical octets: what filters match and what <c>show route all</c> prints. Allocates only where it returns lists or
/// text.</summary>
public readonly ref struct AttributeView(ReadOnlySpan<byte> canonical)
{
    private readonly ReadOnlySpan<byte> octets = canonical;

    /// <summary>Every attribute, ascending by type; unknown ones too.</summary>
    public Enumerator GetEnumerator() => new(octets);

    /// <summary>The attribute's value, or false where it is absent.</summary>
    public bool TryGet(AttributeType type, out ReadOnlySpan<byte> value)
    {
        value = default;
        foreach (var attribute in this)
        {
            if (attribute.Type < type) continue;
            value = attribute.Value;
            return attribute.Type == type;
        }
        return false;
    }

    public AsPathView AsPath => new(ValueOf(AttributeType.AsPath));

    public bool HasCommunity(Community community)
    {
        var reader = new WireReader(ValueOf(AttributeType.Communities));
        while (reader.Left > 0)
            if (reader.U32() == community.Value) return true;
        return false;
    }

    public IReadOnlyList<Community> Communities
    {
        get
        {
            var reader = new WireReader(ValueOf(AttributeType.Communities));
            var list = new Community[reader.Left / 4];
            for (var i = 0; i < list.Length; i++) list[i] = new(reader.U32());
            return list;
        }
    }

    public IReadOnlyList<LargeCommunity> LargeCommunities
    {
        get
        {
            var reader = new WireReader(ValueOf(AttributeType.LargeCommunities));
            var list = new LargeCommunity[reader.Left / 12];
            for (var i = 0; i < list.Length; i++) list[i] = new(reader.U32(), reader.U32(), reader.U32());
            return list;
        }
    }

    public IReadOnlyList<ExtendedCommunity> ExtendedCommunities
    {
        get
        {
            var reader = new WireReader(ValueOf(AttributeType.ExtendedCommunities));
            var list = new ExtendedCommunity[reader.Left / 8];
            for (var i = 0; i < list.Length; i++) list[i] = new(reader.U64());
            return list;
        }
    }

    /// <summary>Octets in a second (draft-ietf-idr-link-bandwidth); 0: it says nothing of it.</summary>
    public float LinkBandwidth => ExtendedCommunitiesCodec.LinkBandwidth(ValueOf(AttributeType.ExtendedCommunities));

    public IReadOnlyList<RouterId> ClusterList
    {
        get
        {
            var reader = new WireReader(ValueOf(AttributeType.ClusterList));
            var list = new RouterId[reader.Left / 4];
            for (var i = 0; i < list.Length; i++) list[i] = new(reader.U32());
            return list;
        }
    }

    /// <summary>RFC 4456 section 8: our own cluster in the list is a loop.</summary>
    public bool HasCluster(RouterId id)
    {
        var reader = new WireReader(ValueOf(AttributeType.ClusterList));
        while (reader.Left > 0)
            if (reader.U32() == id.Value) return true;
        return false;
    }

    public (Asn As, RouterId Id)? Aggregator
    {
        get
        {
            if (!TryGet(AttributeType.Aggregator, out var value)) return null;
            var reader = new WireReader(value);
            return (new(reader.U32()), new(reader.U32()));
        }
    }

    public uint? Otc => TryGet(AttributeType.OnlyToCustomer, out var value) ? BinaryPrimitives.ReadUInt32BigEndian(value) : null;

    public ulong? Aigp => TryGet(AttributeType.Aigp, out var value) && AigpCodec.TryMetric(value, out var metric) ? metric : null;

    /// <summary>The global next hop and, of 32 octets, the link-local one.</summary>
    public (Address? Global, Address? LinkLocal) NextHop
    {
        get
        {
            var value = ValueOf(AttributeType.NextHop);
            return value.Length switch
            {
                4 or 16 => (Address.FromOctets(value), null),
                32 => (Address.FromOctets(value[..16]), Address.FromOctets(value[16..])),
                _ => (null, null),
            };
        }
    }

    /// <summary>Whether the octets are attributes one behind the other, ascending by type: of those that come from elsewhere.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> octets)
    {
        for (var (at, last) = (0, -1); at < octets.Length;)
        {
            if (octets.Length - at < 3 || octets[at + 1] <= last) return false;
            var isExtended = ((AttributeFlags)octets[at] & AttributeFlags.ExtendedLength) != 0;
            if (isExtended && octets.Length - at < 4) return false;
            last = octets[at + 1];
            at += isExtended ? 4 + BinaryPrimitives.ReadUInt16BigEndian(octets[(at + 2)..]) : 3 + octets[at + 2];
            if (at > octets.Length) return false;
        }
        return true;
    }

    /// <summary>Calculates the summary that belongs to these octets.</summary>
    public AttributeSummary Summarize()
    {
        var summary = default(AttributeSummary);
        foreach (var attribute in this)
        {
            var value = new WireReader(attribute.Value);
            if (attribute.Type == AttributeType.NextHop) NextHopCodec.Note(attribute.Value, ref summary);
            else if (AttributeTable.Of((byte)attribute.Type) is { } codec) codec.Decode(ref value, ref summary);
            else summary.Marks |= AttributeMarks.HasUnknown;
        }
        return summary;
    }

    private ReadOnlySpan<byte> ValueOf(AttributeType type) => TryGet(type, out var value) ? value : default;

    public ref struct Enumerator(ReadOnlySpan<byte> octets)
    {
        private readonly ReadOnlySpan<byte> octets = octets;
        private int at;

        public CanonicalAttribute Current { get; private set; }

        public bool MoveNext()
        {
            if (octets.Length - at < 3) return false;
            var rest = octets[at..];
            var flags = (AttributeFlags)rest[0];
            var extended = (flags & AttributeFlags.ExtendedLength) != 0;
            var header = extended ? 4 : 3;
            var length = extended ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : rest[2];
            var end = at + header + length;
            Current = new((AttributeType)rest[1], flags & ~AttributeFlags.ExtendedLength, rest.Slice(header, length), at, end);
            at = end;
            return true;
        }
    }
}
