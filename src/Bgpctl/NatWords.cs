using System.CommandLine;

namespace Calico.Bgp.Bgpctl;

/// <summary><c>bgpctl nat [explain SRC DST]</c>.</summary>
internal static class NatWords
{
    public static Command Command(Func<ParseResult, DaemonCommands> make)
    {
        var source = new Argument<string>("SRC") { Description = "a packet's source, before any translation" };
        var destination = new Argument<string>("DST") { Description = "its destination, behind any service" };
        var explain = new Command("explain", "What becomes of a packet, and why") { source, destination };
        var command = new Command("nat", "What is translated on its way out, by whom, and why") { explain };
        Commands.Do(
            explain, make,
            (daemon, parsed, stop) => daemon.NatExplainAsync(parsed.GetValue(source)!, parsed.GetValue(destination)!, stop));
        return Commands.Do(command, make, (daemon, _, stop) => daemon.NatAsync(stop));
    }
}
