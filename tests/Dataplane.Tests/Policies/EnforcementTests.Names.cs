using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <content>Rules that go by names.</content>
public partial class EnforcementTests
{
    private static ListOf<DomainPattern> Patterns(params string[] names) =>
    [
        .. names.Select(name => DomainPattern.TryParse(name, out var pattern, out var error) ? pattern : throw new FormatException(error)),
    ];

    private static RuleEntity Named(params string[] names) => new() { Domains = Patterns(names), In = RuleEntity.Nobody };

    private static GlobalNetworkPolicy Out(string name, string selector, params ListOf<PolicyRule> rules) => new(new Metadata(name))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse(selector),
            Types = PolicyTypes.Egress,
            Egress = rules,
        },
    };

    private static string[] Lines(Hand hand, string beginning) =>
        [.. hand.Text.Split('\n').Where(line => line.StartsWith(beginning, StringComparison.Ordinal))];

    private static string Line(Hand hand, string beginning) => Assert.Single(Lines(hand, beginning));

    [Fact]
    public void Names_are_asked_in_sets_of_both_families_by_who_asks_and_two_lists_of_the_same_share_them()
    {
        var hand = new Hand([
            .. World, Out("one", "app == 'a'", Allow with { Destination = Named("*.example.org", "b.org") }),
            Out("two", "app == 'b'", Allow with { Destination = Named("B.org", "b.org", "*.example.org") with { Ports = Port(8).Ports } }),
        ]);
        var (four, six) = (Line(hand, "pol-dns4-").Split(':')[0], Line(hand, "pol-dns6-").Split(':')[0]);
        foreach (var chain in Lines(hand, "pol-out-").Where(line => line.Contains("pol-dns", StringComparison.Ordinal)))
        {
            Assert.Contains($"iifname . ip daddr @{four}", chain, StringComparison.Ordinal);
            Assert.Contains($"iifname . ip6 daddr @{six}", chain, StringComparison.Ordinal);
        }
        Assert.Equal(2, Lines(hand, "pol-out-").Count(line => line.Contains("pol-dns", StringComparison.Ordinal)));
    }

    [Fact]
    public void With_isolation_by_node_the_address_alone_is_asked_in_other_sets()
    {
        var hand = new Hand([.. World, Out("one", "app == 'a'", Allow with { Destination = Named("b.org") })]);
        var before = Line(hand, "pol-dns4-").Split(':')[0];
        hand.Configure(On with { Policy = On.Policy! with { Dns = new() { Isolation = DnsIsolation.Node } } });
        var after = Line(hand, "pol-dns4n-").Split(':')[0];
        Assert.Contains($"ip daddr @{after}", hand.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(before, hand.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("iifname . ip daddr", hand.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_has_a_rule_by_names_is_listened_to_alone_and_while_nobody_has_nobody_is()
    {
        var hand = new Hand(World);
        var before = hand.Text;
        var policy = Out("one", "app == 'a'", Allow with { Destination = Named("b.org") });
        hand.Change(null, policy);
        Assert.Equal($"pol-dns-links: {NftOctets.OfInterface(A.InterfaceName("cali"))}", Line(hand, "pol-dns-links"));
        Assert.Contains("oifname @pol-dns-links ct direction reply jump pol-dns-reply", Line(hand, "forward-names"),
            StringComparison.Ordinal);
        Assert.Contains("queue flags bypass to 5302", Line(hand, "pol-dns-reply"), StringComparison.Ordinal);
        Assert.DoesNotContain("ct direction original jump pol-dns-query", Line(hand, "output-names"), StringComparison.Ordinal);
        hand.Change(policy, null);
        Assert.Equal(before, hand.Text);
    }

    [Fact]
    public void Where_a_host_endpoint_has_such_a_rule_the_host_itself_is_listened_to()
    {
        var hand = new Hand([
            .. World, new HostEndpoint(new Metadata("eth0") { Labels = Labels.From([new("app", "host")]) })
            {
                Node = "node1",
                Interface = "eth0",
            },
            Out("one", "app == 'host'", Allow with { Destination = Named("b.org") }),
        ]);
        Assert.Contains("; ct direction original jump pol-dns-query", Line(hand, "output-names"), StringComparison.Ordinal);
        Assert.Contains("; ct direction reply jump pol-dns-reply", Line(hand, "input-names"), StringComparison.Ordinal);
        Assert.Equal("pol-dns-links: ", Line(hand, "pol-dns-links"));
    }

    /// <summary>At the end of a tier, where no profile allows, and in front of what a rule denies; nowhere on the way in.</summary>
    [Fact]
    public void Where_denied_packets_wait_they_do_before_each_denial_of_what_is_sent_and_once()
    {
        Resource[] objects =
        [
            .. World, Ingress("in", Allow),
            Out("one", "app == 'a'", Allow with { Destination = Named("b.org") }, Allow with { Action = RuleAction.Deny, Protocol = 17 }),
        ];
        var hand = new Hand(objects);
        var before = hand.Text;
        hand.Configure(On with { Policy = On.Policy! with { Dns = new() { Mode = DnsMode.DenyDelay } } });
        Assert.Equal("pol-dns-denied: iifname @pol-dns-links meta mark & 0x00040000 == 0x00000000 meta mark set meta mark & 0xfffbffff ^ "
            + "0x00040000 queue to 5303", Line(hand, "pol-dns-denied"));
        var waiting = hand.Text.Split('\n').Where(line => line.Contains("jump pol-dns-denied", StringComparison.Ordinal)).ToArray();
        foreach (var end in (string[])["tier", "profile"])
            Assert.Contains(waiting, line => line.Contains(
                $"jump pol-dns-denied; counter name \"pol-deny-{end}-out\"", StringComparison.Ordinal));
        Assert.Contains(waiting, line => line.StartsWith("pol-out-", StringComparison.Ordinal)
            && line.Contains("jump pol-dns-denied; meta l4proto", StringComparison.Ordinal));
        Assert.All(waiting, line => Assert.Matches("^pol-(out|from)-", line));
        Assert.Contains("meta mark set meta mark & 0xfff8ffff", Line(hand, "prerouting-raw"), StringComparison.Ordinal);
        // To who asks what becomes of a packet it makes no difference.
        Assert.Equal(PacketVerdict.Drop, hand.Ask(A, B, 80, IpProtocol.Udp).Item1);
        hand.Configure(On);
        Assert.Equal(before, hand.Text);
    }

    [Fact]
    public void As_Calico_asks_for_it_denied_packets_wait_and_where_no_mark_is_left_responses_do()
    {
        FelixConfiguration felix = new(new Metadata("default")) { DnsPolicyMode = DnsPolicyMode.DelayDeniedPacket };
        var hand = new Hand([.. World, felix, Out("one", "app == 'a'", Allow with { Destination = Named("b.org") })]);
        Assert.Contains("queue to 5303", Line(hand, "pol-dns-denied"), StringComparison.Ordinal);
        hand.Configure(On with { Policy = On.Policy! with { MarkMask = 0x30000 } });
        Assert.Empty(Lines(hand, "pol-dns-denied"));
        hand.Configure(On with { Egress = new() { Enabled = true, MarkMask = 0xfffc0000 } });
        Assert.Empty(Lines(hand, "pol-dns-denied"));
        hand.Configure(On with { Policy = On.Policy! with { Dns = new() { Mode = DnsMode.Hold } } });
        Assert.Empty(Lines(hand, "pol-dns-denied"));
    }

    [Fact]
    public void What_the_host_itself_sends_waits_where_it_goes_by_names()
    {
        var hand = new Hand([
            .. World, new HostEndpoint(new Metadata("eth0") { Labels = Labels.From([new("app", "host")]) })
            {
                Node = "node1",
                Interface = "eth0",
            },
            new FelixConfiguration(new Metadata("default")) { DnsPolicyMode = DnsPolicyMode.DelayDeniedPacket },
            Out("one", "app == 'host'", Allow with { Destination = Named("b.org") }),
        ]);
        Assert.Contains("; fib saddr type local meta mark", Line(hand, "pol-dns-denied"), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_the_network_sets_that_a_destination_selects_follow_these_where_an_egress_rule_allows()
    {
        GlobalNetworkSet partners = new(new Metadata("partners") { Labels = Labels.From([new("partner", "yes")]) })
        {
            Domains = Patterns("b.org"),
        };
        var selected = new RuleEntity { In = Selector.Parse("partner == 'yes'") };
        Resource[] objects = [.. World, Out("one", "app == 'a'", Allow with { Destination = selected })];
        var hand = new Hand(objects);
        Assert.Empty(Lines(hand, "pol-dns"));
        hand.Change(null, partners);
        var first = Line(hand, "pol-dns4-");
        hand.Change(partners, partners with { Domains = Patterns("b.org", "c.org") });
        Assert.NotEqual(first, Line(hand, "pol-dns4-"));
        var other = partners with { Metadata = new("partners") { Labels = Labels.From([new("partner", "no")]) } };
        hand.Change(partners with { Domains = Patterns("b.org", "c.org") }, other);
        Assert.Equal(new Hand([.. objects, other]).Text, hand.Text);
        Assert.Empty(Lines(hand, "pol-dns"));
        var denies = Out("one", "app == 'a'", Allow with { Action = RuleAction.Deny, Destination = selected },
            Allow with { Source = selected });
        Assert.Empty(Lines(new Hand([.. World, partners, denies]), "pol-dns"));
    }

    [Fact]
    public void Trusted_servers_are_addresses_with_ports_and_services_addresses_as_they_are()
    {
        ResourceKey key = new("kube-system", "kube-dns");
        var service = new Resources.Service(new Metadata(key.Name, key.Namespace)) { ClusterIPs = [Address.Parse("10.96.0.10")] };
        ListOf<DnsServer> servers = [new DnsServer(Address.Parse("192.0.2.1"), null, 5353), new DnsServer(null, key, 53)];
        FelixConfiguration felix = new(new Metadata("default")) { DnsTrustedServers = servers };
        var hand = new Hand([.. World, felix, Out("one", "app == 'a'", Allow with { Destination = Named("b.org") })]);
        Assert.Equal("pol-dns-servers4: " + Servers(("192.0.2.1", 5353)), Line(hand, "pol-dns-servers4"));
        hand.Change(null, service);
        Assert.Equal("pol-dns-servers4: " + Servers(("10.96.0.10", 53), ("192.0.2.1", 5353)), Line(hand, "pol-dns-servers4"));
        hand.Change(felix, null);
        Assert.Equal("pol-dns-servers4: " + Servers(("10.96.0.10", 53)), Line(hand, "pol-dns-servers4"));

        static string Servers(params (string Address, ushort Port)[] some) => string.Join(", ", some.SelectMany(one =>
            new byte[] { 6, 17 }.Select(protocol => $"{MatchAddressPort.Key(Address.Parse(one.Address), protocol, one.Port)}")).Order());
    }
}
