using System.Globalization;

namespace Calico.Bgp.Control.Bird;

/// <summary>BIRD's default time formats, in the machine's time zone.</summary>
internal sealed class Times(TimeProvider clock)
{
    /// <summary>Up to this age the time of day says enough; beyond it the date does.</summary>
    private static readonly TimeSpan Recent = TimeSpan.FromHours(20);

    /// <summary>For rows: <c>04:05:22.139</c>, or <c>2026-11-20</c>.</summary>
    public string Short(DateTimeOffset time) =>
        Local(time).ToString(clock.GetUtcNow() - time < Recent ? "HH:mm:ss.fff" : "yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>For <c>show status</c>: date and time.</summary>
    public string Long(DateTimeOffset time) => Local(time).ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>What is left of a timer, in seconds: <c>74.819</c>.</summary>
    public static string Seconds(TimeSpan left)
    {
        var milliseconds = Math.Max(0, (long)left.TotalMilliseconds);
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000}.{milliseconds % 1000:000}");
    }

    private DateTimeOffset Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone);
}
