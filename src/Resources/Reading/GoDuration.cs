using System.Buffers;
using System.Globalization;

namespace Calico.Bgp.Resources.Reading;

/// <summary>Durations as Go writes them: numbers with units, one after the other (<c>1m30s</c>, <c>10.5s</c>), or <c>0</c>.</summary>
internal static class GoDuration
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0") return true;
        if (text.Length == 0) return false;
        var total = 0m;
        while (text.Length > 0)
        {
            var end = text.IndexOfAnyExcept(Digits);
            if (end <= 0 || !Number(text[..end], out var number)) return false;
            text = text[end..];
            if (Unit(text, out var length) is not { } ticks || number > long.MaxValue / ticks) return false;
            total += number * ticks;
            text = text[length..];
        }
        if (total > long.MaxValue) return false;
        duration = TimeSpan.FromTicks((long)total);
        return true;
    }

    private static bool Number(ReadOnlySpan<char> text, out decimal number) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);

    /// <summary>The unit's ticks, of 100 ns.</summary>
    private static decimal? Unit(ReadOnlySpan<char> text, out int length)
    {
        length = text is ['n' or 'u' or 'µ' or 'μ' or 'm', 's', ..] ? 2 : 1;
        return text[..Math.Min(length, text.Length)] switch
        {
            "ns" => 0.01m,
            "us" or "µs" or "μs" => TimeSpan.TicksPerMicrosecond,
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            _ => null,
        };
    }
}
