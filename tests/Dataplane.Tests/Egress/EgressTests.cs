using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.NextHops;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Rules;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Sources.Yaml;
using static Calico.Bgp.Dataplane.Tests.Egress.EgressWorld;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Who leaves by which gateway: walked through what is written, and told by what is wanted of routes.</summary>
public sealed class EgressTests
{
    private const string Pod = "192.168.1.2", Outside = "198.51.100.1";

    private static EgressSite On(string node, params Resource[] more) => new(node, Cluster.Concat(more));

    [Fact]
    public void The_nodes_that_a_gateway_selects_are_its_replicas_in_the_order_of_their_names()
    {
        var gateways = On("client").View.Gateways;
        Assert.Equal(["edge/blue: gate1 [10.10.11.0]", "edge/red: gate1 [10.10.10.0], gate2 [10.10.10.1]"],
            gateways.Select(gateway => $"{gateway.Key}: "
                + string.Join(", ", gateway.Replicas.Select(one => $"{one.Node} {one.Addresses}"))));
        Assert.All(gateways, gateway => Assert.Empty(gateway.Problems));
        Assert.Equal(["via 172.20.0.11", "via 172.20.0.12"], gateways[1].Replicas.Select(one => one.Standing));
    }

    [Fact]
    public void Of_gateways_that_share_a_pool_each_has_addresses_of_its_own_and_who_finds_none_left_is_named()
    {
        var gateways = On("client", Pool("red", "10.10.10.0/31", nat: false), Gateway("second", "red")).View.Gateways;
        Assert.Equal(["[10.10.10.0]", "[10.10.10.1]"], gateways[1].Replicas.Select(one => one.Addresses.ToString()));
        Assert.Equal(["[]", "[]"], gateways[2].Replicas.Select(one => one.Addresses.ToString()));
        Assert.Equal(["gate1 has no ipv4 address: red is used up", "gate2 has no ipv4 address: red is used up"], gateways[2].Problems);
    }

    [Fact]
    public void A_gateway_of_which_no_replica_is_asked_for_says_so_and_nothing_else()
    {
        var gateway = On("client", Gateway("red", "red", replicas: 0)).View.Gateways[1];
        Assert.Equal(["no replica is asked for: replicas is 0"], gateway.Problems);
        Assert.Empty(gateway.Replicas);
    }

