// The words of `bgpctl plan`.

using System.CommandLine;
using Calico.Bgp.Bgpctl.Planning;

namespace Calico.Bgp.Bgpctl;

internal static class PlanWords
{
    private const string DefaultConfig = "/etc/bgpd/bgpd.yaml";

    public static Command Command(Func<ParseResult, DaemonCommands> make, Option<bool> json, Screen screen, TimeProvider time)
    {
        var config = new Option<string>("--config")
        {
            Description = "the bgpd.yaml to plan from",
            HelpName = "FILE",
            DefaultValueFactory = _ => DefaultConfig,
        };
        var probe = new Option<string?>("--probe") { Description = "a JSON file of routes: what would become of each", HelpName = "FILE" };
        var diff = new Option<string?>("--diff")
        {
            Description = "another bgpd.yaml: what it would change, and which sessions it would reset",
            HelpName = "NEW",
        };
        var command = new Command("plan", "What bgpd.yaml and its resources come to on this node, without a daemon")
        {
            config, probe, diff,
        };
        return Commands.Judge(command, make, (_, parsed, stop) =>
        {
            var plan = new PlanCommands(screen, time, parsed.GetValue(json));
            var file = parsed.GetValue(config)!;
            if (parsed.GetValue(diff) is { } newer) return plan.DifferAsync(file, newer, stop);
            return parsed.GetValue(probe) is { } probes ? plan.ProbeAsync(file, probes, stop) : plan.ShowAsync(file, stop);
        });
    }
}
