// bgpctl announce and withdraw: one route of a program on this node.

using System.CommandLine;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl;

internal static class LeaseWords
{
    public static Command Announce(Func<ParseResult, DaemonCommands> make)
    {
        var prefix = Prefix();
        var ttl = new Option<string?>("--ttl") { Description = "withdrawn then, unless announced again (10s)", HelpName = "TIME" };
        var community = new Option<string[]>("--community") { Description = "65001:100, 65001:1:2, no-export; may be given often" };
        var nextHop = new Option<string?>("--next-hop") { Description = "told as it is; without it this node", HelpName = "ADDRESS" };
        var localPref = new Option<uint?>("--local-pref") { Description = "inside our AS", HelpName = "NUMBER" };
        var med = new Option<uint?>("--med") { Description = "to neighbours of other ASes too", HelpName = "NUMBER" };
        var producer = Producer();
        var command = new Command("announce", "Announces a route, or renews its lease")
        {
            prefix, ttl, community, nextHop, localPref, med, producer,
        };
        return Commands.Do(command, make, (daemon, parsed, stop) => daemon.AnnounceAsync(
            new LeaseBody(
                parsed.GetValue(prefix)!, parsed.GetValue(ttl), parsed.GetValue(nextHop), parsed.GetValue(community),
                parsed.GetValue(localPref), parsed.GetValue(med), parsed.GetValue(producer)),
            stop));
    }

    public static Command Withdraw(Func<ParseResult, DaemonCommands> make)
    {
        var (prefix, producer) = (Prefix(), Producer());
        var command = new Command("withdraw", "Withdraws a route that was announced so") { prefix, producer };
        return Commands.Do(command, make, (daemon, parsed, stop) =>
            daemon.WithdrawAsync(parsed.GetValue(prefix)!, parsed.GetValue(producer), stop));
    }

    private static Argument<string> Prefix() => new("PREFIX") { Description = "192.0.2.1/32, 2001:db8::/64" };

    private static Option<string?> Producer() => new("--producer")
    {
        Description = "in whose name (control.producers in bgpd.yaml)",
        HelpName = "NAME",
    };
}
