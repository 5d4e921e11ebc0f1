using System.Net;
using System.Text.RegularExpressions;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>
/// kube-proxy's policies as packets: kinds of addresses × traffic policy × where endpoints are × who calls × TCP or UDP × family. The
/// first backend is a pod of this node; the second stands on another one.
/// </summary>
public sealed class KubernetesServiceTests : IAsyncLifetime
{
    private const int NodePort = 30000;
    private static readonly bool[] Families = [false, true];
    private static readonly string[] Kinds = ["clusterIP", "externalIP", "loadBalancer", "nodePort"];
    private static readonly string[] Endpoints = ["here", "elsewhere", "nowhere", "ending here"];
    private static readonly string[] Callers = ["pod", "node", "outside"];

    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private sealed record Case(string Kind, bool Local, int Endpoints, string Caller, bool Tcp, bool Six)
    {
        public int Number => Endpoints + (Local ? KubernetesServiceTests.Endpoints.Length : 0) + 1;

        public override string ToString() => $"{Caller} to {Kind}, {(Tcp ? "TCP" : "UDP")}, {(Local ? "Local" : "Cluster")}, endpoints "
            + $"{KubernetesServiceTests.Endpoints[Endpoints]}, {(Six ? "IPv6" : "IPv4")}";

        public (string Address, int Port) Called => Kind switch
        {
            "clusterIP" => (Six ? $"fd96::{Number}" : $"10.96.0.{Number}", 80),
            "externalIP" => (Six ? $"fd98::{Number}" : $"198.51.100.{Number}", 80),
            "loadBalancer" => (Six ? $"fd99::{Number}" : $"203.0.113.{Number}", 80),
            _ => (Six ? Node6 : Node4, NodePort + Number),
        };

        private string Source => Caller switch
        {
            "pod" => Backend(0, Six),
            "node" => Six ? Node6 : Node4,
            _ => Six ? Client6 : Client4,
        };

        public async Task<string> AskAsync(ServiceSite site, bool expectsAnswer)
        {
            var from = Caller switch { "pod" => site.Backends[0], "node" => site.Node, _ => site.Client };
            var (address, port) = Called;
            var answer = await Answerer.AskAsync(from, Source, address, port, Tcp, attempts: expectsAnswer ? 4 : 1);
            return answer == null ? "nobody" : $"{answer.Server} sees {answer.Seen.Address}";
        }

        /// <summary>What kube-proxy's documentation says, but that an endpoint here sees whoever calls, which kube-proxy hides.</summary>
        public string Expected
        {
            get
            {
                var here = Local && (Kind == "clusterIP" || Caller == "outside");
                int? server = (KubernetesServiceTests.Endpoints[Endpoints], here) switch
                {
                    ("here", _) or ("ending here", true) => 0,
                    ("elsewhere", false) or ("ending here", false) => 1,
                    _ => null,
                };
                var seen = (server, Caller) switch
                {
                    (0, "pod") => Gateway(0, Six), // it speaks to itself
                    (0, _) => Source,
                    (_, "pod") when Kind == "clusterIP" => Source,
                    (_, "pod") when Local && Kind != "clusterIP" => Source,
                    _ => Gateway(1, Six),
                };
                return server is { } number ? $"{Backend(number, Six)} sees {IPAddress.Parse(seen)}" : "nobody";
            }
        }
    }

    private static string Endpoint(int backend, bool six, bool ending = false) =>
        $"{{ addresses: [\"{Backend(backend, six)}\"], nodeName: node{backend + 1}, "
        + $"conditions: {{ ready: {(ending ? "false" : "true")}, serving: true, terminating: {(ending ? "true" : "false")} }} }}";

    private static string EndpointsOf(int which, bool six) => Endpoints[which] switch
    {
        "here" => Endpoint(0, six),
        "elsewhere" => Endpoint(1, six),
        "nowhere" => "",
        _ => $"{Endpoint(0, six, ending: true)}, {Endpoint(1, six)}",
    };

