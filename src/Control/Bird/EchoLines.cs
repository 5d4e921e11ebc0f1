using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// The log lines that wait for one client. They are few at any time: a client that does not read loses the oldest, as with
/// BIRD's ring.
/// </summary>
internal sealed class EchoLines(Conversation with)
{
    private const int Most = 256;

    private readonly Channel<string> waiting = Channel.CreateBounded<string>(
        new BoundedChannelOptions(Most) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public ChannelReader<string> Reader => waiting.Reader;

    /// <summary>No more lines will be taken, and the reader ends.</summary>
    public void End() => waiting.Writer.TryComplete();

    public void Offer(LogLevel level, string line)
    {
        if ((with.Echo & ClassOf(level)) == 0) return;
        foreach (var part in line.Split('\n', StringSplitOptions.RemoveEmptyEntries)) waiting.Writer.TryWrite($"+{part.TrimEnd()}\n");
    }

    private static EchoClasses ClassOf(LogLevel level) => level switch
    {
        LogLevel.Trace => EchoClasses.Debug,
        LogLevel.Debug => EchoClasses.Trace,
        LogLevel.Information => EchoClasses.Info,
        LogLevel.Warning => EchoClasses.Warning,
        LogLevel.Error => EchoClasses.Error,
        _ => EchoClasses.Fatal,
    };
}
