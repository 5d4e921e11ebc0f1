using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>Pods as endpoints of workloads (calico-policy-nat.md section 2.1 and appendix C.1).</summary>
public class PodTests
{
    private static Pod One(string name, string spec, string status, string metadata = "", string space = "default") => Manifest.One<Pod>(
        $"{{ apiVersion: v1, kind: Pod, metadata: {{ name: {name}, namespace: {space}, {metadata} }}, "
        + $"spec: {{ {spec} }}, status: {{ {status} }} }}");

    private static Pod Running(string metadata = "") => One("web-0", "nodeName: node-1", "podIPs: [{ ip: 10.0.0.1 }]", metadata);

    [Theory]
    [InlineData("default", "nginx", "cali", "calic440f455693")]
    [InlineData("kube-system", "coredns-abc", "cali", "cali3d5d6ab04b5")]
    [InlineData("ns1", "pod-1", "cali", "cali72c8b75e7ea")]
    [InlineData("default", "web-0", "cali", "cali0d7763386da")]
    [InlineData("default", "web-0", "eni", "eni0d7763386da")]
    public void Its_interface_is_called_by_a_hash_of_its_name(string space, string name, string prefix, string @interface)
    {
        var pod = One(name, "nodeName: n", "podIP: 10.0.0.1", space: space);
        Assert.Equal(@interface, pod.InterfaceName(prefix));
        Assert.Equal(@interface, pod.Endpoint(prefix)!.Interface);
    }

    [Fact]
    public void Its_endpoint_has_what_Calico_gives_it()
    {
        var endpoint = One("web-0", "nodeName: node-1, serviceAccountName: web", "podIPs: [{ ip: 10.0.0.1 }, { ip: '2001:db8::1' }]",
            "labels: { app: web, pcns.a: forged, pcsa.b: forged }, annotations: { big: thing }").Endpoint("cali")!;
        Assert.Equal("WorkloadEndpoint/default/node--1-k8s-web--0-eth0", endpoint.Id.ToString());
        Assert.Equal("{app=web, projectcalico.org/namespace=default, projectcalico.org/orchestrator=k8s, "
            + "projectcalico.org/serviceaccount=web}", endpoint.Labels.ToString());
        Assert.Equal("[kns.default, ksa.default.web]", endpoint.Profiles.ToString());
        Assert.Equal("[10.0.0.1/32, 2001:db8::1/128]", endpoint.Nets.ToString());
        Assert.Equal(("node-1", "k8s", "default/web-0", "eth0"),
            (endpoint.Node, endpoint.Orchestrator, endpoint.Workload, endpoint.Endpoint));
        Assert.Empty(endpoint.Annotations);
    }

    [Fact]
    public void Without_a_service_account_it_has_one_profile_and_one_label_less()
    {
        Assert.Equal("[kns.default]", Running().Profiles.ToString());
        Assert.DoesNotContain("projectcalico.org/serviceaccount", Running().Labels.Keys);
        var account = new string('a', 63);
        var pod = One("a", $"nodeName: n, serviceAccountName: {account}", "podIP: 10.0.0.1");
        Assert.DoesNotContain("projectcalico.org/serviceaccount", pod.Labels.Keys);
        Assert.Equal($"[kns.default, ksa.default.{account}]", pod.Profiles.ToString());
    }

    [Fact]
    public void Its_host_ports_are_those_of_all_its_containers_that_say_one()
    {
        const string containers = "initContainers: [{ ports: [{ containerPort: 1, hostPort: 81 }] }], containers: [{ ports: [{ "
            + "hostPort: 80, containerPort: 8080, hostIP: 192.0.2.1 }, { containerPort: 7 }] }, { ports: [{ hostPort: 53, "
            + "containerPort: 5353, protocol: UDP, hostIP: 0.0.0.0 }] }]";
        Assert.Equal(
            [new(Address.Parse("192.0.2.1"), 80, 6, 8080), new(null, 53, 17, 5353), new(null, 81, 6, 1)],
            One("web-0", $"nodeName: n, {containers}", "podIP: 10.0.0.1").HostPorts);
        Assert.Empty(One("web-0", $"nodeName: n, hostNetwork: true, {containers}", "podIP: 10.0.0.1").HostPorts);
    }

