using System.Globalization;

namespace Calico.Bgp.Net;

/// <summary>Times as people write them, in bgpd.yaml, on the command line, and over HTTP.</summary>
public static class Durations
{
    /// <summary><c>500ms</c>, <c>90s</c>, <c>2m</c>, <c>1h</c>; a plain number counts seconds. Null: it is none.</summary>
    public static TimeSpan? Parse(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        var unit = digits < 0 ? "s" : text[digits..];
        if (!uint.TryParse(digits < 0 ? text : text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;
        return unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(count),
            "s" => TimeSpan.FromSeconds(count),
            "m" => TimeSpan.FromMinutes(count),
            "h" => TimeSpan.FromHours(count),
            _ => null,
        };
    }

    /// <summary>In the largest unit that it is a whole number of: <c>2m</c>, <c>90s</c>; what is less than a millisecond is left
    /// out.</summary>
    public static string Words(this TimeSpan time)
    {
        var (unit, name) = ((long)Math.Round(time.TotalMilliseconds)) switch
        {
            var all when all % 3_600_000 == 0 => (3_600_000, "h"),
            var all when all % 60_000 == 0 => (60_000, "m"),
            var all when all % 1000 == 0 => (1000, "s"),
            _ => (1, "ms"),
        };
        var count = (long)Math.Round(time.TotalMilliseconds) / unit;
        return count == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{count}{name}");
    }
}
