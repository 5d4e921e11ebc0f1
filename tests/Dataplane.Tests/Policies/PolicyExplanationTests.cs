using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Net;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>What is explained of questions as people ask them: without a source port, of the host itself, with a slip.</summary>
public sealed class PolicyExplanationTests : IDisposable
{
    private const string Node = """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: node1 }
        spec: { bgp: { ipv4Address: 172.20.0.1/24 } }
        ---
        apiVersion: projectcalico.org/v3
        kind: HostEndpoint
        metadata: { name: uplink, labels: { at: edge } }
        spec: { node: node1, interfaceName: eth0, expectedIPs: [172.20.0.1] }
        """;

    private const string Untracked = """

        ---
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkPolicy
        metadata: { name: dns }
        spec:
          selector: at == 'edge'
          applyOnForward: true
          doNotTrack: true
          types: [Ingress, Egress]
          ingress: [{ action: Allow, protocol: UDP, destination: { ports: [53] } }]
          egress: [{ action: Allow, protocol: UDP, destination: { ports: [123] } }]
        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("explained");

    public void Dispose() => folder.Delete(recursive: true);

    private OfflinePolicy Policy(string objects)
    {
        File.WriteAllText(Path.Combine(folder.FullName, "all.yaml"), objects);
        return new(new("node1", Policy: new() { Enabled = true }), YamlFiles.Load(folder.FullName).Begin());
    }

    private static PolicyQuestion Question(string source, string destination, string protocol, string? from = null)
    {
        Assert.Null(PolicyQuestion.Read(source, destination, protocol, from, out var question));
        return question!;
    }

    private static string Told(PolicyExplanation explanation) => $"{explanation.Verdict}: "
        + string.Join(", ", explanation.Programs.Select(one => $"{one.Program} {one.Policy} {one.Rule}: {one.Verdict}"))
        + string.Concat(explanation.DependsOn.Select(one => $"; {one}"));

    /// <summary>In front of connection tracking failsafe ports are open to their answers, too: no first packet is one.</summary>
    [Theory]
    [InlineData("198.51.100.1", "172.20.0.1", "udp:53", "allow: untracked in dns 0: allow")]
    [InlineData("198.51.100.1", "172.20.0.1", "udp:54", "deny: untracked in  : continue, normal-in  : deny")]
    [InlineData("172.20.0.1", "198.51.100.1", "udp:123", "allow: untracked out dns 0: allow")]
    [InlineData("172.20.0.1", "198.51.100.1", "tcp:80", "deny: untracked out  : continue, normal-out  : deny")]
    public void A_policy_that_tracks_nothing_leaves_nothing_open_where_no_source_port_is_said(
        string source, string destination, string protocol, string told) =>
        Assert.Equal(told, Told(Policy(Node + Untracked).Explain(Question(source, destination, protocol))));

    [Fact]
    public void What_the_host_says_to_itself_passes_by_the_loopback() =>
        Assert.Equal("allow: ", Told(Policy(Node).Explain(Question("172.20.0.1", "172.20.0.1", "tcp:80"))));

    private sealed class Host : IPolicyHost
    {
        public bool? IsLocal(Address address) => address == Address.Parse("172.20.0.1");
        public bool? IsLocalOn(Address address, string link) => IsLocal(address);
        public bool? ComesBackBy(Address source, uint mark, string link) => true;
        public string? LinkTo(Address address) => address == Address.Parse("192.168.1.9") ? "cali9" : "eth0";
        public Address? Masqueraded(string link, Address towards) => null;
        public IReadOnlyCollection<string>? Links { get; init; } = ["eth0", "cali9"];
    }

    /// <summary>The host's own packets to it pass, and nothing comes back.</summary>
    [Fact]
    public void A_workload_that_nobody_has_named_is_said_not_to_answer()
    {
        var explanation = Policy("").Explain(Question("172.20.0.1", "192.168.1.9", "tcp:80"), new Host());
        Assert.Equal(("allow: ", "its answers are dropped: no endpoint is known here (cali9)"),
            (Told(explanation), string.Join("; ", explanation.Notes)));
        Assert.Equal("deny", Policy("").Explain(Question("198.51.100.1", "192.168.1.9", "tcp:80"), new Host()).Verdict);
    }

    private const string Nginx = """
        apiVersion: v1
        kind: Pod
        metadata: { name: nginx, namespace: default }
        spec: { nodeName: node1, containers: [] }
        status: { podIPs: [{ ip: 192.168.1.9 }] }
        """;

    /// <summary>Its veth is not called as Calico's CNI plugin would call it: what the packet meets is told, and why.</summary>
    [Theory]
    [InlineData("198.51.100.1", "default/nginx")]
    [InlineData("default/nginx", "198.51.100.1")]
    public void A_pod_whose_interface_has_another_name_is_dropped_and_the_name_is_told(string source, string destination)
    {
        var explanation = Policy(Nginx).Explain(Question(source, destination, "tcp:80"), new Host());
        Assert.Equal("deny", explanation.Verdict);
        Assert.Equal("no endpoint is known here", Assert.Single(explanation.Programs).Reason);
        Assert.Equal(
            "Pod/default/nginx: its interface calic440f455693 (cali and SHA-1 of default.nginx) is not here; a route leads to 192.168.1.9 "
            + "by cali9, where no endpoint is known: all that it sends and gets there is dropped", Assert.Single(explanation.Notes));
    }

    [Fact]
    public void A_pod_whose_interface_is_there_is_asked_by_it()
    {
        var explanation = Policy(Nginx).Explain(
            Question("default/nginx", "198.51.100.1", "tcp:80"), new Host { Links = ["eth0", "calic440f455693"] });
        Assert.Equal("pod egress", Assert.Single(explanation.Programs).Program);
    }

    [Theory]
    [InlineData("eth0", "deny: normal-in  : deny", "")]
    [InlineData("etho", "allow: ", "no interface etho is here: what is said holds for one that no endpoint has")]
    public void An_interface_that_is_not_there_is_told_of(string from, string told, string note)
    {
        var explanation = Policy(Node).Explain(Question("198.51.100.1", "172.20.0.1", "tcp:80", from), new Host());
        Assert.Equal((told, note), (Told(explanation), string.Join("; ", explanation.Notes)));
    }
}
