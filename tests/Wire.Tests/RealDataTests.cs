using System.IO.Compression;
using System.Text.Json;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire.Tests;

/// <summary>Octets that real routers sent, and what another implementation read in some of them.</summary>
public class RealDataTests
{
    [NeedsFact(Needs.Shared + "data/wire/full2015.raw.gz")]
    public void The_table_of_2015_is_taken_but_for_its_one_path_with_AS_0()
    {
        var (prefixes, damaged, faults) = Replay("data/wire/full2015.raw.gz", Sessions.External);
        Assert.Equal((577706, 4), (prefixes.Union(damaged).Count(), damaged.Count));
        Assert.Equal(["AttributeDiscard Aggregator", "AttributeDiscard Aggregator", "AttributeDiscard Aggregator",
            "TreatAsWithdraw AsPath"], faults.Order());
    }

    [NeedsFact(Needs.Shared + "data/wire/churn2019.raw.gz")]
    public void Five_minutes_of_63_peers_are_taken_whole()
    {
        var (_, damaged, faults) = Replay("data/wire/churn2019.raw.gz", Sessions.External with { EnforceFirstAs = false });
        Assert.Empty(damaged);
        Assert.Empty(faults);
    }

    [NeedsFact(Needs.Shared + "data/wire/exabgp-decoding")]
    public void Opens_mean_what_ExaBGP_reads_in_them()
    {
        foreach (var (octets, message) in Readings("open"))
        {
            Assert.Null(OpenCodec.Decode(octets.AsSpan(MessageHeader.Octets), out var open));
            var expected = message.GetProperty("open");
            Assert.Equal((expected.GetProperty("asn").GetUInt32(), expected.GetProperty("hold_time").GetUInt16(),
                expected.GetProperty("router_id").GetString()),
                (open!.MyAs.Value, open.HoldTime, open.Identifier.ToString()));
            Assert.Equal(expected.GetProperty("capabilities").GetProperty("1").GetProperty("families").EnumerateArray().Select(x =>
                x.GetString()),
                open.Capabilities.Multiprotocol.Select(x => $"{x}/unicast"));
        }
    }

    [NeedsFact(Needs.Shared + "data/wire/exabgp-decoding")]
    public void Updates_mean_what_ExaBGP_reads_in_them()
    {
        foreach (var (octets, message) in Readings("update ipv4 unicast"))
        {
            var expected = message.GetProperty("update").GetProperty("attribute");
            // Their second message announces nothing; with the default route its attributes become visible.
            var update = new UpdateDecoder(Sessions.Internal).Decode([.. octets.AsSpan(MessageHeader.Octets), 0]);
            var view = new AttributeView(update.Announced.Attributes);
            var summary = update.Announced.Summary;
            Assert.Equal((expected.GetProperty("origin").GetString(), expected.GetProperty("med").GetUInt32(),
                expected.GetProperty("local-preference").GetUInt32()),
                (summary.Origin.ToString().ToLowerInvariant(), summary.Med, summary.LocalPref));
            if (expected.TryGetProperty("as-path", out var path))
                Assert.Equal(string.Join(' ', path.GetProperty("0").GetProperty("value").EnumerateArray()), view.AsPath.ToString());
            if (expected.TryGetProperty("aggregator", out var aggregator))
                Assert.Equal(aggregator.GetString(), $"{view.Aggregator!.Value.As}:{view.Aggregator.Value.Id}");
            Assert.Equal(expected.TryGetProperty("atomic-aggregate", out _), view.TryGet(AttributeType.AtomicAggregate, out _));
        }
    }

    private static (HashSet<string> Prefixes, HashSet<string> Damaged, List<string> Faults) Replay(string file, Negotiated session)
    {
        using var unpacked = new MemoryStream();
        using (var packed = new GZipStream(File.OpenRead(SharedData.Get(file)), CompressionMode.Decompress)) packed.CopyTo(unpacked);
        var rest = unpacked.GetBuffer().AsSpan(0, (int)unpacked.Length);
        var decoder = new UpdateDecoder(session);
        var (prefixes, damaged, faults) = (new HashSet<string>(), new HashSet<string>(), new List<string>());
        while (!rest.IsEmpty)
        {
            Assert.Null(MessageHeader.Check(rest, false, out var type, out var length));
            var update = type == MessageType.Update ? decoder.Decode(rest[MessageHeader.Octets..length]) : default;
            if (update.Damage.Penalty != Penalty.None) faults.Add($"{update.Damage.Penalty} {update.Damage.Attribute}");
            Add(update.Announced.Nlri, prefixes);
            Add(update.Damaged, damaged);
            rest = rest[length..];
        }
        return (prefixes, damaged, faults);
    }

    private static void Add(NlriRun run, HashSet<string> into)
    {
        for (var rest = run.Octets; !rest.IsEmpty;)
        {
            var length = 1 + (rest[0] + 7) / 8;
            into.Add(Convert.ToHexString(rest[..length]));
            rest = rest[length..];
        }
    }

    /// <summary>A file's three lines: what it is, the octets, what ExaBGP says.</summary>
    private static IEnumerable<(byte[] Octets, JsonElement Message)> Readings(string kind) =>
        from file in Directory.EnumerateFiles(SharedData.Get("data/wire/exabgp-decoding"))
        let lines = File.ReadAllLines(file)
        where lines[0] == kind
        let neighbor = JsonDocument.Parse(lines[2]).RootElement.GetProperty("neighbor")
        select (Convert.FromHexString(lines[1]), kind == "open" ? neighbor : neighbor.GetProperty("message"));
}
