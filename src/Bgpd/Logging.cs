using Calico.Bgp.Configuration;
using Calico.Bgp.Control.Bird;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Calico.Bgp.Bgpd;

/// <summary>The log: standard error, a line an event, as text or as JSON; and what birdc's <c>echo</c> asks for.</summary>
internal static class Logging
{
    public static ILoggerFactory For(LogConfig config, TimeProvider time) =>
        LoggerFactory.Create(builder => Configure(builder, config, time, null));

    public static void Configure(ILoggingBuilder builder, LogConfig config, TimeProvider time, BirdLogEcho? echo)
    {
        builder.SetMinimumLevel(config.Level);
        // The web server tells of every connection at Information; those are the clients of our own sockets.
        builder.AddFilter("Microsoft", LogLevel.Warning);
        // What keeps a room from starting is told in one line, by us.
        builder.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        builder.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        ConsoleFormatter form = config.Format == LogFormat.Json
            ? new JsonFormatter(time) : new LineFormatter(time, LineFormatter.IsJournal);
        builder.Services.AddSingleton(form);
        builder.AddConsole(options => options.FormatterName = form.Name);
        if (echo != null) builder.AddProvider(echo);
    }
}
