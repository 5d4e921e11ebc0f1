// Reads UPDATE messages of four-octet sessions into Seen routes: an independent decoder, written for checks and not for speed.
using System.Net;

namespace Calico.Bgp.Conformance.Wire;

/// <param name="Attributes">Flags and value by type code, as they came.</param>
internal sealed record UpdateSeen(IReadOnlyList<string> Withdrawn, IReadOnlyList<string> Announced, SortedDictionary<byte,
    (byte Flags, byte[] Value)> Attributes)
{
    public Seen Route { get; } = UpdateReader.Describe(Attributes);
}

internal static class UpdateReader
{
    public static UpdateSeen Read(byte[] message)
    {
        var body = message.AsSpan(19);
        var withdrawnLength = body[0] << 8 | body[1];
        var withdrawn = Prefixes(body.Slice(2, withdrawnLength), 4);
        body = body[(2 + withdrawnLength)..];
        var attributesLength = body[0] << 8 | body[1];
        var attributes = Attributes(body.Slice(2, attributesLength));
        var announced = Prefixes(body[(2 + attributesLength)..], 4);
        if (attributes.TryGetValue(14, out var reach)) announced.AddRange(
            Prefixes(reach.Value.AsSpan(5 + reach.Value[3]), reach.Value[1] == 2 ? 16 : 4));
        if (attributes.TryGetValue(15, out var unreach)) withdrawn.AddRange(
            Prefixes(unreach.Value.AsSpan(3), unreach.Value[1] == 2 ? 16 : 4));
        return new(withdrawn, announced, attributes);
    }

    private static SortedDictionary<byte, (byte Flags, byte[] Value)> Attributes(ReadOnlySpan<byte> octets)
    {
        var found = new SortedDictionary<byte, (byte Flags, byte[] Value)>();
        while (octets.Length > 0)
        {
            var extended = (octets[0] & 0x10) != 0;
            var (start, length) = extended ? (4, octets[2] << 8 | octets[3]) : (3, octets[2]);
            found[octets[1]] = (octets[0], octets.Slice(start, length).ToArray());
            octets = octets[(start + length)..];
        }
        return found;
    }

    private static List<string> Prefixes(ReadOnlySpan<byte> octets, int size)
    {
        var found = new List<string>();
        while (octets.Length > 0)
        {
            var address = new byte[size];
            var length = (octets[0] + 7) / 8;
            octets.Slice(1, length).CopyTo(address);
            found.Add($"{new IPAddress(address)}/{octets[0]}");
            octets = octets[(1 + length)..];
        }
        return found;
    }

    public static Seen Describe(SortedDictionary<byte, (byte Flags, byte[] Value)> attributes)
    {
        var seen = new Seen();
        foreach (var (type, (flags, value)) in attributes) Describe(seen, type, flags, value);
        return seen;
    }

    private static void Describe(Seen seen, byte type, byte flags, byte[] value)
    {
        switch (type)
        {
            case 1: seen[Seen.Origin] = value[0] switch { 0 => "IGP", 1 => "EGP", _ => "incomplete" }; break;
            case 2: seen[Seen.AsPath] = Path(value); break;
            case 3: seen[Seen.NextHop] = new IPAddress(value).ToString(); break;
            case 4: seen[Seen.Med] = Seen.Number(value).ToString(); break;
            case 5: seen[Seen.LocalPref] = Seen.Number(value).ToString(); break;
            case 6: seen[Seen.AtomicAggregate] = "yes"; break;
            case 7: seen[Seen.Aggregator] = $"{Seen.Number(value)} {new IPAddress(value.AsSpan(4, 4))}"; break;
            case 8: seen[Seen.Communities] = Seen.Set(Parts(value, 4).Select(c => $"{c[0] << 8 | c[1]}:{c[2] << 8 | c[3]}")); break;
            case 9: seen[Seen.OriginatorId] = new IPAddress(value).ToString(); break;
            case 10: seen[Seen.ClusterList] = string.Join(' ', Parts(value, 4).Select(c => new IPAddress(c).ToString())); break;
            case 14: seen[Seen.NextHop] = new IPAddress(value.AsSpan(4, value[3] is 32 ? 16 : value[3])).ToString(); break;
            case 15: break;
            case 16: seen.AddExtended(Parts(value, 8)); break;
            case 25: seen[Seen.IPv6Extended] = Seen.Set(Parts(value, 20).Select(Convert.ToHexStringLower)); break;
            case 26: seen[Seen.Aigp] = (((ulong)Seen.Number(value.AsSpan(3)) << 32) | Seen.Number(value.AsSpan(7))).ToString(); break;
            case 32:
                seen[Seen.Large] = Seen.Set(Parts(value, 12)
                .Select(c => $"{Seen.Number(c)}:{Seen.Number(c.AsSpan(4))}:{Seen.Number(c.AsSpan(8))}")); break;
            case 35: seen[Seen.Otc] = Seen.Number(value).ToString(); break;
            default: seen[Seen.Unknown] = $"{type}:{Convert.ToHexStringLower(value)}{((flags & 0x20) != 0 ? " partial" : "")}"; break;
        }
    }

    private static IEnumerable<byte[]> Parts(byte[] value, int size) => value.Chunk(size);

    private static string Path(ReadOnlySpan<byte> value)
    {
        var segments = new List<string>();
        while (value.Length > 0)
        {
            var numbers = string.Join(' ', Parts(value.Slice(2, value[1] * 4).ToArray(), 4).Select(asn => Seen.Number(asn).ToString()));
            segments.Add(value[0] == 1 ? $"{{{numbers}}}" : numbers);
            value = value[(2 + value[1] * 4)..];
        }
        return string.Join(' ', segments);
    }
}
