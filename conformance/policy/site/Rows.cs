using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// Expectations as they stand in a table: <c>outside red/a tcp/80 arrives</c>, <c>outside service:web tcp/80 arrives as node1</c>,
/// <c>outside node1 udp/53 nothing</c>, <c>… asks</c> (it arrives, and the answer does not). In both families, unless the row begins
/// with <c>4</c> or <c>6</c>. <c>refused</c>: it does not arrive, and its sender is told.
/// </summary>
internal static class Rows
{
    private sealed record Row(string Text, Probe Probe, string Expected, IPAddress? Seen);

    /// <summary>The objects are in force; packets fare as the rows say, and the judge says so, too.</summary>
    public static async Task HoldAsync(PolicySite site, string objects, string rows)
    {
        var all = Read(rows, site.Town).ToArray();
        var judge = new Judge(new(objects), "node1", Place.Links);
        Wrong.None(all.Where(row => judge.Ask(site.Town.PacketOf(row.Probe)!).Passes != (row.Expected is not ("nothing" or "refused")))
            .Select(row => $"the judge: {row.Text}, {row.Probe}: {judge.Ask(site.Town.PacketOf(row.Probe)!)}"));
        for (var attempt = 1; all.Length > 0; attempt++)
        {
            var outcomes = await site.Prober.RunAsync([.. all.Select(row => row.Probe)], attempt * attempt * Prober.Moment);
            var differ = all.Zip(outcomes).Where(one => !IsRight(one.First, one.Second)).ToArray();
            Wrong.None(differ.Where(one => attempt == 4 || one.First.Expected == "nothing"
                    || (one.First.Expected == "refused" && one.Second.Arrival != null))
                .Select(one => $"{one.First.Text}: {one.First.Probe} {one.Second}"));
            all = [.. differ.Select(one => one.First)];
        }
    }

    public static IEnumerable<Probe> Probes(Town town, string rows) => Read(rows, town).Select(row => row.Probe);

    private static IEnumerable<Row> Read(string rows, Town town) => rows
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).SelectMany(text => Read(town, text));

    private static bool IsRight(Row row, Outcome outcome) => row.Expected switch
    {
        "arrives" => outcome.Arrival is { } arrival && outcome.IsAnswered == row.Probe.IsAnswered
            && (row.Seen == null || arrival.Seen.Address.Equals(row.Seen)),
        "refused" => outcome is { Arrival: null, IsRefused: true },
        "asks" => outcome is { Arrival: not null, IsAnswered: false },
        _ => outcome is { Arrival: null, IsRefused: false },
    };

    private static IEnumerable<Row> Read(Town town, string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool[] families = words[0] switch { "4" => [false], "6" => [true], _ => [false, true] };
        if (families.Length == 1) words = words[1..];
        foreach (var isIPv6 in families)
        {
            var service = words[1].StartsWith("service:", StringComparison.Ordinal)
                ? town.Services.Find(one => one.Name == words[1][8..])! : null;
            var what = words[2].Split('/');
            var protocol = what[0] == "icmp" ? isIPv6 ? Protocols.IcmpV6 : Protocols.Icmp : Protocols.Number(what[0]);
            var to = service?.Address(isIPv6) ?? town[words[1]].Address(isIPv6);
            yield return new(text, new(town[words[0]], town[words[0]].Address(isIPv6), to, protocol)
            {
                Port = what[0] == "icmp" ? 0 : int.Parse(what[1], null),
                Icmp = what[0] == "icmp" && what.Length == 3 ? (int.Parse(what[1], null), int.Parse(what[2], null)) : null,
            }, words[3], words.Length == 6 ? town[words[5]].Address(isIPv6) : null);
        }
    }
}
