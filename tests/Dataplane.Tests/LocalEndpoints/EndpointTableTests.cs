using System.Collections.Immutable;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.LocalEndpoints;

public class EndpointTableTests
{
    private static readonly EndpointSettings Here = new("node1", [], false);

    /// <summary>The table, and what it has told.</summary>
    private sealed class Watched
    {
        private readonly Dictionary<ResourceId, Resource> objects = [];
        private readonly Dictionary<string, LocalEndpoint> told = [];
        private readonly HashSet<(Selector, ResourceId)> selected = [];

        public Watched()
        {
            Table = new(Tell, change => Assert.True(change.IsIn
                ? selected.Add((change.Selector, change.Item)) : selected.Remove((change.Selector, change.Item))));
            Table.Selectors.Use(Selector.Parse("has(a)"));
            Table.Configure(Settings);
        }

        public EndpointTable Table { get; }
        public EndpointSettings Settings { get; private set; } = Here;
        public KernelSnapshot Machine { get; private set; } = KernelSnapshot.Empty;
        public int Changes { get; private set; }

        private void Tell(EndpointChange change)
        {
            Assert.Equal(told.GetValueOrDefault(change.Interface), change.Before);
            Assert.NotEqual(change.Before, change.After);
            if (change.After == null) told.Remove(change.Interface);
            else told[change.Interface] = change.After;
            Changes++;
        }

        public void Put(Resource now)
        {
            var before = objects.GetValueOrDefault(now.Id);
            objects[now.Id] = now;
            Table.Apply(new ResourceChange(now.Kind, now.Key, before, now));
        }

        public void Remove(ResourceId id)
        {
            if (objects.Remove(id, out var before)) Table.Apply(new ResourceChange(id.Kind, id.Key, before, null));
        }

        public void See(KernelSnapshot machine) => Table.Apply(Machine = machine);

        public void Configure(EndpointSettings settings) => Table.Configure(Settings = settings);

        private bool IsMissing(string link) => Machine.Links.Count > 0 && Machine.Links.Values.All(one => one.Name != link);

        public string Text => string.Join('\n', Table.All.OrderBy(one => one.Interface, StringComparer.Ordinal));

        /// <summary>What was told is what there is, and what one who comes new makes of it all.</summary>
        public void Check()
        {
            Assert.Equal(told.Values.Select(one => $"{one}").Order(), Table.All.Select(one => $"{one}").Order());
            var other = new Watched();
            other.See(Machine);
            foreach (var one in objects.Values.Reverse()) other.Put(one);
            other.Configure(Settings);
            Assert.Equal(other.Text, Text);
            Assert.Equal(Table.All.Count(one => one.IsWorkload && IsMissing(one.Interface)), Table.WithoutInterface);
            Assert.Equal(Table.All.Where(one => one.Labels.ContainsKey("a")).Select(one => one.Id).Distinct().Order(),
                selected.Select(pair => pair.Item2).Order());
        }
    }

    [Fact]
    public void Workloads_without_their_interface_are_counted_once_interfaces_are_known()
    {
        var watched = new Watched();
        foreach (var one in (Resource[])[Pod("nginx"), Workload("w1", "cali1"), Host("h1", "eth7")]) watched.Put(one);
        Assert.Equal(0, watched.Table.WithoutInterface);
        watched.See(Machine(("eth0", null), ("veth7", null)));
        Assert.Equal(2, watched.Table.WithoutInterface);
        watched.See(Machine(("cali1", null)));
        Assert.Equal(1, watched.Table.WithoutInterface);
        watched.Remove(Pod("nginx").Id);
        Assert.Equal(0, watched.Table.WithoutInterface);
    }

    private static KernelSnapshot Machine(params (string Link, string? Address)[] links) => KernelSnapshot.Empty with
    {
        Links = links.Select((link, i) => new Link(i + 1, link.Link, 1, 1500, 0, null)).ToImmutableDictionary(link => link.Index),
        Addresses = [.. links.Select((link, i) => (link.Address, Index: i + 1)).Where(one => one.Address != null)
            .Select(one => new LinkAddress(one.Index, Address.Parse(one.Address!), 24, null, 0, false))],
    };

    private static Labels Of(params (string Key, string Value)[] labels) =>
        Labels.From(labels.Select(label => KeyValuePair.Create(label.Key, label.Value)));

    private static Pod Pod(string name, string node = "node1") =>
        new(new Metadata(name, "default") { Labels = Of(("a", "x")) }) { Node = node, Nets = [Prefix.Parse("10.0.0.1/32")] };