    private static string ServiceOf(Case one)
    {
        Case Of(string kind, bool six) => one with { Kind = kind, Six = six };
        string Both(string kind) => string.Join(", ", Families.Select(six => $"\"{Of(kind, six).Called.Address}\""));
        var balancers = string.Join(", ", Families.Select(six => $"{{ ip: \"{Of("loadBalancer", six).Called.Address}\" }}"));
        var policy = one.Local ? "Local" : "Cluster";
        return $$"""
            ---
            apiVersion: v1
            kind: Service
            metadata: { name: s{{one.Number}}, namespace: shop }
            spec:
              type: LoadBalancer
              clusterIPs: [{{Both("clusterIP")}}]
              externalIPs: [{{Both("externalIP")}}]
              externalTrafficPolicy: {{policy}}
              internalTrafficPolicy: {{policy}}
              ports:
                - { name: http, port: 80, nodePort: {{NodePort + one.Number}} }
                - { name: http3, port: 80, protocol: UDP, nodePort: {{NodePort + one.Number}} }
            status:
              loadBalancer: { ingress: [{{balancers}}] }

            """ + string.Concat(Families.Select(six => $$"""
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: s{{one.Number}}-{{(six ? 6 : 4)}}, namespace: shop, labels: { kubernetes.io/service-name: s{{one.Number}} } }
            addressType: {{(six ? "IPv6" : "IPv4")}}
            endpoints: [{{EndpointsOf(one.Endpoints, six)}}]
            ports: [{ name: http, port: {{Port}} }, { name: http3, port: {{Port}}, protocol: UDP }]

            """));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Who_calls_a_service_gets_the_endpoint_that_kube_proxy_would_give_him_and_is_seen_as_he_would_be()
    {
        using var folder = new Scratch();
        foreach (var range in (string[])["10.96.0.0/24", "198.51.100.0/24", "203.0.113.0/24"])
            await site.Node.IpAsync($"route add {range} dev b2");
        foreach (var range in (string[])["fd96::/64", "fd98::/64", "fd99::/64"])
            await site.Node.IpAsync($"-6 route add {range} dev b2");
        var cases = (
            from kind in Kinds
            from local in (bool[])[false, true]
            from which in Enumerable.Range(0, Endpoints.Length)
            from caller in Callers
            from tcp in (bool[])[true, false]
            from six in Families
            select new Case(kind, local, which, caller, tcp, six)).ToArray();
        await File.WriteAllTextAsync(folder.PathOf("all.yaml"), ServiceSite.Objects + string.Concat(
            cases.DistinctBy(one => one.Number).Select(ServiceOf)));
        await site.StartAsync($"sources: [{{ files: {folder.PathOf("")} }}]\nservices: {{ kubernetes: true }}");
        var answers = await Task.WhenAll(cases.Select(async one => $"{one}: {await one.AskAsync(site, one.Expected != "nobody")}"));
        Assert.Equal(384, answers.Length);
        Assert.Equal(cases.Select(one => $"{one}: {one.Expected}"), answers);
        Assert.True((await site.Node.RunAsync("nft", "-j", "list", "ruleset")).Good);
    }

    /// <summary>examples/17-kubernetes-services, as it stands there: packets fare as its README says.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task The_example_does_what_it_says()
    {
        var example = Project.PathOf("examples", "17-kubernetes-services");
        var lines = (await File.ReadAllLinesAsync(Path.Combine(example, "bgpd.yaml")))
            .SkipWhile(line => !line.StartsWith("sources:", StringComparison.Ordinal))
            .TakeWhile(line => !line.StartsWith("control:", StringComparison.Ordinal));
        foreach (var range in (string[])["10.96.0.0/24", "203.0.113.0/24"]) await site.Node.IpAsync($"route add {range} dev b2");
        foreach (var range in (string[])["fd96::/64", "fd99::/64"]) await site.Node.IpAsync($"-6 route add {range} dev b2");
        await site.StartAsync(
            string.Join('\n', lines).Replace("./resources", Path.Combine(example, "resources"), StringComparison.Ordinal));
        foreach (var six in Families)
        {
            Task<Answered?> Ask(Netns from, string source, string address, int port) =>
                Answerer.AskAsync(from, source, address, port, tcp: true);
            var client = six ? Client6 : Client4;
            foreach (var (address, port) in ((string, int)[])[(six ? "fd99::10" : "203.0.113.10", 80), (six ? Node6 : Node4, 30080)])
                Assert.Equal(Backend(0, six), (await Ask(site.Client, client, address, port))?.Server);
            // It keeps its pod, whichever of the two that is.
            var servers = new HashSet<string?>();
            for (var i = 0; i < 10; i++) servers.Add((await Ask(site.Client, client, six ? "fd96::10" : "10.96.0.10", 80))?.Server);
            Assert.Contains(Assert.Single(servers), (string[])[Backend(0, six), Backend(1, six)]);
            Assert.Equal(six ? "fd30::77" : "30.0.0.77",
                (await Ask(site.Client, client, Backend(0, six), Port))?.Seen.Address.ToString());
            Assert.Equal(client, (await Ask(site.Client, client, Backend(1, six), Port))?.Seen.Address.ToString());
        }
        // The port is open once the translations are in force, and not before.
        var health = "";
        await Until.TrueAsync("the load balancer hears of its endpoint", async () =>
        {
            var asked = await site.Client.RunAsync("curl", "-s", "--max-time", "20", "-w", "%{http_code}", $"http://{Node4}:32000/");
            return Regex.IsMatch(health = asked.Output, "\"localEndpoints\": 1,[^2]*200$");
        }, Patience, () => health);
    }

    [NeedsFact(Needs.Daemon, "nft", "birdc")]
    public async Task A_load_balancers_address_is_announced_while_its_translation_leads_somewhere_and_no_longer()
    {
        using var folder = new Scratch();
        var web = new Case("loadBalancer", true, 0, "outside", true, false);
        const string other = "203.0.113.99";
        string Objects(params string[] services) => ServiceSite.Objects + """
            ---
            apiVersion: projectcalico.org/v3
            kind: BGPConfiguration
            metadata: { name: default }
            spec: { serviceLoadBalancerIPs: [{ cidr: 203.0.113.0/24 }] }

            """ + string.Concat(services);
        // Of the one an endpoint is here and ready, and none of its ports is the service's.
        var nowhere = ServiceOf(web).Replace($"s{web.Number}", "hollow", StringComparison.Ordinal)
            .Replace(web.Called.Address, other, StringComparison.Ordinal)
            .Replace("ports: [{ name: http,", "ports: [{ name: other,", StringComparison.Ordinal)
            .Replace($"name: http3, port: {Port},", $"name: other3, port: {Port},", StringComparison.Ordinal)
            .Replace("10.96.0.", "10.96.1.", StringComparison.Ordinal)
            .Replace($"{NodePort + web.Number}", "30999", StringComparison.Ordinal);
        await File.WriteAllTextAsync(folder.PathOf("all.yaml"), Objects(ServiceOf(web), nowhere));
        await site.StartAsync($"sources: [{{ files: {folder.PathOf("")} }}]\nservices: {{ kubernetes: true, drainTime: 1h }}");
        async Task<string> RoutesAsync() => (await site.Node.RunAsync("birdc", "-s", site.Control, "show", "route")).Output;
        Task AnnouncedAsync(bool isSo) => Until.TrueAsync($"it is {(isSo ? "" : "not ")}announced",
            async () => (await RoutesAsync()).Contains($"{web.Called.Address}/32", StringComparison.Ordinal) == isSo, Patience,
            async () => await RoutesAsync() + await site.LogAsync());
        await AnnouncedAsync(true);
        Assert.Contains($"{web.Called.Address} . tcp . 80", await site.ListAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(other, await RoutesAsync(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(folder.PathOf("all.yaml"), Objects(ServiceOf(web with { Endpoints = 2 }), nowhere));
        await AnnouncedAsync(false);
        await File.WriteAllTextAsync(folder.PathOf("all.yaml"), Objects(ServiceOf(web), nowhere));
        await AnnouncedAsync(true);
        await File.WriteAllTextAsync(folder.PathOf("all.yaml"), Objects(nowhere));
        await AnnouncedAsync(false);
        // Routers elsewhere have yet to hear of it.
        var answered = await Answerer.AskAsync(site.Client, Client4, web.Called.Address, 80, tcp: true);
        Assert.Equal(Backend(0, false), answered?.Server);
        var shown = (await site.CnatAsync("show", "translation")).Output.Split('\n');
        Assert.All(shown.Where(line => line.Contains(web.Called.Address, StringComparison.Ordinal)),
            line => Assert.Contains("its Service is gone, and its address withdrawn", line, StringComparison.Ordinal));
        Assert.DoesNotContain(shown, line => line.Contains($"10.96.0.{web.Number} ", StringComparison.Ordinal));
    }

    /// <summary>What each of kube-proxy's modes leaves in the kernel by which it is known.</summary>
    [NeedsTheory(Needs.Daemon, "nft", "iptables-legacy")]
    [InlineData("nftables", "nft add table ip6 kube-proxy", "nft delete table ip6 kube-proxy")]
    [InlineData("iptables", "nft add table ip nat; nft add chain ip nat KUBE-SERVICES", "nft delete table ip nat")]
    [InlineData("iptables", "iptables-legacy -t nat -N KUBE-SERVICES", "iptables-legacy -t nat -X KUBE-SERVICES")]
    [InlineData("iptables", "ip6tables-legacy -t nat -N KUBE-SERVICES", "ip6tables-legacy -t nat -E KUBE-SERVICES KUBE-SERVICE")]
    [InlineData("IPVS", "ip link add kube-ipvs0 type bridge", "ip link del kube-ipvs0")]
    public async Task Beside_a_kube_proxy_services_are_left_to_it_in_words_and_taken_when_it_is_gone(string mode, string add, string remove)
    {
        using var folder = new Scratch();
        await site.Node.IpAsync("route add 10.96.0.0/24 dev b2");
        await File.WriteAllTextAsync(folder.PathOf("all.yaml"), Objects + ServiceOf(new("clusterIP", false, 1, "outside", true, false)));
        await site.Node.DoAsync("sh", "-c", add);
        await site.StartAsync($"sources: [{{ files: {folder.PathOf("")} }}]\nservices: {{ kubernetes: true }}");
        await Until.TrueAsync("it is said", async () => (await site.LogAsync()).Contains(
            $"Kubernetes' services are left to it: kube-proxy is here, in {mode} mode", StringComparison.Ordinal), Patience, site.LogAsync);
        Assert.DoesNotContain("10.96.0.", await site.ListAsync(), StringComparison.Ordinal);
        await site.Node.DoAsync("sh", "-c", remove);
        await site.TableAsync(table => table.Contains("10.96.0.", StringComparison.Ordinal), "its services are ours");
        Assert.Contains("services: no longer so: Kubernetes' services are left to it", await site.LogAsync(), StringComparison.Ordinal);
    }
}
