using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl dns watch</c>: a line a response, the newest last.</summary>
internal static class DnsWatchView
{
    private static readonly Column[] Columns =
        [new("At"), new("Endpoint"), new("Name"), new("Type"), new("Told by"), new("Leads to"), new("Came of it")];

    public static Grid Rows(IReadOnlyList<DnsLookupAnswer> lookups) => new(Columns, [.. lookups.Select(Row)]);

    private static Cell[] Row(DnsLookupAnswer lookup) =>
    [
        lookup.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
        lookup.Endpoint.Length == 0 ? "-" : lookup.Endpoint, new(lookup.Name, Tone.Strong), lookup.Type, lookup.Server,
        Short(lookup.Addresses), new(CameOf(lookup), lookup.Result is "unprogrammed" or "unasked" or "damaged" ? Tone.Bad : Tone.Plain),
    ];

    private static string Short(IReadOnlyList<string> addresses)
    {
        const int most = 4;
        var shown = string.Join(' ', addresses.Take(most));
        return addresses.Count > most ? $"{shown} and {Words.Number(addresses.Count - most)} more" : shown;
    }

    private static string CameOf(DnsLookupAnswer lookup) => lookup.Result switch
    {
        "opened" => $"opened {Opened(lookup)}, after {Words.Number(lookup.HeldMicroseconds)} µs",
        "open" => $"{Opened(lookup)} was open",
        "unprogrammed" => $"went on after {Words.Number(lookup.HeldMicroseconds)} µs, and is not open",
        "nothing" => "opens nothing",
        "unasked" => "nobody had asked that: it is not believed",
        _ => "it is damaged: it is not believed",
    };

    private static string Opened(DnsLookupAnswer lookup)
    {
        var addresses = lookup.Opened.Select(one => one.Address).Distinct().ToArray();
        var what = addresses.Length == 1 ? addresses[0] : $"{Words.Number(addresses.Length)} addresses";
        return $"{what} for {string.Join(", ", lookup.Opened.Select(one => one.By).Distinct())}";
    }
}
