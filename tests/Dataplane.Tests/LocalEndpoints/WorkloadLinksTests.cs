using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.LocalEndpoints;

/// <summary>Where interfaces are called otherwise than their workloads': what is told of it.</summary>
public sealed class WorkloadLinksTests
{
    private sealed class Host(params IReadOnlyCollection<string> links) : ILinks
    {
        public IReadOnlyCollection<string>? Links => links;
        public Dictionary<string, string> Ways { get; } = [];
        public string? LinkTo(Address address) => Ways.GetValueOrDefault(address.ToString());
    }

    private readonly EndpointTable table = new(_ => { }, _ => { });

    public WorkloadLinksTests() => table.Configure(new("node1", [], false));

    private string[] Found(ILinks host) =>
        [.. new WorkloadLinks(table).Found(host).Select(one => $"{one.Trap} {one.Object}: {one.Reason}")];

    private void Have(params Resource[] objects)
    {
        foreach (var change in Come(objects)) table.Apply(change);
    }

    private static Pod Nginx => new(new Metadata("nginx", "default")) { Node = "node1", Nets = [Prefix.Parse("10.65.0.2/32")] };

    private static WorkloadEndpoint Endpoint(string name, string link, string address) => new(new Metadata(name, "default"))
    {
        Node = "node1",
        Interface = link,
        Nets = [Prefix.Parse($"{address}/32")],
        Workload = $"default.{name}",
    };

    private const string Missing =
        "NoInterface Pod/default/nginx: its interface calic440f455693 (cali and SHA-1 of default.nginx) is not here";

    [Theory]
    [InlineData("cali123",
        "; a route leads to 10.65.0.2 by cali123, where no endpoint is known: all that it sends and gets there is dropped")]
    [InlineData("veth7", "; a route leads to 10.65.0.2 by veth7, which is no workload's by its name: no policy of it is asked there")]
    [InlineData("", "; no route is known to lead to 10.65.0.2")]
    public void A_pod_whose_interface_has_another_name_is_named_with_the_one_that_its_route_has(string way, string words)
    {
        Have(Nginx);
        var host = new Host("eth0", "veth7", "cali123");
        if (way.Length > 0) host.Ways["10.65.0.2"] = way;
        Assert.Equal(
            [
                Missing + words,
                "UnknownInterface cali123: it is a workload's by its name, and no endpoint is known there: all that it sends and gets is "
                    + "dropped",
            ], Found(host));
    }

    [Fact]
    public void Nothing_is_said_once_the_interface_is_there_and_again_when_it_goes()
    {
        Have(Nginx);
        Assert.Equal([], Found(new Host("eth0", "calic440f455693")));
        Assert.Equal([$"{Missing}; no route is known to lead to 10.65.0.2"], Found(new Host("eth0")));
    }

    [Fact]
    public void A_route_by_another_workloads_interface_names_it()
    {
        Have(Nginx, Endpoint("other", "cali7", "10.65.0.7"));
        Assert.Equal(
            [$"{Missing}; a route leads to 10.65.0.2 by cali7, which is WorkloadEndpoint/default/other's"],
            Found(new Host("cali7") { Ways = { ["10.65.0.2"] = "cali7" } }));
    }

    [Fact]
    public void A_workload_endpoint_says_its_own_interface()
    {
        Have(Endpoint("vm", "cali7", "10.65.0.7"));
        Assert.Equal(
            [
                "NoInterface WorkloadEndpoint/default/vm: its interface cali7 (its interfaceName) is not here; a route leads to "
                    + "10.65.0.7 by eth0, which is no workload's by its name: no policy of it is asked there",
            ], Found(new Host("eth0") { Ways = { ["10.65.0.7"] = "eth0" } }));
    }

    [Fact]
    public void Of_two_workloads_on_one_interface_the_one_that_does_not_count_is_named()
    {
        Have(Endpoint("a", "cali7", "10.65.0.7"), Endpoint("b", "cali7", "10.65.0.8"));
        const string Shadowed = "cali7 is the interface of WorkloadEndpoint/default/a, too, which comes first "
            + "and counts";
        Assert.Equal([$"NoInterface WorkloadEndpoint/default/b: {Shadowed}"], Found(new Host("cali7")));
        Assert.Equal($"WorkloadEndpoint/default/b: {Shadowed}", new WorkloadLinks(table).Of(Address.Parse("10.65.0.8"), new Host("cali7")));
    }

    [Fact]
    public void A_workload_that_a_pod_and_a_WorkloadEndpoint_say_alike_is_one() =>
        Assert.Equal([], Have(Nginx, Endpoint("nginx", "calic440f455693", "10.65.0.2"), new Host("calic440f455693")));

    private string[] Have(Resource one, Resource two, ILinks host)
    {
        Have(one, two);
        return Found(host);
    }

    [Fact]
    public void A_route_that_leads_elsewhere_than_to_the_interface_or_nowhere_is_told_of_the_address()
    {
        Have(Nginx);
        var host = new Host("eth0", "calic440f455693") { Ways = { ["10.65.0.2"] = "eth0" } };
        Assert.Equal("Pod/default/nginx: a route leads to 10.65.0.2 by eth0, and not by its interface calic440f455693",
            new WorkloadLinks(table).Of(Address.Parse("10.65.0.2"), host));
        host.Ways.Clear();
        Assert.Equal("Pod/default/nginx: no route is known to lead to 10.65.0.2",
            new WorkloadLinks(table).Of(Address.Parse("10.65.0.2"), host));
        host.Ways["10.65.0.2"] = "calic440f455693";
        Assert.Null(new WorkloadLinks(table).Of(Address.Parse("10.65.0.2"), host));
    }
}
