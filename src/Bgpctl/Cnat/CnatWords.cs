using System.CommandLine;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary><c>bgpctl cnat LINE</c>, in the grammar of VPP's cnat.</summary>
internal static class CnatWords
{
    /// <summary>What there is to be said.</summary>
    public const string Lines = """
          translation add proto tcp|udp|sctp|icmp|any vip|real ADDRESS PORT [maglev] [flow-hash FIELD,…]
            to '[ADDRESS [PORT]]->ADDRESS [PORT]' [weight N] [to …] [--save] [--force]
          translation del ID
          show translation [ID]
          show session [verbose] [return] [ip X] [port N] [proto P] [fib 0] [translation ID] [max N]
          snat with ADDRESS|INTERFACE   snat exclude [del] PREFIX [cut]   show snat
          set snat-policy none|if-pfx|k8s|dnat   set snat-policy addr …|if …|prefix …   set feature INTERFACE [enable|disable]
          show client [ID]           test maglev [tests N] [backends N] [len N]
          explain SOURCE[:PORT] DESTINATION PROTOCOL:PORT [in IF] [out IF]   which backend it gets, as whom, and why
          session purge [all|ID|ip X|port N|proto P|translation ID]   ends sessions
          purge                      ends all sessions, and takes back all that was said so
          help                       these lines. client add, log, scanner and show feature-hooks are answered with where to look instead
        """;

    private const string Description =
        "Translations of what is sent to services, in the words of VPP's cnat; without a line those that are typed, or piped in:\n" + Lines;

    public static Command Command(Func<ParseResult, DaemonCommands> make)
    {
        var words = new Argument<string[]>("LINE") { Description = "a line of cnat", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("cnat", Description) { words };
        return Commands.Judge(command, make, (daemon, parsed, stop) => RunAsync(daemon, parsed.GetValue(words)!, stop));
    }

    /// <summary>To the terminal, where whoever typed it looks.</summary>
    private static async Task MendedAsync(DaemonCommands daemon, string[] words, CancellationToken stop)
    {
        File.Delete(daemon.Screen.File!);
        await daemon.Screen.Errors.WriteLineAsync(
            $"bgpctl: the shell took > for a file to write to; it was meant so, and the file is gone: {string.Join(' ', words)}")
            .ConfigureAwait(false);
        await daemon.CnatTo(daemon.Screen.Errors).RunAsync(string.Join(' ', words), stop).ConfigureAwait(false);
    }

    private static async Task<bool> RunAsync(DaemonCommands daemon, string[] words, CancellationToken stop)
    {
        try
        {
            if (words.Length == 0) await new CnatConversation(daemon.Cnat, daemon.Screen).RunAsync(stop).ConfigureAwait(false);
            else if (words is [CnatConversation.Help]) await daemon.Screen.Output.WriteLineAsync(Lines).ConfigureAwait(false);
            else if (ShellArrow.Mend(words, daemon.Screen.File) is { } meant) await MendedAsync(daemon, meant, stop).ConfigureAwait(false);
            else await daemon.Cnat.RunAsync(string.Join(' ', words), stop).ConfigureAwait(false);
            return true;
        }
        catch (CnatMistake mistake)
        {
            await daemon.Screen.Errors.WriteLineAsync($"bgpctl: {mistake.Message}").ConfigureAwait(false);
            return false;
        }
    }
}
