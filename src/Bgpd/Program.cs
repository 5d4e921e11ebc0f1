using System.CommandLine;
using Calico.Bgp.Bgpd;
using Calico.Bgp.Bgpd.EgressPods;

// bgpd: the daemon. Exit codes: 0 ended as asked, 1 could not run, 2 the configuration or the command line is wrong,
// 70 ended on a defect in one of its loops (its routes and rules stay; the supervisor starts it again).

StandardStreams.Fill();

var config = new Option<FileInfo>("--config")
{
    Description = "The configuration file.",
    DefaultValueFactory = _ => new("/etc/bgpd/bgpd.yaml"),
};
var check = new Option<FileInfo?>("--check") { Description = "Says whether this configuration is good and what it would do, and ends." };
var flush = new Option<bool>("--flush")
{
    Description = "Removes the routes, rules, next hops and the NAT table that this daemon left, and ends.",
};
var force = new Option<bool>("--force") { Description = "With --flush: beside a daemon that runs, too, which puts back what it misses." };
var root = new RootCommand("Speaks BGP for a node: peers, routes, the kernel's table.") { config, check, flush, force };
root.SetAction((arguments, stop) =>
{
    if (arguments.GetValue(check) is { } file) return Checking.RunAsync(file.FullName, stop);
    var path = arguments.GetValue(config)!.FullName;
    return arguments.GetValue(flush) ? Flushing.RunAsync(path, arguments.GetValue(force), stop) : Hosting.RunAsync(path, stop);
});
root.Subcommands.Add(EgressPodCommand.Make());
var parsed = root.Parse(args);
return parsed.Errors.Count > 0 ? Refuse(parsed) : await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null });

static int Refuse(ParseResult wrong)
{
    foreach (var error in wrong.Errors) Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine("usage: bgpd [--config FILE] [--check FILE] [--flush [--force]] [--version]");
    Console.Error.WriteLine("       bgpd egress-pod [--help]");
    return 2;
}
