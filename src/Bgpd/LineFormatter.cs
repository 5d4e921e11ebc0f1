using Calico.Bgp.Sources;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// <c>log.format: text</c>: one line an event, with its time in UTC, how bad it is, and the room that says it:
/// <c>2026-11-29T02:07:31.123Z warning session: tor1: …</c>. Where standard error is the journal, which has a time and a priority of its
/// own for each line, the priority stands before the line instead (sd-daemon(3)): <c>&lt;4>session: tor1: …</c>.
/// </summary>
internal sealed class LineFormatter(TimeProvider time, bool toJournal) : ConsoleFormatter("bgpd")
{
    private const string StandardError = "/proc/self/fd/2";

    /// <summary>
    /// systemd.exec(5): DEVICE:INODE of the journal's socket. The variable may be another process's, who handed it on, so it says which.
    /// </summary>
    public static bool IsJournal { get; } =
        Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 } journal
        && FileLook.At(StandardError) is { } look && journal == $"{Device(look.Device >> 32, (uint)look.Device)}:{look.Inode}";

    /// <summary>As stat(2) writes a device's number (makedev(3)).</summary>
    private static ulong Device(ulong major, ulong minor) =>
        (major & 0xfffff000) << 32 | (major & 0xfff) << 8 | (minor & 0xffffff00) << 12 | minor & 0xff;

    /// <summary>What a line on standard error that is no event of the log begins with.</summary>
    public static string Prefix(LogLevel level) => IsJournal ? Priority(level) : "";

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var text = entry.Formatter(entry.State, entry.Exception);
        if (entry.Exception is { } defect) text += $": {defect}";
        textWriter.Write(toJournal
            ? Priority(entry.LogLevel)
            : $"{LogWords.Of(time.GetUtcNow())} {LogWords.Of(entry.LogLevel)} ");
        textWriter.Write(LogWords.RoomOf(entry.Category));
        textWriter.Write(": ");
        // The stack of a defect has lines of its own, and a neighbour's words may have: an event stays one line.
        textWriter.WriteLine(text.ReplaceLineEndings(" "));
    }

    /// <summary>syslog(3).</summary>
    private static string Priority(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "<7>",
        LogLevel.Information => "<6>",
        LogLevel.Warning => "<4>",
        LogLevel.Error => "<3>",
        _ => "<2>",
    };
}