    private static WorkloadEndpoint Workload(string name, string interfaceName, string node = "node1") => new(new Metadata(name, "default"))
    {
        Node = node,
        Interface = interfaceName,
        Orchestrator = "cni",
        Workload = name,
        Endpoint = "eth0",
        Nets = [Prefix.Parse("10.0.0.9/32")],
    };

    private static HostEndpoint Host(string name, string interfaceName, params string[] ips) =>
        new(new Metadata(name) { Labels = Of(("a", "x")) })
        {
            Node = "node1",
            Interface = interfaceName,
            ExpectedIPs = [.. ips.Select(Address.Parse)],
        };

    private static Node Node(string name, string address) => new(new Metadata(name) { Labels = Of(("role", "node")) })
    {
        IPv4 = new(Address.Parse(address), Prefix.Parse("192.0.2.0/24")),
        IPv4VxlanTunnelAddress = Address.Parse("10.9.0.1"),
        Addresses = [new(Address.Parse(address), "InternalIP"), new(Address.Parse("198.51.100.1"), "ExternalIP"),
            new(Address.Parse("198.51.100.2"), "Hostname")],
    };

    [Fact]
    public void A_pod_of_this_node_is_on_the_interface_that_its_name_says()
    {
        var watched = new Watched();
        watched.Put(Pod("nginx"));
        watched.Put(Pod("other", "node2"));
        var endpoint = Assert.Single(watched.Table.All);
        Assert.Equal(("calic440f455693", true, "Pod/default/nginx"), (endpoint.Interface, endpoint.IsWorkload, $"{endpoint.Id}"));
        watched.Put(Pod("nginx") with { Nets = [] });
        Assert.Empty(watched.Table.All);
    }

    [Fact]
    public void A_pod_that_changes_is_told_once()
    {
        var watched = new Watched();
        watched.Put(Pod("nginx"));
        watched.Put(Pod("nginx") with { Nets = [Prefix.Parse("10.0.0.2/32")] });
        Assert.Equal(2, watched.Changes);
        // Nothing of its endpoint follows from its ports.
        watched.Put(Pod("nginx") with { Nets = [Prefix.Parse("10.0.0.2/32")], Ports = [new("http", 6, 80)] });
        Assert.Equal(2, watched.Changes);
    }

    [Fact]
    public void Of_two_workloads_on_one_interface_the_lowest_is_there_and_the_other_takes_its_place()
    {
        var watched = new Watched();
        watched.Put(Workload("b", "cali1"));
        watched.Put(Workload("a", "cali1"));
        Assert.Equal("a", watched.Table.On("cali1")!.Id.Key.Name);
        watched.Put(Workload("c", "cali1"));
        Assert.Equal("a", watched.Table.On("cali1")!.Id.Key.Name);
        watched.Remove(Workload("a", "cali1").Id);
        Assert.Equal("b", watched.Table.On("cali1")!.Id.Key.Name);
        watched.Check();
    }

    [Fact]
    public void What_a_pod_and_an_object_of_its_own_say_is_one_endpoint_until_both_are_gone()
    {
        var watched = new Watched();
        var endpoint = Pod("nginx").Endpoint("cali")!;
        watched.Put(Pod("nginx"));
        watched.Put(endpoint);
        Assert.Equal(endpoint.Id, watched.Table.On("calic440f455693")!.Id);
        watched.Remove(endpoint.Id);
        Assert.Equal(Pod("nginx").Id, watched.Table.On("calic440f455693")!.Id);
        watched.Remove(Pod("nginx").Id);
        Assert.Empty(watched.Table.All);
    }

    [Fact]
    public void A_host_endpoint_is_found_by_name_or_address_and_the_lowest_name_counts()
    {
        var watched = new Watched();
        watched.See(Machine(("eth0", "192.0.2.1"), ("eth1", "192.0.2.2"), ("cali1", "192.0.2.3")));
        watched.Put(Host("d", "eth0"));
        watched.Put(Host("c", "", "192.0.2.1", "192.0.2.2", "192.0.2.3"));
        Assert.Equal(["eth0=c", "eth1=c"], Shown(watched));
        watched.Put(Host("b", "eth0"));
        watched.Put(Host("e", "*"));
        watched.Put(Host("f", "*"));
        Assert.Equal(["*=e", "eth0=b", "eth1=c"], Shown(watched));
        // The address moves, and the endpoint with it.
        watched.See(Machine(("eth0", "192.0.2.1"), ("eth1", null), ("eth2", "192.0.2.2")));
        Assert.Equal(["*=e", "eth0=b", "eth2=c"], Shown(watched));
        watched.Check();
    }

