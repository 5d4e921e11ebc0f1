using System.Text.Json;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>bgpctl policy explain --config, from files to JSON, without a daemon.</summary>
public sealed class PolicyTests : IDisposable
{
    private const string World = OfflineLab.Shop + """
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: pods }
        spec: { cidr: 192.168.0.0/16, natOutgoing: true }
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: client, namespace: shop, labels: { role: client } }
        spec: { nodeName: a, containers: [] }
        status: { podIPs: [{ ip: 192.168.1.3 }] }
        ---
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: { name: web, namespace: shop }
        spec:
          selector: role == 'web'
          ingress:
          - { action: Deny, protocol: TCP, destination: { ports: [81] } }
          - { action: Allow, protocol: TCP, source: { selector: role == 'client' }, destination: { ports: [80] } }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: web, namespace: shop }
        spec: { clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{ name: http, protocol: TCP, port: 8080 }] }
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: web-1, namespace: shop, labels: { kubernetes.io/service-name: web } }
        addressType: IPv4
        ports: [{ name: http, protocol: TCP, port: 80 }]
        endpoints: [{ addresses: [192.168.1.2] }]
        ---
        apiVersion: projectcalico.org/v3
        kind: HostEndpoint
        metadata: { name: a-eth0 }
        spec: { node: a, interfaceName: eth0 }
        """;

    private readonly OfflineLab lab = new();

    public PolicyTests() => lab.Write(World, "nat: { enabled: true }\npolicy: { enabled: true }\n");

    public void Dispose() => lab.Dispose();

    private async Task<JsonElement> ExplainAsync(params string[] asked)
    {
        var code = await lab.RunAsync(["policy", "explain", .. asked, "--json"]);
        Assert.True(code == 0, lab.Errors.ToString());
        return JsonDocument.Parse(lab.Output.ToString()).RootElement;
    }

    private static string Lines(JsonElement answer) => string.Join("\n", answer.GetProperty("programs").EnumerateArray().Select(one =>
        string.Join(" | ", one.EnumerateObject().SkipLast(1).Select(field => field.Value.ToString()))));

    [Fact]
    public async Task A_pod_is_let_through_by_the_rule_that_selects_it()
    {
        var answer = await ExplainAsync("shop/client", "shop/web", "tcp:80");
        Assert.Equal("allow", answer.GetProperty("verdict").GetString());
        Assert.Equal(
            """
            pod egress | shop/client | allow |  | kns.shop | 0
            pod ingress | shop/web | allow | default | web | 1
            """, Lines(answer));
        Assert.Contains("role == 'client'", answer.GetProperty("programs")[1].GetProperty("reason").GetString());
        Assert.Contains("192.168.1.3", answer.GetProperty("programs")[1].GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("shop/client", "tcp:81", "web", "0")]
    [InlineData("shop/client", "tcp:82", "", "")]
    [InlineData("172.16.0.9", "tcp:80", "", "")]
    public async Task What_is_denied_names_its_rule_or_the_end_of_the_tier(string from, string protocol, string policy, string rule)
    {
        var answer = await ExplainAsync(from, "shop/web", protocol);
        Assert.Equal("deny", answer.GetProperty("verdict").GetString());
        var last = answer.GetProperty("programs").EnumerateArray().Last();
        Assert.Equal(("pod ingress", "deny", "default"), (last.GetProperty("program").GetString(),
            last.GetProperty("verdict").GetString(), last.GetProperty("tier").GetString()));
        Assert.Equal((policy, rule), (last.GetProperty("policy").ToString(), last.GetProperty("rule").ToString()));
    }

    [Fact]
    public async Task A_services_address_leads_to_its_endpoint_and_that_others_translate_is_said_to_be_unknown()
    {
        var answer = await ExplainAsync("shop/client", "10.96.0.10", "tcp:8080");
        Assert.Equal("allow", answer.GetProperty("verdict").GetString());
        var nat = answer.GetProperty("nat");
        Assert.Equal("192.168.1.2:80", nat.GetProperty("destination").GetString());
        Assert.Contains("unknown without the daemon", nat.GetProperty("why").GetString());
    }

    [Theory]
    [InlineData("tcp:22", "allow", "failsafe port")]
    [InlineData("tcp:8080", "deny", "no profile allows it")]
    [InlineData("icmp", "deny", "no profile allows it")]
    public async Task A_host_endpoint_without_policies_leaves_failsafe_ports_open(string protocol, string verdict, string reason)
    {
        var answer = await ExplainAsync("172.16.0.9", "10.0.0.1", protocol);
        Assert.Equal(verdict, answer.GetProperty("verdict").GetString());
        var last = answer.GetProperty("programs").EnumerateArray().Last();
        Assert.Equal(("normal-in", "a-eth0", reason), (last.GetProperty("program").GetString(),
            last.GetProperty("endpoint").GetString(), last.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task What_leaves_the_pools_is_translated_behind_the_policies()
    {
        var answer = await ExplainAsync("shop/client", "8.8.8.8", "udp:53");
        Assert.Equal("10.0.0.1", answer.GetProperty("nat").GetProperty("source").GetString());
    }

    [Theory]
    [InlineData("80", "80 is taken for the number of an IP protocol; the port is asked about by tcp:80 or udp:80")]
    [InlineData("47", "47 is taken for the IP protocol GRE")]
    public async Task A_number_is_a_protocol_and_which_one_is_said(string number, string note)
    {
        var answer = await ExplainAsync("shop/client", "shop/web", number);
        Assert.Equal([note], answer.GetProperty("notes").EnumerateArray().Select(one => one.GetString()));
    }

    [Fact]
    public async Task What_is_unknown_for_want_of_the_interface_that_it_comes_in_by_names_the_option()
    {
        string[] words = ["policy", "explain", "172.16.0.9", "10.0.0.1", "tcp:8080"];
        File.AppendAllText(lab.In("r/all.yaml"), """

            ---
            apiVersion: projectcalico.org/v3
            kind: HostEndpoint
            metadata: { name: a-eth1 }
            spec: { node: a, interfaceName: eth1, profiles: [projectcalico-default-allow] }
            """);
        Assert.Equal(0, await lab.RunAsync(words));
        Assert.StartsWith("unknown\n", lab.Output.ToString(), StringComparison.Ordinal);
        Assert.Contains(
            "\nby which interface it comes in is not known: no route to 172.16.0.9 is; --from-interface IF says it\n- to 10.0.0.1",
            lab.Output.ToString(), StringComparison.Ordinal);

        lab.Output.GetStringBuilder().Clear();
        Assert.Equal(0, await lab.RunAsync([.. words, "--from-interface", "eth1"]));
        Assert.StartsWith("allow\n", lab.Output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("--from-interface", lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop/nobody", "tcp:80", "expected an address or the NAMESPACE/NAME of a pod that has one, got shop/nobody")]
    [InlineData("10.0.0.9", "tcp:http", "expected a port from 0 to 65535 behind tcp:, got \"http\"")]
    [InlineData("10.0.0.9", "icmp:8/999", "expected TYPE or TYPE/CODE behind icmp:, got \"8/999\"")]
    [InlineData("10.0.0.9", "quic:1", "or a number, got \"quic:1\"")]
    [InlineData("2001:db8::1", "tcp:80", "expected two ends with addresses of one family")]
    public async Task A_question_that_makes_no_sense_is_refused(string from, string protocol, string problem)
    {
        Assert.Equal(1, await lab.RunAsync("policy", "explain", from, "shop/web", protocol));
        Assert.Contains(problem, lab.Errors.ToString());
    }
}
