using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Packets;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>What is said of services, beside what packets do.</summary>
public sealed class ServiceWordsTests : IAsyncLifetime
{
    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Bgpctl, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task<JsonNode> TellAsync(params string[] words)
    {
        var answer = await Shell.RunAsync(Project.Bgpctl, ["--socket", site.Http, "--json", .. words]);
        Assert.True(answer.Good, answer.ToString());
        return JsonNode.Parse(answer.Output)!;
    }

    /// <summary>The pods' pool has the backends in it, and not the client.</summary>
    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task Of_a_packet_to_a_service_nat_explain_says_where_it_goes_and_as_whom_it_gets_there()
    {
        using var folder = new Scratch();
        folder.Write("pool.yaml", """
            apiVersion: projectcalico.org/v3
            kind: IPPool
            metadata: { name: pods }
            spec: { cidr: 10.2.0.0/16, natOutgoing: true, ipipMode: Never, vxlanMode: Never }

            """);
        using var server = new Answerer(site.Client, Client4, Port);
        await site.StartAsync($$"""
            sources: [{ files: {{folder.Path}} }]
            nat: { enabled: true }
            services:
              translations:
                - { protocol: tcp, vip: {{Vip4}}, port: 80, backends: [{ to: "{{Backend(1, false)}}:{{Port}}" }] }
                - { protocol: tcp, vip: {{Vip4}}, port: 81, backends: [{ to: "{{Client4}}:{{Port}}" }] }
            """);
        await site.TableAsync(text => text.Contains("nat-masq4", StringComparison.Ordinal), "the pool's packets are translated");
        var pod = Backend(0, false);
        foreach (var (port, backend, seen, link, because) in ((int, string, string, string, string)[])
            [
                (80, Backend(1, false), pod, "b2",
                    "the destination is in pool pods (10.2.0.0/16): what stays inside the pools is not translated"),
                (81, Client4, Node4, "c0", "the destination is in no pool"),
            ])
        {
            var told = await TellAsync("nat", "explain", pod, Vip4, "--protocol", "tcp", "--sport", "40000", "--dport", $"{port}");
            Assert.Equal(
                (seen != pod, $"{backend}:{Port}", link, seen == pod ? null : seen),
                ((bool)told["translated"]!, (string?)told["destination"], (string?)told["interface"], (string?)told["address"]));
            Assert.Contains(because, told["steps"]!.AsArray().Select(step => (string)step!));
            var answer = await Answerer.AskAsync(site.Backends[0], pod, Vip4, port, tcp: true);
            Assert.Equal((backend, seen), (answer?.Server, answer?.Seen.Address.ToString()));
        }
        var nowhere = await TellAsync("nat", "explain", pod, Vip4, "--protocol", "tcp", "--sport", "40000", "--dport", "82");
        Assert.True((bool)nowhere["dropped"]!);
        Assert.Null(await Answerer.AskAsync(site.Backends[0], pod, Vip4, 82, tcp: true, attempts: 1));
    }

    /// <summary>Rules of policies ask for the interface that a packet comes in by, and nobody has said it.</summary>
    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task Cnat_explain_takes_a_client_to_come_in_by_the_interface_that_it_is_reached_by()
    {
        using var folder = new Scratch();
        folder.Write("pods.yaml", $$"""
            apiVersion: projectcalico.org/v3
            kind: WorkloadEndpoint
            metadata: { name: node1-k8s-web-eth0, namespace: default }
            spec: { node: node1, orchestrator: k8s, pod: web, endpoint: eth0, interfaceName: b1, ipNetworks: [{{Backend(0, false)}}/32] }
            ---
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkPolicy
            metadata: { name: all }
            spec: { selector: all(), ingress: [{ action: Allow }] }

            """);
        await site.StartAsync($$"""
            sources: [{ files: {{folder.Path}} }]
            policy: { enabled: true }
            services:
              translations: [{ protocol: tcp, vip: {{Vip4}}, port: 80, backends: [{ to: "{{Backend(0, false)}}:{{Port}}" }] }]
            """);
        await site.TableAsync(text => text.Contains(Vip4, StringComparison.Ordinal), "the translation is in force");
        async Task<(string?, string?, string?)> ToldAsync(params string[] words)
        {
            var told = await TellAsync(["cnat", "explain", $"{Client4}:40000", Vip4, "tcp:80", .. words]);
            return ((string?)told["verdict"], (string?)told["backend"], (string?)told["takenIn"]);
        }
        Assert.Equal(("passes", $"{Backend(0, false)}:{Port}", "c0"), await ToldAsync());
        Assert.Equal(("passes", $"{Backend(0, false)}:{Port}", null), await ToldAsync("in", "c0"));
        Assert.Equal(("dropped", $"{Backend(0, false)}:{Port}", null), await ToldAsync("in", "b1"));
    }

