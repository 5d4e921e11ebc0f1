using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// Hands the daemon's log lines to those birdc clients that asked with <c>echo</c>. Added to the logging once; each
/// <see cref="BirdSocket"/> is given the same one.
/// </summary>
public sealed class BirdLogEcho : ILoggerProvider
{
    private ImmutableArray<Action<LogLevel, string>> listeners = [];

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void Dispose() => listeners = [];

    /// <summary>The listener is called on whatever thread logs, so it must neither block nor log.</summary>
    internal void Add(Action<LogLevel, string> listener) => ImmutableInterlocked.Update(ref listeners, all => all.Add(listener));

    internal void Remove(Action<LogLevel, string> listener) => ImmutableInterlocked.Update(ref listeners, all => all.Remove(listener));

    private sealed class Logger(BirdLogEcho echo) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && !echo.listeners.IsEmpty;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var line = formatter(state, exception);
            if (exception != null) line += ": " + exception.Message;
            foreach (var listener in echo.listeners) listener(logLevel, line);
        }
    }
}
