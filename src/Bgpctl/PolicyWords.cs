// The words of `bgpctl policy`.

using System.CommandLine;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Planning;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl;

/// <summary><c>bgpctl policy list | show NAME | endpoints [NAME] | denied | lint [--config FILE] | explain SRC DST PROTOCOL[:PORT]
/// [--from-interface IF] [--config FILE] | try FILE [--confirm-within TIME] | confirm | revert</c>.</summary>
internal static class PolicyWords
{
    public static Command Command(Func<ParseResult, DaemonCommands> make, Option<bool> json, Screen screen, TimeProvider time) =>
        new("policy", "Network policy: what lets packets through, and what does not")
        {
            List(make), Show(make), Endpoints(make), Denied(make), Lint(make, json, screen, time), Explain(make, json, screen, time),
            Try(make), Confirm(make), Revert(make),
        };

    private static Command Denied(Func<ParseResult, DaemonCommands> make) => Commands.Do(
        new("denied", "The last flows that policies have denied (policy.logDenied); --watch follows"), make,
        (daemon, _, stop) => daemon.DeniedAsync(stop));

    private static Command List(Func<ParseResult, DaemonCommands> make) => Commands.Do(
        new("list", "All policies in the order in which they are asked, what they select here, and what they let through"), make,
        (daemon, _, stop) => daemon.PoliciesAsync(stop));

    private static Command Show(Func<ParseResult, DaemonCommands> make)
    {
        var name = new Argument<string>("NAME") { Description = "[KIND/][NAMESPACE/]NAME" };
        return Commands.Do(
            new("show", "One policy: its rules, whom it selects here, where it stands") { name }, make,
            (daemon, parsed, stop) => daemon.PolicyAsync(parsed.GetValue(name)!, stop));
    }

    private static Command Endpoints(Func<ParseResult, DaemonCommands> make)
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "one as a whole, by its object's name or its interface",
            Arity = ArgumentArity.ZeroOrOne,
        };
        return Commands.Do(
            new("endpoints", "The endpoints of this node, and by which policies their packets are asked") { name }, make,
            (daemon, parsed, stop) => daemon.PolicyEndpointsAsync(parsed.GetValue(name), stop));
    }

    private static Command Try(Func<ParseResult, DaemonCommands> make)
    {
        var file = new Argument<string>("FILE") { Description = "objects, as kubectl apply takes them; - for standard input" };
        file.Validators.Add(Commands.NamesFile);
        var within = new Option<double?>("--confirm-within")
        {
            Description = "it is taken back after this time, unless it was confirmed (60s)",
            HelpName = "TIME",
            CustomParser = DrainWords.Time,
        };
        within.Validators.Add(static of =>
        {
            if (of.Tokens is [{ Value: var said }] && Durations.Parse(said) is { } time
                && (time <= TimeSpan.Zero || time > TrialAnswer.LongestTime))
                of.AddError($"expected a time up to {TrialAnswer.LongestTime.TotalHours:0}h for --confirm-within, got \"{said}\"");
        });
        return Commands.Do(
            new("try", "Puts objects into force over what the sources say, and takes them back unless they are confirmed") { file, within },
            make, (daemon, parsed, stop) => daemon.PolicyTryAsync(parsed.GetValue(file)!, parsed.GetValue(within), stop));
    }

    private static Command Confirm(Func<ParseResult, DaemonCommands> make) => Commands.Do(
        new("confirm", "What is tried stays until bgpd starts again"), make, (daemon, _, stop) => daemon.PolicyConfirmAsync(stop));

    private static Command Revert(Func<ParseResult, DaemonCommands> make) => Commands.Do(
        new("revert", "Takes back what is tried; where nothing is, what was confirmed"), make,
        (daemon, _, stop) => daemon.PolicyRevertAsync(stop));

    private static Option<string?> Config() =>
        new("--config") { Description = "no daemon: from this bgpd.yaml and its sources", HelpName = "FILE" };

    private static Command Lint(Func<ParseResult, DaemonCommands> make, Option<bool> json, Screen screen, TimeProvider time)
    {
        var config = Config();
        return Commands.Judge(
            new("lint", "Traps: what would lock you out, protects nothing, selects nobody, or is never asked (exit code 2)") { config },
            make, (daemon, parsed, stop) => parsed.GetValue(config) is { } file
                ? new PolicyCommands(screen, time, parsed.GetValue(json)).LintAsync(file, stop) : daemon.PolicyLintAsync(stop));
    }

    private static Command Explain(Func<ParseResult, DaemonCommands> make, Option<bool> json, Screen screen, TimeProvider time)
    {
        var source = new Argument<string>("SRC") { Description = "an address, or the NAMESPACE/NAME of a pod" };
        var destination = new Argument<string>("DST") { Description = "the same; a service by its address" };
        var protocol = new Argument<string>("PROTOCOL[:PORT]") { Description = "tcp:80, udp:53, icmp, icmp:8/0, a number, …" };
        var from = new Option<string?>("--from-interface") { Description = "the interface that it comes in by", HelpName = "IF" };
        var config = Config();
        var explain = new Command("explain", "Which policies let a connection through, or do not, and what NAT does then")
        {
            source, destination, protocol, from, config,
        };
        return Commands.Judge(explain, make, async (daemon, parsed, stop) =>
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
    }
}
