using System.CommandLine;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary><c>bgpctl cnat LINE</c>, in the grammar of VPP's cnat.</summary>
internal static class CnatWords
{
    private const string Description = """
        Translations of what is sent to services, in the words of VPP's cnat:
          translation add proto tcp|udp|sctp|icmp|any vip|real ADDRESS PORT [maglev] [flow-hash FIELD,…]
            to '[ADDRESS [PORT]]->ADDRESS [PORT]' [weight N] [to …]
          translation del ID
          show translation [ID]
          show session [verbose] [return] [ip X] [port N] [proto P] [translation ID] [max N]
          session purge [all|ID|ip X|port N|proto P|translation ID]   ends sessions
          purge                      ends all sessions, and removes what was added so
        """;

    public static Command Command(Func<ParseResult, DaemonCommands> make)
    {
        var words = new Argument<string[]>("LINE") { Description = "a line of cnat", Arity = ArgumentArity.OneOrMore };
        var command = new Command("cnat", Description) { words };
        return Commands.Judge(command, make, (daemon, parsed, stop) => RunAsync(daemon, string.Join(' ', parsed.GetValue(words)!), stop));
    }

    private static async Task<bool> RunAsync(DaemonCommands daemon, string line, CancellationToken stop)
    {
        try
        {
            await daemon.Cnat.RunAsync(line, stop).ConfigureAwait(false);
            return true;
        }
        catch (CnatMistake mistake)
        {
            await daemon.Screen.Errors.WriteLineAsync($"bgpctl: {mistake.Message}").ConfigureAwait(false);
            return false;
        }
    }
}