    [Fact]
    public void A_host_endpoint_of_a_name_that_the_kernel_has_not_is_in_force_before_the_interface()
    {
        var watched = new Watched();
        watched.Put(Host("a", "eth7"));
        Assert.Equal(["eth7=a"], Shown(watched));
        watched.Put(Host("b", "cali7"));
        Assert.Equal(["eth7=a"], Shown(watched));
    }

    [Fact]
    public void Automatic_host_endpoints_are_those_that_the_controllers_make()
    {
        var watched = new Watched();
        watched.Put(Node("node1", "192.0.2.1"));
        watched.Put(Node("node2", "192.0.2.2"));
        Assert.Empty(watched.Table.All);
        watched.Configure(Here with { AutomaticHostEndpoints = true });
        var endpoint = Assert.Single(watched.Table.All);
        Assert.Equal("HostEndpoint/node1-auto-hep", $"{endpoint.Id}");
        Assert.Equal("*", endpoint.Interface);
        Assert.Equal("{projectcalico.org/created-by=calico-kube-controllers, role=node}", $"{endpoint.Labels}");
        Assert.Equal("[projectcalico-default-allow]", $"{endpoint.Profiles}");
        Assert.Equal("[192.0.2.1/32, 10.9.0.1/32, 198.51.100.1/32]", $"{endpoint.Nets}");
        // An object of the name counts instead.
        watched.Put(Host("node1-auto-hep", "eth0"));
        Assert.Equal(["eth0=node1-auto-hep"], Shown(watched));
        watched.Remove(Host("node1-auto-hep", "eth0").Id);
        Assert.Equal(["*=node1-auto-hep"], Shown(watched));
    }

    private static IEnumerable<string> Shown(Watched watched) =>
        watched.Table.All.Select(one => $"{one.Interface}={one.Id.Key.Name}").Order();

    private sealed record Step(string Words, Action<Watched> Do)
    {
        public override string ToString() => Words;
    }

    private static readonly Gen<Resource> AnyObject = Gen.OneOf(
        from name in Gen.Elements("nginx", "web")
        from node in Gen.Elements("node1", "node2")
        select (Resource)Pod(name, node),
        from name in Gen.Elements("w1", "w2")
        from link in Gen.Elements("cali1", "calic440f455693", "eth0")
        from node in Gen.Elements("node1", "node2")
        select (Resource)Workload(name, link, node),
        from name in Gen.Elements("h1", "h2", "h3", "node1-auto-hep")
        from link in Gen.Elements("", "*", "eth0", "eth1", "cali1")
        from ips in Gen.SubListOf("192.0.2.1", "192.0.2.2", "192.0.2.3")
        select (Resource)Host(name, link, [.. ips]),
        from name in Gen.Elements("node1", "node2")
        from address in Gen.Elements("192.0.2.1", "192.0.2.2")
        select (Resource)Node(name, address));

    private static readonly Gen<Step> AnyStep = Gen.Frequency(
        (6, from one in AnyObject select new Step($"put {one}", watched => watched.Put(one))),
        (2, from one in AnyObject select new Step($"remove {one.Id}", watched => watched.Remove(one.Id))),
        (2, from eth0 in Gen.Elements("192.0.2.1", "192.0.2.2", null)
            from eth1 in Gen.Elements("192.0.2.2", "192.0.2.3", null)
            select new Step($"eth0 {eth0} eth1 {eth1}", watched => watched.See(Machine(("eth0", eth0), ("eth1", eth1), ("cali1", null))))),
        (1, from node in Gen.Elements("node1", "node2")
            from prefixes in Gen.SubListOf("cali", "eth")
            from automatic in Gen.Elements(true, false)
            let settings = new EndpointSettings(node, [.. prefixes], automatic)
            select new Step($"{settings}", watched => watched.Configure(settings))),
        (2, Gen.Constant(new Step("check", watched => watched.Check()))));

    [Fact]
    public void Whatever_comes_in_whatever_order_ends_in_the_same_endpoints() => Prop.ForAll(
        AnyStep.ListOf(40).ToArbitrary(), steps =>
        {
            var watched = new Watched();
            foreach (var step in steps) step.Do(watched);
            watched.Check();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
}
