// Reads what birdc prints about a route: a real BIRD's words, and ours, which claim to be the same.
using System.Globalization;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

internal static partial class BirdText
{
    public static async Task<string> AskAsync(string socket, string words) =>
        (await Shell.RunAsync("birdc", ["-s", socket, .. words.Split(' ')])).Output;

    public static Seen? Route(string output)
    {
        if (!output.Contains("BGP.origin", StringComparison.Ordinal)) return null;
        var seen = new Seen();
        // Long lists go on in lines that begin with two tabs.
        foreach (Match line in Attribute().Matches(output.Replace("\n\t\t", " ", StringComparison.Ordinal)))
            Read(seen, line.Groups[1].Value, line.Groups[2].Value.Trim());
        return seen;
    }

    private static void Read(Seen seen, string name, string value)
    {
        switch (name)
        {
            case "origin": seen[Seen.Origin] = value == "Incomplete" ? "incomplete" : value; break;
            case "as_path": seen[Seen.AsPath] = value; break;
            case "next_hop": seen[Seen.NextHop] = value.Split(' ')[0]; break;
            case "med": seen[Seen.Med] = value; break;
            case "local_pref": seen[Seen.LocalPref] = value; break;
            case "atomic_aggr": seen[Seen.AtomicAggregate] = "yes"; break;
            case "aggregator": seen[Seen.Aggregator] = $"{value.Split("AS")[1]} {value.Split(' ')[0]}"; break;
            case "community": seen[Seen.Communities] = Seen.Set(Tuples(value).Select(c => c.Replace(',', ':'))); break;
            case "large_community": seen[Seen.Large] = Seen.Set(Tuples(value).Select(c => c.Replace(',', ':'))); break;
            case "ext_community": seen.AddExtended(Tuples(value).Select(Extended)); break;
            case "originator_id": seen[Seen.OriginatorId] = value; break;
            case "cluster_list": seen[Seen.ClusterList] = value; break;
            case "otc": seen[Seen.Otc] = value; break;
            case "aigp": seen[Seen.Aigp] = value; break;
            case "19 [t]" or "19": seen[Seen.IPv6Extended] = value.Replace(" ", "", StringComparison.Ordinal); break;
            default: seen[Seen.Unknown] = Unknown(name, value); break;
        }
    }

    /// <summary>BIRD names what it does not know by its code in hexadecimal, and marks transitive ones; that the partial bit is set it does
    /// not say.</summary>
    private static string Unknown(string name, string value) =>
        $"{int.Parse(name.Split(' ')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture)}:"
            + $"{value.Replace(" ", "", StringComparison.Ordinal)} partial";

    private static IEnumerable<string> Tuples(string value) =>
        Tuple().Matches(value).Select(one => one.Groups[1].Value.Replace(" ", "", StringComparison.Ordinal));

    private static byte[] Extended(string tuple)
    {
        var parts = tuple.Split(',');
        return parts[0] switch
        {
            "rt" => [0, 2, .. Octets.U16(int.Parse(parts[1])), .. Octets.U32(uint.Parse(parts[2]))],
            "ro" => [0, 3, .. Octets.U16(int.Parse(parts[1])), .. Octets.U32(uint.Parse(parts[2]))],
            // "unknown 0x4004" is BIRD's word for a kind that it has no name for.
            _ when parts[0].StartsWith("unknown0x", StringComparison.Ordinal) =>
                [.. Octets.U16(Convert.ToInt32(parts[0]["unknown0x".Length..], 16)), .. Octets.U16(int.Parse(parts[1])),
                    .. Octets.U32(uint.Parse(parts[2]))],
            _ => [.. Octets.U32(Convert.ToUInt32(parts[1], 16)), .. Octets.U32(Convert.ToUInt32(parts[2], 16))],
        };
    }

    [GeneratedRegex(@"^\tBGP\.([^:]+):(.*)$", RegexOptions.Multiline)]
    private static partial Regex Attribute();

    [GeneratedRegex(@"\(([^)]*)\)")]
    private static partial Regex Tuple();
}