    [Theory]
    [InlineData("podIPs: [{ ip: 10.0.0.1 }], podIP: 10.0.0.9", "", "[10.0.0.1/32]")]
    [InlineData("podIP: 10.0.0.2", "cni.projectcalico.org/podIPs: 10.0.0.9/32", "[10.0.0.2/32]")]
    [InlineData("", "cni.projectcalico.org/podIPs: '10.0.0.3/32,2001:db8::3/128', cni.projectcalico.org/podIP: 10.0.0.9/32",
        "[10.0.0.3/32, 2001:db8::3/128]")]
    [InlineData("", "cni.projectcalico.org/podIP: 10.0.0.4/32, vpc.amazonaws.com/pod-ips: 10.0.0.9", "[10.0.0.4/32]")]
    [InlineData("", "vpc.amazonaws.com/pod-ips: '10.0.0.5, 10.0.0.6'", "[10.0.0.5/32, 10.0.0.6/32]")]
    [InlineData("", "", "[]")]
    [InlineData("phase: Running, podIP: 10.0.0.1", "", "[10.0.0.1/32]")]
    [InlineData("phase: Failed, podIP: 10.0.0.1", "", "[]")]
    [InlineData("phase: Succeeded, podIP: 10.0.0.1", "", "[]")]
    [InlineData("phase: Completed, podIP: 10.0.0.1", "", "[]")]
    public void Its_addresses_are(string status, string annotations, string nets)
    {
        var pod = One("a", "nodeName: n", status, $"annotations: {{ {annotations} }}");
        Assert.Equal(nets, pod.Nets.ToString());
        Assert.Equal(nets == "[]", pod.Endpoint("cali") == null);
    }

    [Theory]
    [InlineData("deletionTimestamp: '2026-01-01T00:00:00Z', annotations: { cni.projectcalico.org/podIP: '' }", "[]")]
    [InlineData("deletionTimestamp: '2026-01-01T00:00:00Z', annotations: { vpc.amazonaws.com/pod-ips: '' }", "[]")]
    [InlineData("deletionTimestamp: '2026-01-01T00:00:00Z', annotations: { cni.projectcalico.org/podIP: 10.0.0.1/32 }", "[10.0.0.1/32]")]
    [InlineData("deletionTimestamp: '2026-01-01T00:00:00Z'", "[10.0.0.1/32]")]
    [InlineData("annotations: { cni.projectcalico.org/podIP: '' }", "[10.0.0.1/32]")]
    public void One_that_ends_keeps_its_addresses_until_the_plugin_has_taken_them(string metadata, string nets) =>
        Assert.Equal(nets, Running(metadata).Nets.ToString());

    [Theory]
    [InlineData("nodeName: n, hostNetwork: true", "podIP: 192.0.2.1")]
    [InlineData("", "podIP: 10.0.0.1")]
    [InlineData("nodeName: n", "")]
    public void These_have_no_endpoint(string spec, string status) => Assert.Null(One("a", spec, status).Endpoint("cali"));

    [Fact]
    public void Ports_with_names_of_all_containers_are_ports_of_the_endpoint()
    {
        var pod = One("a", "nodeName: n, containers: [{ ports: [{ name: http, containerPort: 80 }, { containerPort: 81 }, "
            + "{ name: dns, containerPort: 53, protocol: UDP }, { name: odd, containerPort: 9, protocol: DCCP }] }, {}], "
            + "initContainers: [{ ports: [{ name: side, containerPort: 5000, protocol: SCTP }] }]", "podIP: 10.0.0.1");
        Assert.Equal([new NamedPort("http", 6, 80), new("dns", 17, 53), new("side", 132, 5000)], pod.Endpoint("cali")!.Ports);
    }

