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
}
