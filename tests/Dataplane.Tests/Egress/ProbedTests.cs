using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using static Calico.Bgp.Dataplane.Tests.Egress.EgressWorld;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Gateways whose targets upstream are asked, and what becomes of those that lead nowhere.</summary>
public sealed class ProbedTests
{
    private const string Pod = "192.168.1.2", Outside = "198.51.100.1", Gate1 = "172.20.0.11", Gate2 = "172.20.0.12";

    private static readonly EgressProbe Probe =
        new(EgressProbeKind.Icmp, ["198.51.100.7"], TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15));

    private static EgressGateway Probed(string name, int? replicas = null) => Gateway(name, name, replicas) with { Probes = [Probe] };

    private static EgressSite On(string node, bool isPinned, params Resource[] more) =>
        new(node, new() { Enabled = true, Pinned = isPinned }, [], Cluster.Concat(more));

    private static EgressSite On(string node, params Resource[] more) => On(node, isPinned: false, more);

    [Fact]
    public void One_whose_node_says_that_its_targets_are_silent_is_no_next_hop_and_after_the_last_nothing_leaves()
    {
        var site = On("client", Probed("red"), PodOn("client", Pod, By("red")));
        Assert.Equal($"{Gate1} or {Gate2}", site.By(Pod, Outside));
        site.Fail([], Gate1);
        Assert.Equal(Gate2, site.By(Pod, Outside));
        Assert.Equal([$"{Gate1} says that its targets upstream do not answer", $"via {Gate2}"],
            site.View.Gateways[1].Replicas.Select(replica => replica.Standing));
        site.Fail([], Gate1, Gate2);
        Assert.Empty(site.Hops);
        Assert.Equal("dropped: no gateway is there", site.Explain(Outside)!.Verdict);
        site.Fail([]);
        Assert.Equal($"{Gate1} or {Gate2}", site.By(Pod, Outside));
    }

    [Fact]
    public void Gateways_that_ask_nobody_do_not_mind_what_their_node_says_of_others()
    {
        var site = On("client", Probed("red"), PodOn("client", Pod, By("blue")));
        site.Fail([], Gate1);
        Assert.Equal(Gate1, site.By(Pod, Outside));
    }

    /// <summary>Which of them is meant a node of an earlier release does not say.</summary>
    [Fact]
    public void Where_a_node_is_several_that_ask_it_is_used_when_there_is_no_other()
    {
        var site = On("client", Probed("red"), Probed("blue", 1), PodOn("client", Pod, By("red")),
            PodOn("client", "192.168.1.3", By("blue"), "b"));
        site.Fail([], Gate1);
        Assert.Equal((Gate2, Gate1), (site.By(Pod, Outside), site.By("192.168.1.3", Outside)));
        Assert.Equal($"via {Gate1}, which says that targets upstream of one of its gateways do not answer",
            site.View.Gateways[0].Replicas[0].Standing);
    }

    [Fact]
    public void Where_a_node_is_several_the_one_that_it_names_is_no_next_hop_and_the_others_are()
    {
        var site = On("client", Probed("red"), Probed("blue", 1), PodOn("client", Pod, By("red")),
            PodOn("client", "192.168.1.3", By("blue"), "b"));
        site.FailThere([], (Gate1, "red"));
        Assert.Equal((Gate2, Gate1), (site.By(Pod, Outside), site.By("192.168.1.3", Outside)));
        Assert.Equal($"via {Gate1}", site.View.Gateways[0].Replicas[0].Standing);
        site.FailThere([], (Gate1, "red"), (Gate2, "red"), (Gate1, "blue"));
        Assert.Empty(site.Hops);
        Assert.Equal("dropped: no gateway is there", site.Explain(Outside)!.Verdict);
    }

    [Fact]
    public void A_node_asks_with_each_gateways_own_address_and_a_mark_that_is_no_way()
    {
        var site = On("gate1", Probed("red"), Probed("blue", 1), PodOn("client", Pod, By("red")));
        Assert.Equal(["edge/blue", "edge/red"], site.Probed.Select(one => $"{one.Gateway}"));
        Assert.Equal(2, site.Probed.Select(one => one.Mark).Distinct().Count());
        foreach (var (one, address) in site.Probed.Zip((string[])["10.10.11.0", "10.10.10.0"]))
        {
            Assert.Equal(0xc000_0000, one.Mark & 0xc000_0000);
            Assert.Contains($"meta mark & 0xfff00000 == 0x{one.Mark:x8} meta nfproto ipv4 snat ip to {address}", site.Text,
                StringComparison.Ordinal);
        }
        Assert.Empty(On("far", Probed("red")).Probed);
        Assert.Empty(On("gate1").Probed);
    }

    [Fact]
    public void What_a_gateway_with_a_network_asks_goes_by_that_networks_table()
    {
        var site = On("gate1", new FelixConfiguration(new Metadata("default")) { ExternalNetworks = ExternalNetworkSupport.Enabled },
            new ExternalNetwork(new Metadata("lab")) { RouteTable = 500 }, Probed("red") with { ExternalNetwork = "lab" });
        Assert.Contains(new EgressNetwork(Assert.Single(site.Probed).Mark, 500, 102), site.Routes.Networks);
    }

    [Fact]
    public void One_that_leads_nowhere_sends_pods_of_its_own_node_to_the_others_and_stays_announced_for_its_answers()
    {
        var site = On("gate1", Probed("red"), PodOn("gate1", Pod, By("red")));
        Assert.Equal("as 10.10.10.0", site.By(Pod, Outside));
        site.Fail(["red"]);
        Assert.Equal(Gate2, site.By(Pod, Outside));
        Assert.Equal("its targets are silent", site.View.Gateways[1].Replicas[0].Standing);
        Assert.Contains("10.10.10.0", site.Routes.Here.Select(address => $"{address}"));
        site.Fail([]);
        Assert.Equal("this node", site.View.Gateways[1].Replicas[0].Standing);
    }

    /// <summary>All agree on it: the node itself, the other one, and whoever has pods.</summary>
    [Fact]
    public void Of_two_pinned_gateways_each_is_where_its_own_targets_answer()
    {
        EgressSite one = Pinned("gate1"), two = Pinned("gate2"),
            client = Pinned("client", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b"));
        one.Fail(["red"]);
        foreach (var other in (EgressSite[])[two, client]) other.FailThere([], (Gate1, "red"));
        Assert.Equal(("10.10.11.0", "10.10.10.0"), (Has(one), Has(two)));
        Assert.Equal((Gate2, Gate1), (client.By(Pod, Outside), client.By("192.168.1.3", Outside)));
        // The other one's blue is silent, too: nothing moves.
        two.FailThere(["blue"], (Gate1, "red"));
        one.FailThere(["red"], (Gate2, "blue"));
        client.FailThere([], (Gate1, "red"), (Gate2, "blue"));
        Assert.Equal(("10.10.11.0", "10.10.10.0"), (Has(one), Has(two)));
        Assert.Equal((Gate2, Gate1), (client.By(Pod, Outside), client.By("192.168.1.3", Outside)));
    }

    /// <summary>A node of an earlier release does not say which of them is meant: the next one has both, as whoever has pods believes.
    /// </summary>
    [Fact]
    public void Of_pinned_gateways_one_in_doubt_is_not_announced_by_nobody()
    {
        EgressSite two = Pinned("gate2"),
            client = Pinned("client", PodOn("client", Pod, By("red")), PodOn("client", "192.168.1.3", By("blue"), "b"));
        foreach (var site in (EgressSite[])[two, client]) site.Fail([], Gate1);
        Assert.Equal("10.10.10.0, 10.10.11.0", Has(two));
        Assert.Equal((Gate2, Gate2), (client.By(Pod, Outside), client.By("192.168.1.3", Outside)));
    }

    private static EgressSite Pinned(string node, params Resource[] more) =>
        On(node, isPinned: true, [Probed("red"), Probed("blue", 2), .. more]);

    private static string Has(EgressSite site) => string.Join(", ", site.Routes.Here.Select(address => $"{address}")
        .Where(address => address.StartsWith("10.10.1", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    [Fact]
    public void A_pinned_address_goes_to_the_next_node_and_the_node_asks_for_itself()
    {
        EgressSite one = On("gate1", isPinned: true, Probed("red")), two = On("gate2", isPinned: true, Probed("red"));
        Assert.Equal(0u, Assert.Single(one.Probed).Mark);
        one.Fail(["red"]);
        two.Fail([], Gate1);
        Assert.Equal((false, true), (Has(one), Has(two)));
        one.Fail([]);
        two.Fail([]);
        Assert.Equal((true, false), (Has(one), Has(two)));

        static bool Has(EgressSite site) => site.Routes.Here.Any(address => $"{address}" == "10.10.10.0");
    }
}
