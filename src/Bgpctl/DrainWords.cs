// bgpctl drain and undrain: a peer, or the node, without a lost packet.

using System.CommandLine;
using System.CommandLine.Parsing;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl;

internal static class DrainWords
{
    public static Command Drain(Func<ParseResult, DaemonCommands> make)
    {
        var peer = Peer("this one alone; without it all, and those that come later");
        var wait = new Option<double?>("--wait")
        {
            Description = "how long our routes are the last choice before they are withdrawn, and the session ends (60s)",
            HelpName = "TIME",
            CustomParser = Time,
        };
        var reason = new Argument<string?>("REASON") { Description = "told to the peer (RFC 9003)", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("drain", "Ends sessions without a loss (RFC 8326), and keeps them down") { peer, wait, reason };
        return Commands.Do(command, make, (daemon, parsed, stop) =>
            daemon.DrainAsync(parsed.GetValue(peer), parsed.GetValue(wait), parsed.GetValue(reason), stop));
    }

    public static Command Undrain(Func<ParseResult, DaemonCommands> make)
    {
        var peer = Peer("this one alone");
        var command = new Command("undrain", "Lets drained sessions come up again") { peer };
        return Commands.Do(command, make, (daemon, parsed, stop) => daemon.UndrainAsync(parsed.GetValue(peer), stop));
    }

    private static Option<string?> Peer(string description) => new("--peer") { Description = description, HelpName = "NAME" };

    /// <summary>In seconds.</summary>
    internal static double? Time(ArgumentResult of)
    {
        if (Durations.Parse(of.Tokens[0].Value) is { } time) return time.TotalSeconds;
        of.AddError($"expected a time such as 500ms, 90s or 2m, got \"{of.Tokens[0].Value}\"");
        return null;
    }
}
