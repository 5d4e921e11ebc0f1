using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Fuzz;

/// <summary>What is read of the DNS: messages as they stand in a datagram, and the segments of a connection.</summary>
internal static class DnsTargets
{
    private static readonly DnsFlow Flow = new("cali1", Address.Parse("10.0.0.1"), 40000, Address.Parse("10.0.0.53"), 53, IsTcp: false);

    /// <summary>A query for two names, and responses with aliases, pointers, both families and EDNS's record.</summary>
    public static IReadOnlyList<byte[]> MessageSeeds { get; } =
    [
        Convert.FromHexString("00070100000100000000000103777777076578616d706c65036f72670000010001" + "0000291000000000000000"),
        Convert.FromHexString("00078180000100030000000103777777076578616d706c65036f72670000010001c00c000500010000012c000603636e64c010"
            + "c02d00010001000000050004c0000201c02d001c00010000003c001020010db8000000000000000000000001" + "0000291000000000000000"),
        Convert.FromHexString("00078380000100010000000003777777076578616d706c65036f726700001c000103777777076578616d706c65036f726700"
            + "000500010000003c000603617069c010"),
        Convert.FromHexString("0007818300010000000100000161c00c000000010001"),
    ];

    /// <summary>Cuts, and the connection's octets: two messages.</summary>
    public static IReadOnlyList<byte[]> StreamSeeds { get; } =
    [
        [0, 0, 0, 0, 3, 0, 2, 5, 1, 9, 9, .. Framed(MessageSeeds[0]), .. Framed(MessageSeeds[1])],
        [255, 255, 255, 250, 2, 0, 1, 40, 30, .. Framed(MessageSeeds[1]), .. Framed([]), .. Framed(MessageSeeds[0])],
    ];

    private static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    /// <summary>Whatever came as the response to what it says it answers: nothing but what lies behind the name is open, each for a while,
    /// and all names say themselves again.</summary>
    public static Action<byte[]> Messages()
    {
        var cache = new NameCache(new() { NamesPerEndpoint = 64, AddressesPerName = 16 });
        var (openings, now, name, other) = (new List<Opening>(), 0L, new byte[DnsName.Longest], new byte[DnsName.Longest]);
        Require(DomainPattern.TryParse("*.org", out var pattern, out _), "a pattern is none");
        cache.Apply(new([new(1, [pattern!])]), now, openings);
        return octets =>
        {
            now += 10;
            openings.Clear();
            if (!DnsMessage.TryRead(octets, name, out var message))
            {
                Require(cache.Answered(Flow, octets, now, openings) == Heard.Damaged, "what is no message is heard");
                return;
            }
            Require(message.Name.SequenceEqual(DnsName.Parse(DnsName.Text(message.Name))), "a name's text says another");
            var count = 0;
            for (; message.Next(out var record, out _); count++)
                if (message.Owner(record, other) is var length and >= 0)
                    Require(other.AsSpan(0, length).SequenceEqual(DnsName.Parse(DnsName.Text(other.AsSpan(0, length)))),
                        "an owner's text says another");
            Require(count <= message.Answers && count * 11 <= octets.Length, "more answers than there is room for");
            Answer(cache, octets, now, openings);
            Require(openings.TrueForAll(one => one.Set == 1 && one.Until > now && one.Endpoint == "cali1"), "an opening opens nothing");
            Require(cache.Counts.Names <= 64 && cache.Names.All(one => one.Name.Addresses.Count <= 16), "a bound does not hold");
        };
    }

    /// <summary>The same octets as a query were seen before.</summary>
    private static void Answer(NameCache cache, byte[] octets, long now, List<Opening> openings)
    {
        octets[2] &= 0x7f;
        var isQuery = cache.Asked(Flow, octets, now);
        octets[2] |= 0x80;
        var heard = cache.Answered(Flow, octets, now, openings);
        Require(isQuery ? heard != Heard.Unasked : heard == Heard.Damaged, "a response is not that of its query");
        Require(heard == Heard.Learned || openings.Count == 0, "what is not believed opens something");
    }

    /// <summary>The octets in pieces, in any order and once more from the beginning, are the messages that they are in a row.</summary>
    public static void Stream(byte[] octets)
    {
        if (octets.Length < 5) return;
        var start = (uint)(octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]);
        var pieces = Math.Min(octets[4], (octets.Length - 5) / 2);
        var data = octets.AsSpan(5 + 2 * pieces);
        var stream = new DnsStream();
        stream.Add(start - 1, isSyn: true, []);
        var at = 0;
        for (var piece = 0; piece < pieces; piece++)
        {
            var from = Math.Min(octets[5 + 2 * piece] * 7, data.Length);
            var length = Math.Min(octets[6 + 2 * piece] * 3, data.Length - from);
            stream.Add(start + (uint)from, isSyn: false, data.Slice(from, length));
            Compare(stream, data, ref at);
        }
        stream.Add(start, isSyn: false, data);
        Compare(stream, data, ref at);
        Require(data.Length - at < 2 || data.Length - at - 2 < (data[at] << 8 | data[at + 1]), "a whole message is missing");
    }

    private static void Compare(DnsStream stream, ReadOnlySpan<byte> data, ref int at)
    {
        while (stream.Next(out var message))
        {
            Require(at + 2 + message.Length <= data.Length && (data[at] << 8 | data[at + 1]) == message.Length
                && data.Slice(at + 2, message.Length).SequenceEqual(message), "a message is none that was sent");
            at += 2 + message.Length;
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException(otherwise);
    }
}
