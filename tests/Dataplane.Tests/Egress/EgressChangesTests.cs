using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Egress.EgressWorld;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>A change costs what it touches, and comes to the same as if all had been said at once.</summary>
public sealed class EgressChangesTests
{
    private static readonly Link Overlay = new(7, "egress.calico", 0x10043, 1450, 0, null);

    /// <summary>Room for so many ways that none has another's number.</summary>
    private static EgressSettings Settings(EgressMode mode, bool isPinned = false) =>
        new() { Enabled = true, Mode = mode, Pinned = isPinned, MarkMask = 0xffff_fc00 };

    [Theory]
    [InlineData(EgressMode.Node, "red")]
    [InlineData(EgressMode.Pods, "red")]
    public void A_pod_that_comes_and_goes_costs_its_own_element_alone(EgressMode mode, string gateway)
    {
        var client = new EgressSite("client", Settings(mode), [],
            [.. Cluster, GatewayPod(0, gateway, true), PodOn("client", "192.168.1.2", By(gateway))]);
        var (other, routes, watched) = (PodOn("client", "192.168.1.3", By(gateway), "b"), client.Routes, client.Watched.ToArray());
        client.Have(other);
        string[] maps = mode == EgressMode.Pods ? ["eg-pods4", "eg-far4"] : ["eg-pods4"];
        var come = client.Changes.Select(change => Assert.IsType<NftChange.PutElements>(change)).ToArray();
        Assert.Equal(maps, come.Select(change => change.Set));
        Assert.All(come, change => Assert.Single(change.Elements));
        client.Lose(other);
        var gone = client.Changes.Select(change => Assert.IsType<NftChange.RemoveElements>(change)).ToArray();
        Assert.Equal(maps, gone.Select(change => change.Set));
        Assert.All(gone, change => Assert.Equal(come[0].Elements.Single().From, change.Elements.Single().From));
        Assert.Equal(routes, client.Routes);
        Assert.Equal(watched, client.Watched);
    }

    [Fact]
    public void A_gateway_that_nobody_chooses_comes_and_goes_as_any_pod_does()
    {
        var client = new EgressSite("client", Settings(EgressMode.Pods), [Overlay],
            [.. Cluster, GatewayPod(0, "red", true), PodOn("client", "192.168.1.2", By("red"))]);
        var before = client.Routes;
        client.Have(GatewayPod(1, "blue", true));
        Assert.Equal((before, 0), (client.Routes, client.Changes.Length));
        client.Have(GatewayPod(2, "red", true));
        Assert.Equal(["10.10.10.1", "10.10.10.3"], client.Hops.Order());
        client.Have(GatewayPod(2, "red", false));
        Assert.Equal(["10.10.10.1"], client.Hops);
    }

    /// <summary>A way that nobody has keeps no number; who has it again may get another.</summary>
    [Fact]
    public void Packets_are_marked_with_the_number_that_their_way_has_now()
    {
        const uint mask = 0xf000_0000; // room for three ways
        var names = Enumerable.Range(0, 20).Select(n => $"g{n}").GroupBy(name => EgressNumbers.TagOf(
            $"{Choice(name).Gateways} in {Choice(name).Namespaces}") % 3).First(same => same.Count() > 1).Take(2).ToArray();
        Pod[] pods = [PodOn("client", "192.168.1.2", By(names[0])), PodOn("client", "192.168.1.3", By(names[1]), "b")];
        var settings = new EgressSettings { Enabled = true, MarkMask = mask };
        var site = new EgressSite("client", settings, [], [.. Cluster, .. names.Select(name => Gateway(name, "red")), pods[0]]);
        var number = site.Routes.Tables.Single().Number;
        site.Lose(pods[0]);
        site.Have(pods[1]);
        Assert.Equal(number, site.Routes.Tables.Single().Number);
        site.Have(pods[0]);
        Assert.Equal(site.Routes.Tables.Select(table => table.Mark).Order(), site.Marks.Order());
        Assert.Equal(2, site.Marks.Distinct().Count());
    }

