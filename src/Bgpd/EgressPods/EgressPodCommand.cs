using System.CommandLine;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Bgpd.EgressPods;

/// <summary>
/// The command line of <c>bgpd egress-pod</c>. What is not said is taken from the environment, under the names by which Tigera's operator
/// tells its gateways (render/egressgateway.go), so that a manifest that is made for these serves.
/// </summary>
internal static class EgressPodCommand
{
    public static Command Make()
    {
        var address = new Option<string[]>("--address") { Description = "The pod's address, one of a family (EGRESS_POD_IPS)." };
        var link = Word("--interface", "By which the pod is reached, eth0; where it is said, its addresses are the pod's.");
        var network = Word("--vni", "The overlay's network number (EGRESS_VXLAN_VNI).");
        var port = Word("--port", "The overlay's UDP port (EGRESS_VXLAN_PORT).");
        var health = Word("--health-port", "Where /readiness is answered (HEALTH_PORT).");
        var icmp = new Option<string[]>("--icmp-probe") { Description = "An address upstream that is to answer (ICMP_PROBE_IPS)." };
        var http = new Option<string[]>("--http-probe") { Description = "A URL that is to answer (HTTP_PROBE_URLS)." };
        var times = new[]
        {
            Word("--icmp-interval", "ICMP_PROBE_INTERVAL."), Word("--icmp-timeout", "ICMP_PROBE_TIMEOUT."),
            Word("--http-interval", "HTTP_PROBE_INTERVAL."), Word("--http-timeout", "HTTP_PROBE_TIMEOUT."),
        };
        var drain = Word("--drain", "How long packets pass after SIGTERM.");
        var prepare = new Option<bool>("--prepare") { Description = "Sets everything up, and ends." };
        var remove = new Option<bool>("--remove") { Description = "Takes away what it has set up, and ends." };
        var command = new Command("egress-pod", "Makes this pod a gateway out of the cluster.")
        {
            address, link, network, port, health, icmp, http, times[0], times[1], times[2], times[3], drain, prepare,
            remove,
        };
        command.SetAction((arguments, stop) =>
        {
            var problems = new List<string>();
            if (arguments.GetValue(remove)) return EgressPod.RunAsync(new(new([], ""), []) { Removes = true }, stop);
            var read = new Reading(name => Environment.GetEnvironmentVariable(name), problems);
            var options = new EgressPodOptions(
                new(read.Addresses(arguments.GetValue(address) ?? [], arguments.GetValue(link)), arguments.GetValue(link) ?? "eth0")
                {
                    Network = (uint)read.Number(arguments.GetValue(network), "EGRESS_VXLAN_VNI", 1, 0xffffff, 4097),
                    Port = (ushort)read.Number(arguments.GetValue(port), "EGRESS_VXLAN_PORT", 1, 65535, 4790),
                },
                [
                    .. read.Probe(EgressProbeKind.Icmp, arguments.GetValue(icmp) ?? [], arguments.GetValue(times[0]),
                        arguments.GetValue(times[1])),
                    .. read.Probe(EgressProbeKind.Http, arguments.GetValue(http) ?? [], arguments.GetValue(times[2]),
                        arguments.GetValue(times[3])),
                ])
            {
                HealthPort = (ushort)read.Number(arguments.GetValue(health), "HEALTH_PORT", 0, 65535, 8080),
                Drain = read.Time(arguments.GetValue(drain), null, TimeSpan.FromSeconds(10), "--drain", least: 0),
                PreparesOnly = arguments.GetValue(prepare),
            };
            foreach (var problem in problems) Console.Error.WriteLine($"error: {problem}");
            return problems.Count > 0 ? Task.FromResult(2) : EgressPod.RunAsync(options, stop);
        });
        return command;
    }

    private static Option<string?> Word(string name, string description) => new(name) { Description = description };

    /// <summary>What is said, before what the environment says.</summary>
    internal sealed class Reading(Func<string, string?> environment, List<string> problems)
    {
        private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

        private string? Said(string? said, string? name) =>
            said ?? (name != null && environment(name) is { Length: > 0 } word ? word : null);

        public int Number(string? said, string name, int least, int most, int otherwise)
        {
            if (Said(said, name) is not { } word) return otherwise;
            var isNumber = int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            if (isNumber && number >= least && number <= most) return number;
            problems.Add($"{name}: expected a number from {least} to {most}, got \"{word}\"");
            return otherwise;
        }

        /// <summary>Seconds, with or without their unit, as the operator says them ("5s").</summary>
        /// <param name="least">In milliseconds.</param>
        public TimeSpan Time(string? said, string? name, TimeSpan otherwise, string what, int least = 1)
        {
            if (Said(said, name) is not { } word) return otherwise;
            if (Durations.Parse(word) is { } time && time >= TimeSpan.FromMilliseconds(least) && time <= Longest) return time;
            problems.Add($"{name ?? what}: expected a time such as 5s, got \"{word}\"");
            return otherwise;
        }

        /// <summary>They, or their interface, are to be said: a node is no gateway because somebody has typed the command there.</summary>
        public ListOf<Address> Addresses(string[] said, string? link)
        {
            var words = said.Length > 0 ? said : Split("EGRESS_POD_IPS") is { Length: > 0 } all ? all : Split("EGRESS_POD_IP");
            var addresses = new List<Address>();
            foreach (var word in words.Length == 0 && link != null ? OfLink(link) : words)
                if (!Address.TryParse(word, out var address)) problems.Add($"--address: expected an address, got \"{word}\"");
                else if (addresses.Exists(one => one.Family == address.Family))
                    problems.Add($"--address: expected one {address.Family.Word()} address, got {word}, too");
                else addresses.Add(address);
            if (addresses.Count == 0 && problems.Count == 0)
                problems.Add(link != null ? $"--address: expected an address, and {link} has none"
                    : "--address: expected the pod's address (or EGRESS_POD_IPS, or --interface), as the gateway is made here");
            return [.. addresses];
        }

        private static string[] OfLink(string link) =>
        [
            .. NetworkInterface.GetAllNetworkInterfaces().Where(one => one.Name == link)
                .SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address)
                .Where(one => !one.IsIPv6LinkLocal && one.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
                .Select(one => $"{one}"),
        ];

        private string[] Split(string name) =>
            environment(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

        public IEnumerable<EgressProbe> Probe(EgressProbeKind kind, string[] said, string? interval, string? timeout)
        {
            var (name, targets) = kind == EgressProbeKind.Icmp ? ("ICMP_PROBE", "ICMP_PROBE_IPS") : ("HTTP_PROBE", "HTTP_PROBE_URLS");
            var words = said.Length > 0 ? said : Split(targets);
            foreach (var word in words)
                if (EgressProbe.Problem(kind, word) is { } problem) problems.Add($"{targets}: {problem}");
            var isIcmp = kind == EgressProbeKind.Icmp;
            if (words.Length > 0)
                yield return new(kind, [.. words],
                    Time(interval, name + "_INTERVAL", isIcmp ? EgressProbe.IcmpInterval : EgressProbe.HttpInterval, name),
                    Time(timeout, name + "_TIMEOUT", isIcmp ? EgressProbe.IcmpTimeout : EgressProbe.HttpTimeout, name));
        }
    }
}
