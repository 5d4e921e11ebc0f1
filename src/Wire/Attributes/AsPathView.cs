using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>One segment of an AS_PATH; its numbers are network-order octets.</summary>
public readonly ref struct AsPathSegment(SegmentType type, ReadOnlySpan<byte> octets)
{
    public SegmentType Type { get; } = type;
    internal ReadOnlySpan<byte> Octets { get; } = octets;
    public int Count => Octets.Length / 4;
    public Asn this[int index] => new(BinaryPrimitives.ReadUInt32BigEndian(Octets[(4 * index)..]));
}

/// <summary>An AS_PATH value with four-octet numbers. Octets that are no whole segment end it early.</summary>
public readonly ref struct AsPathView(ReadOnlySpan<byte> value)
{
    private readonly ReadOnlySpan<byte> octets = value;

    public Enumerator GetEnumerator() => new(octets);

    /// <summary>As the decision counts it: a set is 1, confederation segments are 0.</summary>
    public int Length
    {
        get
        {
            var length = 0;
            foreach (var segment in this) length += AsPathCodec.WeightOf(segment.Type, segment.Count);
            return length;
        }
    }

    /// <summary>How often the number occurs, in segments of any kind (RFC 4271 section 9.1.2: a loop is one occurrence of our
    /// own).</summary>
    public int CountOf(Asn asn)
    {
        var count = 0;
        foreach (var segment in this)
            for (var i = 0; i < segment.Count; i++)
                if (segment[i] == asn) count++;
        return count;
    }

    /// <summary>Null for an empty path, or one that starts with anything but a sequence.</summary>
    public Asn? First
    {
        get
        {
            foreach (var segment in this) return segment.Type == SegmentType.Sequence ? segment[0] : null;
            return null;
        }
    }

    /// <summary>Null for an empty path, or one that ends with anything but a sequence.</summary>
    public Asn? Last
    {
        get
        {
            Asn? last = null;
            foreach (var segment in this) last = segment.Type == SegmentType.Sequence ? segment[segment.Count - 1] : null;
            return last;
        }
    }

    /// <summary>As BIRD writes it: <c>65001 65002 {64512 64513}</c>, confederation segments in ( ) and [ ].</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var segment in this)
        {
            if (text.Length > 0) text.Append(' ');
            var (open, close) = BracketsOf(segment.Type);
            text.Append(open);
            for (var i = 0; i < segment.Count; i++)
                text.Append(i == 0 ? "" : " ").Append(CultureInfo.InvariantCulture, $"{segment[i].Value}");
            text.Append(close);
        }
        return text.ToString();
    }

    private static (string Open, string Close) BracketsOf(SegmentType type) => type switch
    {
        SegmentType.Set => ("{", "}"),
        SegmentType.ConfederationSequence => ("(", ")"),
        SegmentType.ConfederationSet => ("[", "]"),
        _ => ("", ""),
    };

    public ref struct Enumerator(ReadOnlySpan<byte> octets)
    {
        private WireReader reader = new(octets);

        public AsPathSegment Current { get; private set; }

        public bool MoveNext()
        {
            var type = (SegmentType)reader.U8();
            var numbers = reader.Take(4 * reader.U8());
            Current = new(type, numbers);
            return !numbers.IsEmpty;
        }
    }
}
