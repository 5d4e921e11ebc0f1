using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>
/// The attributes of a route as <c>show route all</c> lists them. BIRD makes each line in a buffer of 500 octets: lists of
/// communities go on in a new line, other long values are cut with three dots. The limits here are where BIRD 2.0.12 was seen to do so.
/// </summary>
internal static class AttributeLines
{
    private const int Buffer = 500;
    private const int CommunityLimit = 478, ExtendedLimit = 438, LargeLimit = 437, ClusterLimit = 478;
    private const int PathCut = 488;
    private const int OctetsShown = 160;

    public static List<string> Of(ReadOnlySpan<byte> canonical)
    {
        List<string> lines = [];
        var walk = new CanonicalWalk(canonical);
        while (walk.MoveNext()) Add(walk.Type, walk.Flags, walk.Value, lines);
        return lines;
    }

    private static void Add(AttributeType type, AttributeFlags flags, ReadOnlySpan<byte> value, List<string> lines)
    {
        switch (type)
        {
            case AttributeType.Communities: Wrap("community", Items(value, 4, Plain), CommunityLimit, lines); break;
            case AttributeType.ExtendedCommunities: Wrap("ext_community", Items(value, 8, Extended), ExtendedLimit, lines); break;
            case AttributeType.LargeCommunities: Wrap("large_community", Items(value, 12, Large), LargeLimit, lines); break;
            default: lines.Add("\t" + One(type, flags, value)); break;
        }
    }

    private static string One(AttributeType type, AttributeFlags flags, ReadOnlySpan<byte> value) => type switch
    {
        AttributeType.Origin => $"BGP.origin: {OriginWord((Origin)value[0])}",
        AttributeType.AsPath => Cut($"BGP.as_path: {PathSegment.Text(PathSegment.Read(value))}"),
        AttributeType.NextHop => $"BGP.next_hop: {NextHop(value)}",
        AttributeType.MultiExitDisc => $"BGP.med: {Number(value)}",
        AttributeType.LocalPref => $"BGP.local_pref: {Number(value)}",
        AttributeType.AtomicAggregate => "BGP.atomic_aggr: ",
        AttributeType.Aggregator => $"BGP.aggregator: {Quad(value[4..])} AS{Number(value)}",
        AttributeType.OriginatorId => $"BGP.originator_id: {Quad(value)}",
        AttributeType.ClusterList => Clusters(Items(value, 4, Quad)),
        AttributeType.Aigp when value.Length >= 11 => $"BGP.aigp: {BinaryPrimitives.ReadUInt64BigEndian(value[3..])}",
        AttributeType.OnlyToCustomer => $"BGP.otc: {Number(value)}",
        _ => Unknown(type, flags, value),
    };

    private static string OriginWord(Origin origin) => origin switch
    {
        Origin.Igp => "IGP",
        Origin.Egp => "EGP",
        _ => "Incomplete",
    };

    private static string Plain(ReadOnlySpan<byte> item) => CommunityText.Of(Number(item));

    private static string Extended(ReadOnlySpan<byte> item) => CommunityText.OfExtended(BinaryPrimitives.ReadUInt64BigEndian(item));

    private static uint Number(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt32BigEndian(value);

    private static string Quad(ReadOnlySpan<byte> value) => Address.FromOctets(value[..4]).ToString();

    private static string Large(ReadOnlySpan<byte> item) =>
        CommunityText.Of(new LargeCommunity(Number(item), Number(item[4..]), Number(item[8..])));

    private static string NextHop(ReadOnlySpan<byte> value) =>
        value.Length == 32 ? $"{Address.FromOctets(value[..16])} {Address.FromOctets(value[16..])}" : Address.FromOctets(value).ToString();

    private delegate string ItemText(ReadOnlySpan<byte> item);

    private static List<string> Items(ReadOnlySpan<byte> value, int size, ItemText text)
    {
        List<string> items = new(value.Length / size);
        for (var at = 0; at + size <= value.Length; at += size) items.Add(text(value.Slice(at, size)));
        return items;
    }

    private static string Cut(string line) => line.Length < Buffer ? line : line[..PathCut] + "...";

    /// <summary>A line ends after the item that reaches the limit; the following ones are indented once more.</summary>
    private static void Wrap(string name, List<string> items, int limit, List<string> lines)
    {
        var line = new StringBuilder($"BGP.{name}: ");
        var indent = "\t";
        foreach (var item in items)
        {
            if (line.Length >= limit) Break();
            line.Append(item).Append(' ');
        }
        Break();

        void Break()
        {
            lines.Add(indent + (items.Count > 0 ? line.ToString(0, line.Length - 1) : line.ToString()));
            line.Clear();
            indent = "\t\t";
        }
    }

    private static string Clusters(List<string> ids)
    {
        var line = new StringBuilder("BGP.cluster_list: ");
        foreach (var id in ids)
        {
            if (line.Length >= ClusterLimit) return line.Append("...").ToString();
            line.Append(id).Append(' ');
        }
        return line.ToString(0, line.Length - 1);
    }

    /// <summary>By number, in hexadecimal; <c>[t]</c> where it is handed on.</summary>
    private static string Unknown(AttributeType type, AttributeFlags flags, ReadOnlySpan<byte> value)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"BGP.{(byte)type:x2}{(flags.HasFlag(AttributeFlags.Transitive) ? " [t]" : "")}:");
        foreach (var octet in value[..Math.Min(value.Length, OctetsShown)]) line.Append(CultureInfo.InvariantCulture, $" {octet:x2}");
        if (value.Length > OctetsShown) line.Append(" ...");
        return line.ToString();
    }
}
