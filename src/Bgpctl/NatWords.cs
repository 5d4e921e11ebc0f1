using System.CommandLine;

namespace Calico.Bgp.Bgpctl;

/// <summary><c>bgpctl nat [explain SRC DST [--protocol P] …]</c>.</summary>
internal static class NatWords
{
    public static Command Command(Func<ParseResult, DaemonCommands> make)
    {
        var source = new Argument<string>("SRC") { Description = "a packet's source, before any translation" };
        var destination = new Argument<string>("DST") { Description = "its destination, behind any service" };
        Option<string>[] more =
        [
            new("--protocol") { Description = "tcp, udp, icmp, icmp6, sctp or a number" },
            new("--sport") { Description = "its source port" }, new("--dport") { Description = "its destination port" },
            new("--mark") { Description = "its mark (1, 0x1)" }, new("--in") { Description = "the interface that it comes in by" },
            new("--out") { Description = "the interface that it leaves by; otherwise as the kernel routes it" },
        ];
        var explain = new Command("explain", "What becomes of a packet, and why") { source, destination };
        foreach (var option in more) explain.Options.Add(option);
        var command = new Command("nat", "What is translated on its way out, by whom, and why") { explain };
        Commands.Do(
            explain, make,
            (daemon, parsed, stop) => daemon.NatExplainAsync(
                [("src", parsed.GetValue(source)), ("dst", parsed.GetValue(destination)),
                    .. more.Select(option => (option.Name[2..], parsed.GetValue(option)))], stop));
        return Commands.Do(command, make, (daemon, _, stop) => daemon.NatAsync(stop));
    }
}
