using System.Buffers.Binary;
using System.Text;

namespace Calico.Bgp.Control.Bird.Rendering;

internal enum PathSegmentType : byte { Set = 1, Sequence = 2, ConfedSequence = 3, ConfedSet = 4 }

/// <summary>A segment of an AS_PATH value with four-octet numbers (RFC 4271 section 4.3, RFC 5065).</summary>
internal readonly record struct PathSegment(PathSegmentType Type, uint[] Numbers)
{
    public bool IsSet => Type is PathSegmentType.Set or PathSegmentType.ConfedSet;

    // | type (8) | count (8) | count times an AS number (32) | …
    public static List<PathSegment> Read(ReadOnlySpan<byte> value)
    {
        List<PathSegment> segments = [];
        while (value.Length >= 2)
        {
            var numbers = new uint[value[1]];
            for (var i = 0; i < numbers.Length; i++) numbers[i] = BinaryPrimitives.ReadUInt32BigEndian(value[(2 + 4 * i)..]);
            segments.Add(new((PathSegmentType)value[0], numbers));
            value = value[(2 + 4 * numbers.Length)..];
        }
        return segments;
    }

    /// <summary><c>65001 65002 {64512 64513}</c>; confederation sequences in ( ), their sets in ({ }).</summary>
    public static string Text(IEnumerable<PathSegment> segments)
    {
        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            if (text.Length > 0) text.Append(' ');
            var (open, close) = Brackets(segment.Type);
            text.Append(open).AppendJoin(' ', segment.Numbers).Append(close);
        }
        return text.ToString();
    }

    private static (string Open, string Close) Brackets(PathSegmentType type) => type switch
    {
        PathSegmentType.Set => ("{", "}"),
        PathSegmentType.ConfedSequence => ("(", ")"),
        PathSegmentType.ConfedSet => ("({", "})"),
        _ => ("", ""),
    };
}
