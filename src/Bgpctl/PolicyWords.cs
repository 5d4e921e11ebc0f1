// The words of `bgpctl policy`.

using System.CommandLine;
using Calico.Bgp.Bgpctl.Planning;

namespace Calico.Bgp.Bgpctl;

/// <summary><c>bgpctl policy explain SRC DST PROTOCOL[:PORT] [--from-interface IF] [--config FILE]</c>.</summary>
internal static class PolicyWords
{
    public static Command Command(Func<ParseResult, DaemonCommands> make, Option<bool> json, Screen screen, TimeProvider time)
    {
        var source = new Argument<string>("SRC") { Description = "an address, or the NAMESPACE/NAME of a pod" };
        var destination = new Argument<string>("DST") { Description = "the same; a service by its address" };
        var protocol = new Argument<string>("PROTOCOL[:PORT]") { Description = "tcp:80, udp:53, icmp, icmp:8/0, a number, …" };
        var from = new Option<string?>("--from-interface") { Description = "the interface that it comes in by", HelpName = "IF" };
        var config = new Option<string?>("--config") { Description = "no daemon: from this bgpd.yaml and its sources", HelpName = "FILE" };
        var explain = new Command("explain", "Which policies let a connection through, or do not, and what NAT does then")
        {
            source, destination, protocol, from, config,
        };
        Commands.Judge(explain, make, async (daemon, parsed, stop) =>
        {
            var asked = (parsed.GetValue(source)!, parsed.GetValue(destination)!, parsed.GetValue(protocol)!, parsed.GetValue(from));
            if (parsed.GetValue(config) is not { } file)
            {
                await daemon.PolicyExplainAsync(asked, stop).ConfigureAwait(false);
                return true;
            }
            var commands = new PolicyCommands(screen, time, parsed.GetValue(json));
            return await commands.ExplainAsync(file, asked, stop).ConfigureAwait(false);
        });
        return new("policy", "Network policy: what lets packets through, and what does not") { explain };
    }
}
