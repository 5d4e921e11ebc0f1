// bgpctl upgrade: another release of the daemon in the place of the one that runs, and no peer notices.

using System.CommandLine;

namespace Calico.Bgp.Bgpctl;

internal static class UpgradeWords
{
    public static Command Upgrade(Func<ParseResult, DaemonCommands> make)
    {
        var binary = new Argument<string?>("BINARY")
        {
            Description = "the new bgpd; without it the file that the running one was started from",
            Arity = ArgumentArity.ZeroOrOne,
        };
        binary.Validators.Add(Commands.NamesFile);
        var within = new Option<double?>("--within")
        {
            Description = "in how much time it must have taken over; else it is ended, and the old one goes on (60s)",
            HelpName = "TIME",
            CustomParser = DrainWords.Time,
        };
        var command = new Command("upgrade", "Has another bgpd take the sessions over as they are") { binary, within };
        return Commands.Do(command, make, (daemon, parsed, stop) =>
            daemon.UpgradeAsync(parsed.GetValue(binary), parsed.GetValue(within), stop));
    }
}
