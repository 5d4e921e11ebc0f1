// How numbers of things, spans of time, octets and next hops are written for people.

using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl;

internal static class Words
{
    /// <summary>The two largest units: 15s, 12m05s, 1h02m, 2d03h.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => "0s",
        { TotalMinutes: < 1 } => Text($"{span.Seconds}s"),
        { TotalHours: < 1 } => Text($"{span.Minutes}m{span.Seconds:00}s"),
        { TotalDays: < 1 } => Text($"{span.Hours}h{span.Minutes:00}m"),
        _ => Text($"{(int)span.TotalDays}d{span.Hours:00}h"),
    };

    public static string Octets(long octets) => octets switch
    {
        < 10 * 1024 => Text($"{octets} B"),
        < 10 * 1024 * 1024 => Text($"{octets / 1024.0:0.0} KiB"),
        _ => Text($"{octets / 1024.0 / 1024.0:0.0} MiB"),
    };

    /// <summary>1 route, 2 routes.</summary>
    public static string Count(long number, string thing) => $"{Number(number)} {thing}{(number == 1 ? "" : "s")}";

    /// <summary>once, 2 times.</summary>
    public static string Times(long number) => number == 1 ? "once" : Count(number, "time");

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Seconds(double seconds) => Text($"{seconds:0.#} s");

    public static string State(string state) => state switch { "openSent" => "opensent", "openConfirm" => "openconfirm", _ => state };

    /// <summary>Ways out as <c>10.0.0.1 eth0 weight 3, 10.0.0.2 eth1</c>; without any, what becomes of packets: blackhole, …</summary>
    public static string Via(string type, IReadOnlyList<HopAnswer> hops) =>
        hops.Count == 0 ? type == "unicast" ? "" : type : string.Join(", ", hops.Select(hop => Via(hop, hops.Count > 1)));

    private static string Via(HopAnswer hop, bool weighed) =>
        Joined(" ", hop.Via, hop.Interface, weighed || hop.Weight != 1 ? Text($"weight {hop.Weight}") : null, hop.OnLink ? "onlink" : null);

    /// <summary>Those of the words that are there.</summary>
    public static string Joined(string between, params IEnumerable<string?> words) =>
        string.Join(between, words.Where(word => !string.IsNullOrEmpty(word)));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