    /// <summary>
    /// Pods that come, go, move, have each other's addresses, wish for something else, are gateways or are not ready; namespaces that speak
    /// and fall silent, policies and gateways that come and go, and links.
    /// </summary>
    [Theory]
    [InlineData("client", EgressMode.Node, 1)]
    [InlineData("client", EgressMode.Node, 2)]
    [InlineData("gate1", EgressMode.Node, 3)]
    [InlineData("gate1", EgressMode.Node, 4)]
    [InlineData("client", EgressMode.Pods, 5)]
    [InlineData("client", EgressMode.Pods, 6)]
    [InlineData("gate1", EgressMode.Pods, 7)]
    [InlineData("client", EgressMode.Node, 8, true)]
    [InlineData("gate1", EgressMode.Node, 9, true)]
    public void Whatever_has_changed_it_comes_to_the_same_as_if_all_had_been_said_at_once(string node, EgressMode mode, int seed,
        bool isPinned = false)
    {
        var random = new Random(seed);
        var objects = Cluster.ToDictionary(one => one.Id);
        var links = new List<Link>();
        var site = new EgressSite(node, Settings(mode, isPinned), links, Cluster);
        for (var step = 0; step < 200; step++)
        {
            var (come, gone) = (new Dictionary<ResourceId, Resource>(), new List<Resource>());
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                var one = Any(random, pods: random.Next(4) != 0);
                if (come.ContainsKey(one.Id)) continue;
                if (random.Next(3) != 0) come[one.Id] = one;
                else if (objects.TryGetValue(one.Id, out var had) && !gone.Contains(had)) gone.Add(had);
            }
            gone.RemoveAll(one => come.ContainsKey(one.Id));
            site.Change(come.Values, gone);
            foreach (var one in gone) objects.Remove(one.Id);
            foreach (var one in come.Values) objects[one.Id] = one;
            if (random.Next(10) == 0)
            {
                links = [.. links.Where(_ => random.Next(2) == 0), new(10 + step, $"cali{step}", 0x10043, 1400, 0, null)];
                if (random.Next(2) == 0 && !links.Contains(Overlay)) links.Add(Overlay);
                site.HaveLinks(links);
            }
            var anew = new EgressSite(node, Settings(mode, isPinned), links, objects.Values.OrderBy(_ => random.Next()));
            Assert.Empty(site.Differences(anew));
            Assert.Equal(anew.Routes, site.Routes);
            Assert.Equal(anew.View, site.View);
            Assert.Equal(anew.Watched, site.Watched);
        }
    }

    private static Resource Any(Random random, bool pods) => pods ? random.Next(3) == 0
        ? GatewayPod(random.Next(4), random.Next(2) == 0 ? "red" : "blue", random.Next(3) != 0, Node(random))
        : PodOn(Node(random), $"192.168.1.{random.Next(8)}", Wish(random), $"p{random.Next(12)}",
            random.Next(2) == 0 ? "alpha" : "beta") with
        {
            Maintenance = random.Next(4) != 0 ? null
                : new(Address.Parse($"10.10.10.{random.Next(3)}"), null, random.Next(2) == 0 ? null : DateTimeOffset.UnixEpoch),
        }
        : random.Next(8) switch
        {
            0 => Space("alpha", Wish(random)),
            1 => Space("beta", Wish(random)),
            2 => Gateway("red", "red", random.Next(3) == 0 ? 1 : null) with { ExternalNetwork = random.Next(3) == 0 ? "lab" : null },
            3 => Gateway("blue", "blue", random.Next(3)),
            4 => Host("gate2", "172.20.0.12", ("egress", random.Next(3) == 0 ? "no" : "yes")),
            5 => new ExternalNetwork(new Metadata("lab")) { RouteTable = 500 + random.Next(2) },
            6 => new FelixConfiguration(new Metadata("default")) { ExternalNetworks = ExternalNetworkSupport.Enabled },
            _ => new EgressGatewayPolicy(new Metadata("policy"))
            {
                Rules =
                [
                    new(Prefix.Parse("198.51.100.0/24"), random.Next(2) == 0 ? null : Choice("red")) { PrefersLocal = random.Next(2) == 0 },
                    new(null, Choice("blue", random.Next(2))),
                ],
            },
        };

    private static string Node(Random random) => random.Next(4) switch { 0 => "gate1", 1 => "gate2", 2 => "far", _ => "client" };

    private static EgressWish? Wish(Random random) => random.Next(7) switch
    {
        0 or 1 => null,
        2 => By("red"),
        3 => By("red", 1),
        4 => new EgressWish { Policy = "nowhere" },
        5 => new EgressWish { Policy = "policy" },
        _ => By("blue"),
    };

    /// <summary>A pod that is one.</summary>
    private static Pod GatewayPod(int nth, string code, bool isReady, string node = "gate1") => new(
        new Metadata($"egw-{nth}", "edge") { Labels = Labels.From([new("code", code)]) })
    {
        Node = node,
        Nets = [new(Address.Parse($"10.10.10.{nth + 1}"), 32)],
        IsReady = isReady,
    };
}