    /// <summary>The rules would send it there all the same: they are asked before a route is.</summary>
    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task A_connection_to_a_backend_that_no_route_leads_to_is_not_said_to_get_there()
    {
        const string far = "203.0.113.9";
        await site.StartAsync($$"""
            services:
              translations: [{ protocol: tcp, vip: {{Vip4}}, port: 80, backends: [{ to: "{{far}}:{{Port}}" }] }]
            """);
        await site.TableAsync(text => text.Contains(Vip4, StringComparison.Ordinal), "the translation is in force");
        async Task<(string?, string?)> ToldAsync()
        {
            var told = await TellAsync("cnat", "explain", $"{Client4}:40000", Vip4, "tcp:80");
            return ((string?)told["backend"], (string?)told["noRoute"]);
        }
        Assert.Equal(($"{far}:{Port}", far), await ToldAsync());
        var nat = await TellAsync("nat", "explain", Client4, Vip4, "--protocol", "tcp", "--dport", "80");
        Assert.Contains($"no route leads to {far}: it goes no further than here", nat["steps"]!.AsArray().Select(step => (string)step!));
        await site.Node.IpAsync($"route add {far}/32 via {Client4}");
        Assert.Equal(($"{far}:{Port}", null), await ToldAsync());
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task With_the_section_its_connections_end_or_go_on_as_it_has_said_of_backends_and_the_log_says_which()
    {
        const string other = "nat: { enabled: true }\n";
        string Services(string onRemoval) => $"services:\n  onBackendRemoval: {onRemoval}\n  translations:\n"
            + $"    - {{ protocol: tcp, vip: {Vip4}, port: 80, backends: [{{ to: \"{Backend(1, false)}:{Port}\" }}] }}\n";
        async Task<bool> TranslatesAsync() => (await site.ListAsync()).Contains("svc-ports4", StringComparison.Ordinal);
        await site.StartAsync(other + Services("keep"));
        foreach (var (onRemoval, left, goesOn, words) in ((string, string, bool, string)[])
            [
                ("keep", other, true, "go on until they end by themselves (onBackendRemoval: keep)"),
                ("delete", other, false, "end now (onBackendRemoval: delete)"),
                ("keep", "", false, "end now, because the kernel translates no packets of theirs where no rule is left"),
            ])
        {
            await site.ReloadAsync(other + Services(onRemoval));
            await Until.TrueAsync("they are translated", TranslatesAsync, Patience, site.LogAsync);
            using var socket = await Answerer.ConnectAsync(site.Client, Client4, Vip4, 80, seconds: Patience);
            Assert.Equal(Backend(1, false), (await Answerer.AnswerAsync(socket, seconds: Patience)).Server);
            await site.ReloadAsync(left);
            await Until.TrueAsync("they are translated no more", async () => !await TranslatesAsync(), Patience, site.LogAsync);
            await Until.TrueAsync("the log says so", async () => (await site.LogAsync()).Contains(
                $"services are off: connections that they have translated {words}", StringComparison.Ordinal), Patience, site.LogAsync);
            if (goesOn) Assert.True(await socket.GoesOnAsync());
            else await Until.TrueAsync("it has ended", async () => !await socket.GoesOnAsync(5), Patience, site.LogAsync);
        }
    }
}