    [Fact]
    public void Sources_that_it_may_use_stand_in_an_annotation() => Assert.Equal("[192.0.2.0/24, 2001:db8::/32]", Running(
        "annotations: { cni.projectcalico.org/allowedSourcePrefixes: '[\"192.0.2.1/24\", \"2001:db8::/32\"]' }")
        .Endpoint("cali")!.AllowedSpoofedPrefixes.ToString());

    [Theory]
    [InlineData("annotations: { cni.projectcalico.org/allowedSourcePrefixes: all }", "podIP: 10.0.0.1",
        "metadata.annotations.cni.projectcalico.org/allowedSourcePrefixes")]
    [InlineData("annotations: { cni.projectcalico.org/allowedSourcePrefixes: '[\"192.0.2.1\"]' }", "podIP: 10.0.0.1",
        "metadata.annotations.cni.projectcalico.org/allowedSourcePrefixes")]
    [InlineData("annotations: { cni.projectcalico.org/podIP: 10.0.0.0/24 }", "", "metadata.annotations.cni.projectcalico.org/podIP")]
    [InlineData("", "podIP: ten", "status.podIP")]
    [InlineData("", "podIPs: [{ ip: 10.0.0.0/24 }]", "status.podIPs[0].ip")]
    public void It_is_refused_for(string metadata, string status, string field)
    {
        var definition = Assert.Single(Manifest.Read(
            $"{{ apiVersion: v1, kind: Pod, metadata: {{ name: a, {metadata} }}, "
            + $"spec: {{ nodeName: n }}, status: {{ {status} }} }}").Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(field, Assert.Single(definition.Problems).Field);
    }

    [Fact]
    public void Pods_of_one_deployment_share_what_they_have_in_common()
    {
        var (one, two) = (Of(1), Of(2));
        Assert.Same(one.Labels, two.Labels);
        Assert.Same(one.Node, two.Node);
        Assert.Same(one.Profiles[0], two.Profiles[0]);
        Assert.Same(one.Ports[0], two.Ports[0]);
    }

    /// <summary>As an API server spells it, with much that nobody asks for.</summary>
    private static Pod Of(int number)
    {
        var address = $"10.1.{number / 250}.{number % 250}";
        var json = $$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-{{{number}}}","namespace":"shop","uid":"7f0c-{{{number}}}",
            "labels":{"app":"web","tier":"front","pod-template-hash":"5d59d67564"},
            "annotations":{"cni.projectcalico.org/containerID":"{{{new string('c', 64)}}}",
            "cni.projectcalico.org/podIP":"{{{address}}}/32"}},
            "spec":{"nodeName":"node-7","serviceAccountName":"web","containers":[{"name":"web","image":"example.org/web:1",
            "env":[{"name":"A","value":"{{{new string('e', 200)}}}"}],"ports":[{"name":"http","containerPort":80,"protocol":"TCP"}]}]},
            "status":{"phase":"Running","podIP":"{{{address}}}","podIPs":[{"ip":"{{{address}}}"}]}}
            """;
        var item = ApiObject.Parse(Encoding.UTF8.GetBytes(json), out _)!;
        return Assert.IsType<Pod>(Assert.Single(ResourceJson.Read(item, Kinds.Pod.Names[0], "kubernetes").Definitions).Value);
    }

    [Fact]
    public void Ten_thousand_pods_cost_little()
    {
        const int Count = 10_000;
        var pods = new Pod[Count];
        _ = Of(0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var number = 0; number < Count; number++) pods[number] = Of(number);
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
        GC.KeepAlive(pods);
        // The pod, its metadata, its name and its address; all else is shared.
        Assert.True(each < 400, $"{each} octets a pod");
    }
}
