using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>What both forms of the log say alike.</summary>
internal static class LogWords
{
    private const string OurRooms = "Calico.Bgp.";

    /// <summary>RFC 3339, in UTC.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Loggers are named after their types: the room is what follows our own name. Others are the web server's and the
    /// host's.</summary>
    public static string RoomOf(string category)
    {
        if (!category.StartsWith(OurRooms, StringComparison.Ordinal))
            return category.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) ? "http" : "host";
        var room = category.AsSpan(OurRooms.Length);
        return (room.IndexOf('.') is > 0 and var end ? room[..end] : room).ToString().ToLowerInvariant();
    }

    public static string Of(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