    /// <summary>What is planned is not what is: nobody leaves by a route that the kernel does not take.</summary>
    [Fact]
    public void Where_the_kernel_refuses_a_gateways_route_who_leaves_by_it_is_told_to_be_blocked()
    {
        var site = On("client", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b"));
        var table = EgressRouting.TableOf(Assert.Single(site.Routes.Tables, table => table.Hops.Count == 2));
        Assert.Equal((0, true), Said(Refused(table, nextHop: 0)));
        Assert.Equal((0, true), Said(Refused(table + 100, nextHop: 1)));
        Assert.Equal((1, false), Said(Refused(table, nextHop: 1)));
        var view = site.View.As(Refused(table, nextHop: 1));
        const string why = "the kernel refuses the route to code == 'red' in projectcalico.org/name == 'edge': No such thing";
        Assert.Equal(new EgressBlocked("alpha/a", "client", why), Assert.Single(view.Blocked));
        Assert.Equal($"via 172.20.0.11, but {why}", view.Gateways[1].Replicas[0].Standing);
        Assert.Equal("via 172.20.0.11", view.Gateways[0].Replicas[0].Standing);
        var explained = site.Explain(Outside, Refused(table, nextHop: 1))!;
        Assert.Equal(("dropped: no gateway is there", why), (explained.Verdict, explained.Reasons[^1]));
        Assert.Equal("by a gateway", site.Explain(Outside, Refused(table + 100, nextHop: 1))!.Verdict);

        (int, bool) Said(KernelStatus kernel) => site.View.As(kernel) is var said
            ? (said.Blocked.Count, said.Gateways.All(gateway => gateway.Replicas.All(one => one.IsUsable))) : default;

        KernelStatus Refused(uint table, uint nextHop) => new(0, 0, 0, 0, 0, 0, [new(Prefix.DefaultIPv4,
            new(RouteType.Unicast, [], 0, table) { NextHop = nextHop }, 2, "No such thing", DateTimeOffset.UnixEpoch, 1)]);
    }

    /// <summary>What stands before the route, and behind it.</summary>
    [Fact]
    public void Where_the_kernel_refuses_next_hops_or_a_rule_who_leaves_by_them_is_told_to_be_blocked()
    {
        var site = On("client", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b"));
        var table = Assert.Single(site.Routes.Tables, table => table.Hops.Count == 2);
        const string red = "code == 'red' in projectcalico.org/name == 'edge': No such thing";
        NextHopGroup group = new(EgressRouting.Group(table, IpFamily.IPv4), []), other = group with { Id = 7 };
        Assert.Equal($"the kernel refuses the next hops of {red}", Assert.Single(site.View.As(Refused(group)).Blocked).Reason);
        var rule = new RoutingRule(IpFamily.IPv4, 1, EgressRouting.TableOf(table));
        var view = site.View.As(Refused(rule));
        Assert.Equal(("alpha/a", $"the kernel refuses the rule that leads to {red}"), (view.Blocked[0].Pod, view.Blocked[0].Reason));
        Assert.Equal($"via 172.20.0.11, but the kernel refuses the rule that leads to {red}", view.Gateways[1].Replicas[0].Standing);
        Assert.Equal([$"{rule}: No such thing"], view.Refused);
        // What leads nobody of these is named, and blocks nobody.
        view = site.View.As(Refused(other));
        Assert.Equal((0, 1), (view.Blocked.Count, view.Refused.Count));
        Assert.Empty(site.View.As(Refused(other, "services")).Refused);

        static KernelStatus Refused(KernelObject one, string owner = "egress") => new(0, 0, 0, 0, 0, 0, [])
        {
            RefusedObjects = [new(one, owner, 2, "No such thing", DateTimeOffset.UnixEpoch, 1)],
        };
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.251")]
    [InlineData("fe80::1")]
    public void What_leaves_no_link_goes_by_no_gateway_and_is_explained_so(string to)
    {
        var site = On("client", PodOn("client", to.Contains(':') ? "fd01::1:2" : Pod, By("red")));
        Assert.Equal("as it is", site.Of(to.Contains(':') ? "fd01::1:2" : Pod, to));
        var said = site.Explain(to)!;
        Assert.Equal(("not by a gateway", $"{to} leaves no link"), (said.Verdict, said.Reasons[^1]));
    }

    [Fact]
    public void A_pod_with_a_gateway_is_handed_to_its_nodes_and_one_without_goes_as_before()
    {
        var site = On("client", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", name: "b"));
        Assert.Equal("to a gateway", site.Of(Pod, Outside));
        Assert.Equal("as it is", site.Of("192.168.1.3", Outside));
        Assert.Equal("as it is", site.Of(Pod, "192.168.2.9"));
        Assert.Equal("as it is", site.Of(Pod, "172.20.0.12"));
        Assert.Equal(["172.20.0.11", "172.20.0.12"], site.Hops);
        Assert.Equal(["172.20.0.11", "172.20.0.12"], site.Watched);
    }

    [Fact]
    public void A_namespace_speaks_for_pods_that_say_nothing()
    {
        var site = On("client", Space("alpha", By("blue")), PodOn("client", Pod), PodOn("client", "192.168.1.3", By("red"), "b"));
        Assert.Equal(2, site.Routes.Tables.Count);
        Assert.Equal(["alpha/a"], site.View.Gateways[0].Pods);
        Assert.Equal(["alpha/b"], site.View.Gateways[1].Pods);
    }

    [Fact]
    public void A_gateway_sends_with_its_address_what_its_pods_send_and_lets_nobody_elses_pass()
    {
        var site = On("gate2", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b"));
        Assert.Equal("as 10.10.10.1", site.Of(Pod, Outside, "eth0"));
        Assert.Equal("drop", site.Of("192.168.1.3", Outside, "eth0"));
        Assert.Equal("drop", site.Of("192.168.9.9", Outside, "eth0"));
        Assert.Equal("as it is", site.Of("198.51.100.7", Outside, "eth0"));
        Assert.Equal(["10.10.10.1"], site.Routes.Here.Select(address => address.ToString()));
        Assert.Equal(["172.20.0.1"], site.Watched);
    }

    [Fact]
    public void What_becomes_of_the_source_is_explained_by_the_gateway()
    {
        var explanation = On("gate2", PodOn("client", Pod, By("red"))).Nat(Pod, Outside, "eth0");
        Assert.Equal((true, "10.10.10.1"), (explanation.Translated, explanation.To));
        Assert.Contains("this node is the gateway that it leaves by: code == 'red' in projectcalico.org/name == 'edge'", explanation.Steps);
    }

    [Fact]
    public void A_pod_on_a_gateways_node_leaves_from_there()
    {
        var site = On("gate1", PodOn("gate1", Pod, By("red")));
        Assert.Equal("as 10.10.10.0", site.Of(Pod, Outside));
        Assert.Equal("drop", site.Of("192.168.1.9", Outside));
    }

    [Fact]
    public void What_has_natOutgoing_leaves_a_gateway_with_the_nodes_own_address()
    {
        var site = On("gate1", Pool("red", "10.10.10.0/30"), PodOn("client", Pod, By("red")));
        Assert.Equal("as the node", site.Of(Pod, Outside, "eth0"));
        Assert.Equal(["10.10.11.0"], site.Routes.Here.Select(address => address.ToString()));
    }

    [Fact]
    public void A_policy_that_is_not_there_blocks_and_is_named()
    {
        var site = On("client", PodOn("client", Pod, new() { Policy = "p" }));
        Assert.Equal("drop", site.Of(Pod, Outside));
        Assert.Equal("drop", site.Of(Pod, "192.168.2.9"));
        var blocked = Assert.Single(site.View.Blocked);
        Assert.Equal(("alpha/a", "EgressGatewayPolicy/p does not exist"), (blocked.Pod, blocked.Reason));
        site.Have(new EgressGatewayPolicy(new Metadata("p")) { Rules = [new(null, Choice("red"))] });
        Assert.Equal("to a gateway", site.Of(Pod, Outside));
        Assert.Empty(site.View.Blocked);
    }

    /// <summary>A connection's later packets need not be looked up among networks, and are asked all else for that.</summary>
    [Fact]
    public void Where_a_connection_goes_is_remembered_and_who_leaves_by_what_is_not()
    {
        var site = On("client", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", new() { Policy = "p" }, "b"));
        var (blocked, known) = (Place("no gateway can be told"), Place("is known to be outside"));
        var inside = Place("ip daddr @eg-inside4 accept");
        Assert.True(blocked < known && known < inside, site.Text);
        Assert.Equal(2, site.Text.Split("ct mark set ct mark & 0x3fffffff ^ 0x80000000").Length);
        Assert.Equal("to a gateway", site.Of(Pod, Outside, isAnswer: false));
        Assert.Equal("drop", site.Of("192.168.1.3", Outside, isAnswer: false));

        int Place(string words) => site.Text.IndexOf(words, StringComparison.Ordinal) is >= 0 and var at ? at
            : throw new InvalidOperationException($"{words} is not in {site.Text}");
    }

    [Fact]
    public void Who_leaves_by_gateways_of_which_none_has_got_an_address_is_named()
    {
        var site = On("client", Gateway("third", "red"), Pool("red", "10.10.10.0/32", nat: false), PodOn("client", Pod, By("third")));
        Assert.Equal("no gateway of code == 'third' in projectcalico.org/name == 'edge' has an address to send with",
            Assert.Single(site.View.Blocked).Reason);
        site.Have(Pool("red", "10.10.10.0/29", nat: false));
        Assert.Empty(site.View.Blocked);
    }

    [Fact]
    public void A_wrong_annotation_blocks_and_is_named()
    {
        var site = On("client", PodOn("client", Pod, new() { Problem = "annotation x: wrong" }));
        Assert.Equal("drop", site.Of(Pod, Outside));
        Assert.Equal("annotation x: wrong", Assert.Single(site.View.Blocked).Reason);
    }

    [Fact]
    public void A_pod_whose_annotations_choose_none_by_themselves_leaves_as_its_namespace_says_or_by_no_way()
    {
        EgressWish partial = new() { Problem = "annotation x: chooses none", YieldsToNamespace = true },
            wrong = new() { Problem = "wrong" };
        var site = On("gate1", PodOn("gate1", Pod, partial), PodOn("gate1", "192.168.1.3", wrong, "b"));
        Assert.Equal(("drop", "drop"), (site.Of(Pod, Outside), site.Of("192.168.1.3", Outside)));
        site.Have(Space("alpha", By("red")));
        Assert.Equal(("as 10.10.10.0", "drop"), (site.Of(Pod, Outside), site.Of("192.168.1.3", Outside)));
    }

    [Fact]
    public void The_longest_destination_of_a_policy_counts_and_one_without_a_gateway_goes_as_before()
    {
        var policy = new EgressGatewayPolicy(new Metadata("p"))
        {
            Rules = [new(null, Choice("red")), new(Prefix.Parse("10.0.0.0/8"), null), new(Prefix.Parse("10.1.0.0/16"), Choice("blue"))],
        };
        var site = On("gate1", policy, PodOn("gate1", Pod, new() { Policy = "p" }));
        Assert.Equal("as 10.10.10.0", site.Of(Pod, Outside));
        Assert.Equal("as it is", site.Of(Pod, "10.2.0.1"));
        Assert.Equal("as 10.10.11.0", site.Of(Pod, "10.1.0.1"));
    }

    [Fact]
    public void Of_a_pod_that_is_not_known_nothing_leaves()
    {
        var site = On("client");
        Assert.Equal("drop", site.Of("192.168.1.9", Outside));
        Assert.Equal("as it is", site.Of("192.168.1.9", "192.168.2.9"));
        site.Have(PodOn("client", "192.168.1.9", within: "unknown"));
        Assert.Equal("drop", site.Of("192.168.1.9", Outside));
        Assert.Equal("Namespace/unknown is not known, which may say how it leaves", Assert.Single(site.View.Blocked).Reason);
        site.Have(Space("unknown"));
        Assert.Equal("as it is", site.Of("192.168.1.9", Outside));
    }

    [Fact]
    public void A_gateway_that_is_not_heard_is_no_next_hop_and_after_the_last_nothing_leaves()
    {
        var site = On("client", PodOn("client", Pod, By("red")));
        var text = site.Text;
        site.NotHear("172.20.0.11");
        Assert.Equal(["172.20.0.12"], site.Hops);
        site.NotHear("172.20.0.11", "172.20.0.12");
        Assert.Empty(site.Hops);
        // The table is still there, and with it what says unreachable; the packet still goes there.
        Assert.Single(site.Routes.Tables);
        Assert.Equal((text, "to a gateway"), (site.Text, site.Of(Pod, Outside)));
        Assert.Equal(["172.20.0.11 is not heard", "172.20.0.12 is not heard"], site.View.Gateways[1].Replicas.Select(one => one.Standing));
        Assert.Equal("dropped: no gateway is there", site.Explain(Outside)!.Verdict);
    }

    [Fact]
    public void A_gateway_that_is_on_no_link_of_this_node_is_not_used_and_it_is_said_why()
    {
        var site = On("client", Host("far", "203.0.113.9", ("egress", "yes")), PodOn("client", Pod, By("blue")));
        Assert.Equal("the link egress.calico is not there yet",
            site.View.Gateways[0].Replicas[0].Standing);
        Assert.Empty(site.Hops);
    }

    [Fact]
    public void With_maxNextHops_a_pod_keeps_to_some_and_all_pods_together_use_all()
    {
        Pod[] pods = [.. Enumerable.Range(2, 40).Select(n => PodOn("client", $"192.168.1.{n}", By("red", 1), $"p{n}"))];
        var site = On("client", pods);
        Assert.Equal(2, site.Routes.Tables.Count);
        Assert.Equal(["172.20.0.11", "172.20.0.12"], site.Hops.Order());
        var before = site.Routes;
        site.NotHear("172.20.0.11");
        Assert.Equal(["172.20.0.12", "172.20.0.12"], site.Hops);
        Assert.Equal(before.Tables.Select(table => table.Number), site.Routes.Tables.Select(table => table.Number));
    }

    [Fact]
    public void A_change_writes_what_differs_and_the_steps_come_to_the_same_as_all_at_once()
    {
        var (one, two) = (PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b"));
        var site = On("client", one);
        site.Have(two);
        Assert.Equal("eg-pods4", Assert.Single(site.Changes.OfType<NftChange.PutElements>()).Set);
        Assert.Empty(site.Changes.OfType<NftChange.PutSet>());
        Assert.Equal(On("client", two, one).Text, site.Text);
        Assert.Equal(On("client", two, one).Routes, site.Routes);
        site.Lose(two);
        Assert.Equal((On("client", one).Text, On("client", one).Routes), (site.Text, site.Routes));
        site.Configure(null);
        Assert.Equal(("", 0), (string.Join("", site.Text.Split('\n').Where(line => line.StartsWith("eg-", StringComparison.Ordinal))),
            site.Routes.Tables.Count));
    }

    [Fact]
    public void An_answer_to_who_has_begun_from_outside_goes_as_before()
    {
        var site = On("client", PodOn("client", Pod, By("red")));
        Assert.Equal("as it is", site.Of(Pod, Outside, isAnswer: true));
        Assert.Equal("to a gateway", site.Of(Pod, Outside, isAnswer: false));
    }

    /// <summary>Who has begun it cannot be told from who answers in it.</summary>
    [Fact]
    public void In_a_connection_that_was_picked_up_in_its_middle_no_packet_is_an_answer_and_who_has_a_gateway_leaves_by_it()
    {
        const string plain = "192.168.1.3";
        Resource[] pods = [PodOn("client", Pod, By("red")), PodOn("client", plain, name: "b")];
        var site = On("client", pods);
        Assert.Equal("to a gateway", site.Of(Pod, Outside, isAnswer: true, isPickedUp: true));
        Assert.Equal("as it is", site.Of(Pod, "192.168.2.9", isAnswer: true, isPickedUp: true));
        Assert.Equal("as it is", site.Of(plain, Outside, isAnswer: true, isPickedUp: true));
        Assert.Equal("drop", site.Of("192.168.1.9", Outside, isAnswer: true, isPickedUp: true));
        // Nothing translates what it says any more.
        Assert.Equal("drop", On("gate1", PodOn("gate1", Pod, By("red"))).Of(Pod, Outside, isAnswer: true, isPickedUp: true));
        // A pod that leaves from its own node, through one that is a gateway.
        Assert.Equal("as it is", On("gate1", pods).Of(plain, Outside, "eth0", isAnswer: true, isPickedUp: true));
        var (marks, inside) = (Place("ct state new meta l4proto tcp tcp flags & syn == 0x0 ct status & dnat == 0 "
            + "ct mark set ct mark & 0x000fffff ^ 0x40000000"), Place("ip daddr @eg-inside4 accept"));
        Assert.True(Place("is known to be outside") < marks && marks < inside, site.Text);

        int Place(string words) => site.Text.IndexOf(words, StringComparison.Ordinal) is >= 0 and var at ? at
            : throw new InvalidOperationException($"{words} is not in {site.Text}");
    }

    [Theory]
    [InlineData(Outside, "by a gateway", "the rule of 0.0.0.0/0 has gateways code == 'red' in projectcalico.org/name == 'edge'")]
    [InlineData("192.168.7.7", "not by a gateway", "192.168.7.7 is the cluster's own (192.168.0.0/16)")]
    public void It_is_explained_by_which_gateway_a_pod_leaves(string to, string verdict, string reason)
    {
        var explanation = On("client", PodOn("client", Pod, By("red"))).Explain(to)!;
        Assert.Equal(verdict, explanation.Verdict);
        Assert.Contains(reason, explanation.Reasons);
    }

    /// <summary>examples/20-egress-gateway, as the nodes of it see it.</summary>
    [Fact]
    public void The_example_is_as_its_README_says()
    {
        var all = Example("20-egress-gateway");
        var (one, two, client) = (new EgressSite("gate1", all), new EgressSite("gate2", all), new EgressSite("client", all));
        Assert.Equal(["[bank/1]", "[shared/2]"], client.View.Gateways.Select(gateway => $"[{gateway.Key.Name}/{gateway.Replicas.Count}]"));
        Assert.Equal(["plain/ledger", "office/desk", "shop/till"], client.View.Gateways.SelectMany(gateway => gateway.Pods));
        Assert.Empty(client.View.Blocked);
        Assert.All((string[])["192.168.1.2", "192.168.1.3", "192.168.1.4"], pod => Assert.Equal("to a gateway", client.Of(pod, Outside)));
        Assert.Equal("as it is", client.Of("192.168.1.3", "10.20.0.1"));
        Assert.Equal(("as 10.10.10.0", "as 10.10.10.1", "as 10.10.11.0"), (one.Of("192.168.1.2", Outside, "eth0"),
            two.Of("192.168.1.2", Outside, "eth0"), two.Of("192.168.1.4", Outside, "eth0")));
    }

    private static Resource[] WithNetwork(string gateway, int table) =>
    [
        new FelixConfiguration(new Metadata("default")) { ExternalNetworks = ExternalNetworkSupport.Enabled },
        Gateway(gateway, gateway) with { ExternalNetwork = $"by{table}" },
        new ExternalNetwork(new Metadata($"by{table}")) { RouteTable = table },
    ];

    [Fact]
    public void What_leaves_by_a_gateway_with_a_network_goes_by_that_networks_table()
    {
        var site = On("gate1",
            [.. WithNetwork("red", 500), PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b")]);
        var network = Assert.Single(site.Routes.Networks);
        Assert.Equal((500u, 102u), (network.Table, network.Priority));
        Assert.Equal(0x8000_0000, network.Mark & 0xc000_0000);
        Assert.Equal(("as 10.10.10.0", "as 10.10.11.0"), (site.Of(Pod, Outside, "eth0"), site.Of("192.168.1.3", Outside, "eth0")));
        site.Lose(new ExternalNetwork(new Metadata("by500")));
        Assert.Equal("drop", site.Of(Pod, Outside, "eth0"));
        Assert.Equal("there is no ExternalNetwork by500: nothing leaves by it", Assert.Single(site.View.Gateways[1].Problems));
        Assert.Empty(site.Routes.Networks);
    }

    [Fact]
    public void Where_networks_are_not_enabled_a_gateway_with_one_lets_nothing_out()
    {
        var site = On("gate1", [.. WithNetwork("red", 500).Skip(1), PodOn("client", Pod, By("red"))]);
        Assert.Equal("drop", site.Of(Pod, Outside, "eth0"));
        Assert.StartsWith("FelixConfiguration's externalNetworkSupport is not Enabled",
            Assert.Single(site.View.Gateways[1].Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void What_there_is_no_mark_for_goes_by_no_other_network()
    {
        // Room for one.
        var site = new EgressSite("gate1", new() { Enabled = true, MarkMask = 0xe000_0000 }, [],
            [.. Cluster, .. WithNetwork("red", 500), .. WithNetwork("blue", 501),
                PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b")]);
        string[] seen = [site.Of(Pod, Outside, "eth0"), site.Of("192.168.1.3", Outside, "eth0")];
        Assert.Single(site.Routes.Networks);
        Assert.Single(seen, one => one == "drop");
    }

    /// <summary>examples/22-pinned-gateway, as the nodes of it see it.</summary>
    [Fact]
    public void The_example_of_a_pinned_address_is_as_its_README_says()
    {
        var settings = new EgressSettings { Enabled = true, Pinned = true };
        var all = Example("22-pinned-gateway");
        var (one, two, client) = (new EgressSite("gate1", settings, [], all), new EgressSite("gate2", settings, [], all),
            new EgressSite("client", settings, [], all));
        Assert.Equal(("as 172.20.0.64", "to a gateway"), (one.Of("192.168.1.2", Outside, "eth0"), client.Of("192.168.1.2", Outside)));
        Assert.Equal(["172.20.0.11"], client.Hops);
        Assert.Equal(["172.20.0.64 on eth0"], one.Claimed);
        Assert.Empty(two.Claimed);
        two.NotHear("172.20.0.11");
        client.NotHear("172.20.0.11");
        Assert.Equal(["172.20.0.12"], client.Hops);
        Assert.Equal(["172.20.0.64 on eth0"], two.Claimed);
    }

    private static Resource[] Example(string name)
    {
        var snapshot = YamlFiles.Load(Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, $"../../../../examples/{name}/resources")));
        Assert.Empty(snapshot.Problems);
        return [.. snapshot.Begin().Select(change => change.After).OfType<Resource>()];
    }

    [Fact]
    public void A_pod_that_has_lost_all_its_gateways_is_named_with_why()
    {
        var client = new EgressSite("client", [.. Cluster, PodOn("client", Pod, By("red")), PodOn("far", "192.168.9.9", By("red"), "b")]);
        Assert.Empty(client.View.Blocked);
        client.NotHear("172.20.0.11");
        Assert.Empty(client.View.Blocked);
        client.NotHear("172.20.0.11", "172.20.0.12");
        var lost = Assert.Single(client.View.Blocked);
        Assert.Equal(("alpha/a", "no gateway is there of code == 'red' in projectcalico.org/name == 'edge': edge/red on gate1: "
            + "172.20.0.11 is not heard, edge/red on gate2: 172.20.0.12 is not heard"), (lost.Pod, lost.Reason));
    }
}
