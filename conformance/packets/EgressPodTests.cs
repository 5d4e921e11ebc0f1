using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Gateways that are pods (<c>bgpd egress-pod</c>), behind nodes whose daemon sends to them by the overlay.</summary>
public sealed class EgressPodTests : IAsyncLifetime
{
    private const int Large = 200_000, HealthPort = 8080;

    private static readonly string[] Probing =
        ["--icmp-probe", EgressFarSite.Outside4, "--icmp-interval", "1s", "--icmp-timeout", "2s"];

    private EgressFarSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await EgressFarSite.MakeAsync(withPods: true);
        foreach (var (name, _, _) in EgressFarSite.GatewayPods)
            site.Run(name, site[name], ["egress-pod", "--interface", "eth0", "--drain", "0s",
                .. name == "g2" ? Probing : []]);
        foreach (var (name, _, _) in EgressFarSite.GatewayPods) await AnswersAsync(name, "200");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private Task AnswersAsync(string name, string code) => Until.TrueAsync($"{name} answers {code}", async () =>
        (await site[name].RunAsync("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
            $"http://{EgressFarSite.Gateway(name)}:{HealthPort}/readiness")).Output == code, 60, site.SaidAsync);

    private async Task StartAsync(string annotations, params string[] pods)
    {
        site.Write(EgressFarObjects.Cluster(annotations) + string.Concat(pods.Select(pod => EgressFarObjects.GatewayPod(pod))));
        await site.StartAsync("client", "{ mode: pods }");
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Packets_leave_with_a_pods_address_and_answers_come_back_however_many_octets()
    {
        await StartAsync(EgressFarObjects.Choosing, "g1");
        var (red, red6) = (EgressFarSite.Gateway("g1"), EgressFarSite.Gateway("g1", ipv6: true));
        await site.SeesAsync(red);
        var others = await site.OthersAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp])
        {
            Assert.Equal(red, await site.SeenAsync(transport));
            Assert.Equal(red6, await site.SeenAsync(transport, ipv6: true));
        }
        Assert.Equal(red, await site.SeenAsync(Transport.Icmp));
        foreach (var to in (string[])[EgressFarSite.Outside4, EgressFarSite.Outside6])
            Assert.Equal(Large, await Bulk.ThereAndBackAsync(site["a"], to, Large));
        Assert.Equal(others, await site.OthersAsync());
        Assert.Equal(EgressFarSite.Pod4, (await Echo.SeenAsync(
            site["a"], EgressFarSite.Pod4, EgressFarSite.Client4, Transport.Tcp))?.Address.ToString());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task One_that_is_not_ready_is_no_next_hop_and_without_any_nothing_leaves()
    {
        await StartAsync(EgressFarObjects.Choosing, "g1", "g2");
        await site.SeesAsync(EgressFarSite.Gateway("g1"));
        await site.SeesAsync(EgressFarSite.Gateway("g2"));
        site.Write(EgressFarObjects.Cluster(EgressFarObjects.Choosing) + EgressFarObjects.GatewayPod("g1", isReady: false)
            + EgressFarObjects.GatewayPod("g2"));
        await site.ToldAsync("client", answer => answer.Contains("its pod is not ready", StringComparison.Ordinal));
        for (var n = 0; n < 8; n++) Assert.Equal(EgressFarSite.Gateway("g2"), await site.SeenAsync());
        var others = await site.OthersAsync();
        site.Write(EgressFarObjects.Cluster(EgressFarObjects.Choosing) + EgressFarObjects.GatewayPod("g1", isReady: false)
            + EgressFarObjects.GatewayPod("g2", isReady: false));
        await site.ToldAsync("client", answer => !answer.Contains("by VXLAN", StringComparison.Ordinal));
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Null(await site.SeenAsync(transport, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_policy_may_prefer_gateways_of_the_pods_own_node()
    {
        const string policy = """
            apiVersion: projectcalico.org/v3
            kind: EgressGatewayPolicy
            metadata: { name: near }
            spec:
              rules:
                - gateway: { selector: "code == 'red'", namespaceSelector: "projectcalico.org/name == 'edge'" }
                  gatewayPreference: PreferNodeLocal
            ---

            """;
        const string annotation = "egress.projectcalico.org/egressGatewayPolicy: near";
        await StartAsync(annotation, "g1", "g2");
        site.Write(Objects(isNearReady: true));
        await site.SeesAsync(EgressFarSite.Gateway("g3"));
        for (var n = 0; n < 8; n++) Assert.Equal(EgressFarSite.Gateway("g3"), await site.SeenAsync());
        site.Write(Objects(isNearReady: false));
        await site.SeesAsync(EgressFarSite.Gateway("g1"), EgressFarSite.Gateway("g2"));

        static string Objects(bool isNearReady) => EgressFarObjects.Cluster(annotation) + policy + EgressFarObjects.GatewayPod("g1")
            + EgressFarObjects.GatewayPod("g2") + EgressFarObjects.GatewayPod("g3", isNearReady);
    }

    /// <summary>What the kernel has learnt of clients is the kernel's: a program that begins again finds it.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task The_pods_program_may_be_killed_and_come_back_and_flows_go_on()
    {
        await StartAsync(EgressFarObjects.Choosing, "g1");
        await site.SeesAsync(EgressFarSite.Gateway("g1"));
        using var flow = new EgressFlow(site["a"], EgressFarSite.Pod4, EgressFarSite.Outside4, Echo.Port);
        var seen = await flow.AskAsync();
        Assert.NotNull(seen);
        await site.KillAsync("g1");
        Assert.Equal(seen, await flow.AskAsync());
        site.Run("g1", site["g1"], "egress-pod", "--interface", "eth0", "--drain", "0s");
        await AnswersAsync("g1", "200");
        Assert.Equal(seen, await flow.AskAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_pod_whose_targets_do_not_answer_is_not_ready_and_ends_when_it_is_told_to()
    {
        await site["outside"].IpAsync("link set eth0 down");
        await AnswersAsync("g2", "503");
        await AnswersAsync("g1", "200");
        await site["outside"].IpAsync("link set eth0 up");
        await site["outside"].IpAsync("route replace default via 198.51.100.254");
        await AnswersAsync("g2", "200");
        var process = site.Process("g2");
        process.Signal("TERM");
        await Until.TrueAsync("g2 has ended", () => !process.Alive);
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Somebody outside who begins gets no answer from clients behind it.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Nobody_outside_begins_by_a_gateway()
    {
        await StartAsync(EgressFarObjects.Choosing, "g1");
        await site.SeesAsync(EgressFarSite.Gateway("g1"));
        await site["far"].IpAsync($"route add {EgressFarSite.Pod4} via {EgressFarSite.Gateway("g1")} onlink dev {await LinkOfAsync("g1")}");
        using var socket = site["far"].Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await Until.TrueAsync("the pod has dropped some", async () =>
        {
            await socket.SendToAsync(new byte[1], new IPEndPoint(IPAddress.Parse(EgressFarSite.Pod4), 9));
            var rules = await site["g1"].DoAsync("nft", "list", "chain", "inet", "bgpd", "forward");
            return rules.Split('\n').Any(line => line.Contains("nobody outside begins", StringComparison.Ordinal)
                && !line.Contains("packets 0 ", StringComparison.Ordinal));
        }, 60, site.SaidAsync);
    }

    private async Task<string> LinkOfAsync(string pod) =>
        (await site["far"].IpAsync($"route show {EgressFarSite.Gateway(pod)}")).Split("dev ")[1].Split(' ')[0];
}
