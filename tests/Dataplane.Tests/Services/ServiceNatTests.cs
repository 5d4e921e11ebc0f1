using System.Text.RegularExpressions;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Services;

/// <summary>What translations make of packets, walked through what is written; and what is written of a change.</summary>
public sealed partial class ServiceNatTests
{
    private const string Vip = "30.0.0.2", Vip6 = "30::2", Client = "10.0.0.9";

    private static TranslationPlace At(string text) => text.Contains(':') || text.Contains('.')
        ? TranslationPlace.Of(Address.Parse(text)) : TranslationPlace.OfInterface(text, IpFamily.IPv4);

    private static Backend To(string address, ushort? port = 8080, string? from = null, int weight = 1) =>
        new(new(from == null ? null : At(from), null), new(At(address), port)) { Weight = weight };

    private static Translation Of(string at, IpProtocol? protocol, ushort port, params Backend[] backends) =>
        new("", TranslationKind.Vip, new(At(at), protocol, port), [.. backends]);

    private static Translation Tcp(params Backend[] backends) => Of(Vip, IpProtocol.Tcp, 80, backends);

    [Fact]
    public void Address_protocol_and_port_lead_to_the_backend_and_nothing_else_gets_through_to_a_virtual_address()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1")), Of(Vip6, IpProtocol.Udp, 53, To("20::1", null)));
        Assert.Equal("->20.0.0.1:8080", hand.Ask(Vip));
        Assert.Equal("->20::1:53", hand.Ask(Vip6, IpProtocol.Udp, 53));
        Assert.Null(hand.Ask(Vip, port: 81));
        Assert.Null(hand.Ask(Vip, IpProtocol.Udp));
        Assert.Null(hand.Ask(Vip, IpProtocol.Icmp, null));
        Assert.Equal("->", hand.Ask("30.0.0.3"));
    }

    /// <summary>Without chains that translate the kernel would forget what it does to connections that there are.</summary>
    [Fact]
    public void Maps_that_have_nothing_are_asked_by_no_rule_and_chains_that_translate_stay()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1")));
        string Asked() => string.Join(
            ' ', AskedMaps().Matches(hand.Text).Select(match => match.Value[5..]).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("ends4 hairpins4 ports4 vips4", Asked());
        hand.Configure(Tcp(To("20.0.0.1", from: "1.2.3.4")), Of(Vip6, null, 0, To("20::1", null)));
        Assert.Equal("ends4 from4 hairpins4 hairpins6 hostends6 hosts6 ports4 vips4 vips6", Asked());
        hand.Configure();
        Assert.Equal("hairpins4 ports4", Asked());
    }

    [GeneratedRegex(@"@svc-[a-z]+[46]")]
    private static partial Regex AskedMaps();

    [Fact]
    public void Timeouts_come_with_the_first_that_has_some_and_go_with_the_last()
    {
        var hour = Tcp(To("20.0.0.1")) with { Timeouts = new(TimeSpan.FromHours(1), TimeSpan.FromSeconds(30)) };
        var hand = new ServiceHand(hour, Of(Vip6, null, 0, To("20::1", null)) with { Timeouts = hour.Timeouts });
        Assert.Equal(["svc-tcp-30-3600", "svc-udp-30"], hand.Timeouts);
        Assert.Contains("ct timeout set \"svc-tcp-30-3600\"; ct timeout set \"svc-udp-30\"", hand.Text, StringComparison.Ordinal);
        Assert.Contains("prerouting-mangle: ", hand.Text, StringComparison.Ordinal);
        Assert.Equal("->20.0.0.1:8080", hand.Ask(Vip));
        hand.Configure(hour with { Timeouts = new(TimeSpan.FromHours(2), null) });
        Assert.Equal(["svc-tcp-x-7200"], hand.Timeouts);
        hand.Configure(hour with { Timeouts = null });
        Assert.Empty(hand.Timeouts);
        Assert.DoesNotContain("-mangle: ", hand.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("svc-timing", hand.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_translated_of_a_real_address_goes_on_as_it_would()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1", from: "1.2.3.4")) with { Kind = TranslationKind.Real });
        Assert.Equal("1.2.3.4->20.0.0.1:8080", hand.Ask(Vip));
        Assert.Equal("->", hand.Ask(Vip, port: 81));
    }

    /// <summary>The kernel does not call it translated (ct status dnat).</summary>
    [Fact]
    public void What_is_sent_on_to_where_it_was_sent_has_its_new_source_all_the_same()
    {
        var hand = new ServiceHand(Tcp(To(Vip, 80, from: "1.2.3.4")) with { Kind = TranslationKind.Real });
        Assert.StartsWith("1.2.3.4->", hand.Ask(Vip), StringComparison.Ordinal);
        Assert.Equal("->", hand.Ask(Vip, port: 81));
    }

    [Fact]
    public void Any_protocol_takes_every_port_and_ping()
    {
        var hand = new ServiceHand(Of(Vip, null, 0, To("20.0.0.1", null)), Tcp(To("20.0.0.2")));
        Assert.Equal("->20.0.0.2:8080", hand.Ask(Vip));
        Assert.Equal("->20.0.0.1", hand.Ask(Vip, port: 81));
        Assert.Equal("->20.0.0.1", hand.Ask(Vip, IpProtocol.Icmp, null));
        Assert.Equal("->20.0.0.1", hand.Ask(Vip, IpProtocol.Sctp, 1));
    }

    [Fact]
    public void A_backend_that_speaks_to_itself_by_way_of_a_service_looks_like_another()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1")));
        Assert.Equal("masquerade->20.0.0.1:8080", hand.Ask(Vip, from: "20.0.0.1"));
    }

    [Theory]
    [InlineData(EmptyBackends.Reject)]
    [InlineData(EmptyBackends.Drop)]
    public void Without_backends_nothing_gets_through_until_one_comes(EmptyBackends empty)
    {
        var hand = new ServiceHand();
        hand.Apply(new ServiceSettings { Enabled = true, EmptyBackends = empty, Translations = [Tcp()] });
        Assert.Null(hand.Ask(Vip));
        Assert.Equal(empty == EmptyBackends.Reject, hand.Text.Contains("reject", StringComparison.Ordinal));
        hand.Apply(new ServiceSettings { Enabled = true, EmptyBackends = empty, Translations = [Tcp(To("20.0.0.1"))] });
        Assert.Equal("->20.0.0.1:8080", hand.Ask(Vip));
    }

    [Theory]
    [InlineData(TranslationBalance.Hash)]
    [InlineData(TranslationBalance.Maglev)]
    public void Connections_are_shared_by_weight_and_each_choice_can_be_told_beforehand(TranslationBalance balance)
    {
        var hand = new ServiceHand(
            Tcp(To("20.0.0.1", weight: 10), To("20.0.0.2", weight: 30), To("20.0.0.3", weight: 0)) with { Balance = balance });
        var counts = Enumerable.Range(20000, 2000).CountBy(port => hand.Ask(Vip, sourcePort: (ushort)port)!).ToDictionary();
        Assert.Equal(["->20.0.0.1:8080", "->20.0.0.2:8080"], counts.Keys.Order());
        Assert.InRange(counts["->20.0.0.2:8080"], 1400, 1600);
    }

    [Fact]
    public void By_the_source_alone_a_client_keeps_its_backend()
    {
        var hand = new ServiceHand(Tcp([.. Enumerable.Range(1, 7).Select(i => To($"20.0.0.{i}"))]) with { FlowHash = FlowHash.Source });
        Assert.Single(Enumerable.Range(20000, 50).Select(port => hand.Ask(Vip, sourcePort: (ushort)port)).Distinct());
        Assert.Equal(7, Enumerable.Range(1, 200).Select(i => hand.Ask(Vip, from: $"10.0.0.{i}")).Distinct().Count());
    }

    [Fact]
    public void What_is_said_again_writes_nothing_and_a_backend_that_comes_writes_what_it_touches()
    {
        Translation[] others =
            [.. Enumerable.Range(1, 1000).Select(i => Of($"30.1.{i / 250}.{i % 250}", IpProtocol.Tcp, 80, To("20.0.0.9")))];
        var hand = new ServiceHand([Tcp(To("20.0.0.1")), .. others]);
        hand.Configure([Tcp(To("20.0.0.1")), .. others]);
        Assert.Empty(hand.Changes);
        hand.Configure([Tcp(To("20.0.0.1"), To("20.0.0.2")), .. others]);
        Assert.Equal(3, hand.Elements); // its number, where the address leads now, and itself beside itself
    }

    [Fact]
    public void By_its_digest_Maglevs_table_is_known_to_be_the_same_on_another_node()
    {
        static string? DigestOf(params string[] backends) => Assert.Single(new ServiceHand(Tcp([.. backends.Select(one => To(one))]) with
        {
            Balance = TranslationBalance.Maglev,
        }).View.Translations).Digest;
        Assert.Equal(16, DigestOf("20.0.0.1", "20.0.0.2")!.Length);
        Assert.Equal(DigestOf("20.0.0.1", "20.0.0.2"), DigestOf("20.0.0.2", "20.0.0.1"));
        Assert.NotEqual(DigestOf("20.0.0.1", "20.0.0.2"), DigestOf("20.0.0.1", "20.0.0.3"));
        Assert.Null(DigestOf());
        Assert.Null(Assert.Single(new ServiceHand(Tcp(To("20.0.0.1"))).View.Translations).Digest);
    }

    [Fact]
    public void Who_has_no_place_in_Maglevs_table_is_said_to_get_nothing_until_there_is_room()
    {
        var many = Tcp([.. Enumerable.Range(0, 300).Select(i => To($"20.0.{i / 100}.{i % 100 + 1}"))]) with
        {
            Balance = TranslationBalance.Maglev,
        };
        var hand = new ServiceHand();
        hand.Apply(new ServiceSettings { Enabled = true, MaglevSize = 251, Translations = [many] });
        Assert.Equal("translation 0 (bgpd.yaml) of TCP 30.0.0.2 80: 49 of its 300 backends get no new connections, because Maglev's table "
            + "has 251 places (maglevSize), and none for them: a larger one has", Assert.Single(hand.View.Problems));
        hand.Apply(new ServiceSettings { Enabled = true, MaglevSize = 1009, Translations = [many] });
        Assert.Empty(hand.View.Problems);
        hand.Apply(new ServiceSettings { Enabled = true, MaglevSize = 251, Translations = [many] });
        Assert.Single(hand.View.Problems);
        hand.Configure();
        Assert.Empty(hand.View.Problems);
    }

    [Theory]
    [InlineData(OnBackendRemoval.Keep, false)]
    [InlineData(OnBackendRemoval.Delete, true)]
    public void With_the_section_its_connections_go_as_it_has_said_of_backends(OnBackendRemoval onRemoval, bool isEnding)
    {
        var hand = new ServiceHand();
        hand.Apply(new ServiceSettings { Enabled = true, OnBackendRemoval = onRemoval, Translations = [Tcp(To("20.0.0.1"))] });
        Assert.False(hand.HasEnding);
        hand.Apply(null);
        Assert.Equal(isEnding, hand.HasEnding);
    }

    [Fact]
    public void Where_the_interface_of_source_NAT_has_no_address_that_is_said_until_it_has_one()
    {
        var hand = new ServiceHand();
        hand.Apply(new ServiceSettings
        {
            Enabled = true,
            SourceNat = new() { Addresses = [SourceNatWords.Place("tap0 v6")!, SourceNatWords.Place("30.0.0.1")!], Include = ["eth0"] },
        });
        Assert.Equal(
            [
                "snat: there is no interface tap0, so that packets keep their source",
                "snat: there is no interface eth0, which include names",
            ],
            hand.View.Problems.ToArray());
        hand.Have((2, "tap0", Vip), (1, "eth0", "10.0.0.1"));
        Assert.Equal("snat: tap0 has no address of ipv6, so that packets keep their source", Assert.Single(hand.View.Problems));
        hand.Have((2, "tap0", Vip6), (1, "eth0", "10.0.0.1"));
        Assert.Empty(hand.View.Problems);
        hand.Apply(new ServiceSettings { Enabled = true, SourceNat = new() { Include = ["nope*"], Hosts = ["eth9"] } });
        Assert.Empty(hand.View.Problems);
        hand.Apply(new ServiceSettings { Enabled = true, SourceNat = new() { Policy = SourceNatPolicy.K8s, Hosts = ["eth9"] } });
        Assert.Equal("snat: there is no interface eth9, which host names", Assert.Single(hand.View.Problems));
    }

    [Fact]
    public void Of_two_sources_with_one_key_the_one_that_waits_says_for_which()
    {
        var hand = new ServiceHand();
        hand.Add(Tcp(To("20.0.0.1")));
        hand.Configure(Tcp(To("20.0.0.2")));
        Assert.Equal(["translation 1 (bgpd.yaml) has its address, protocol and port", null],
            hand.View.Translations.Select(row => row.Problem));
        const string words = "translation 0 (cli) has the same, and waits until this one is gone";
        Assert.Equal(words, Assert.Single(hand.View.Translations[1].Warnings));
        Assert.Equal($"translation 1 (bgpd.yaml) of TCP 30.0.0.2 80: {words}", Assert.Single(hand.View.Problems));
        hand.Configure();
        Assert.Empty(Assert.Single(hand.View.Translations).Warnings);
        Assert.Empty(hand.View.Problems);
    }

    [Fact]
    public void A_backend_at_an_interface_without_an_address_is_named_and_where_there_is_no_other_the_translation_waits()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1"), To("tap9")));
        const string words = "nothing is sent to ->tap9:8080: there is no interface tap9";
        var row = Assert.Single(hand.View.Translations);
        Assert.Equal((null, words), (row.Problem, Assert.Single(row.Warnings)));
        Assert.Equal("->20.0.0.1:8080", hand.Ask(Vip));
        hand.Configure(Tcp(To("tap9")));
        Assert.Equal(words, Assert.Single(hand.View.Translations).Problem);
        hand.Have((9, "tap9", "20.0.0.9"));
        row = Assert.Single(hand.View.Translations);
        Assert.Equal((null, 0, "->20.0.0.9:8080"), (row.Problem, row.Warnings.Count, hand.Ask(Vip)));
    }

    [Fact]
    public void What_takes_that_by_which_the_node_is_reached_says_so_while_the_address_is_the_nodes()
    {
        var hand = new ServiceHand(Of(Vip, IpProtocol.Tcp, 22, To("20.0.0.1")), Of("tap0", IpProtocol.Udp, 0, To("20.0.0.1", null)),
            Tcp(To("20.0.0.1")));
        Assert.Empty(hand.View.Problems);
        hand.Have((2, "tap0", "30.0.0.3"), (2, "tap0", Vip));
        Assert.Equal(
            [
                "translation 0 (bgpd.yaml) of TCP 30.0.0.2 22: it takes what comes to this node's own 30.0.0.2 for SSH (TCP 22)",
                "translation 1 (bgpd.yaml) of UDP tap0 0: it takes what comes to this node's own 30.0.0.3 for BFD (UDP 3784), "
                    + "BFD (UDP 4784), DHCP (UDP 68)",
            ], hand.View.Problems.ToArray());
        Assert.Equal(hand.View.Problems.AsEnumerable(), hand.Status.NodeTaken);
        hand.Have();
        Assert.Empty(hand.Status.NodeTaken);
        Assert.Equal("translation 1 (bgpd.yaml) of UDP tap0 0: waits: there is no interface tap0", Assert.Single(hand.Status.Problems));
        Assert.Equal(["there is no interface tap0"], hand.View.Translations.Select(row => row.Problem).OfType<string>());
        Assert.Empty(hand.View.Problems);
    }

    [Fact]
    public void What_takes_that_by_which_the_node_is_reached_is_known_beforehand_in_the_same_words()
    {
        (string, Address)[] own = [("tap0", Address.Parse("fe80::1")), ("tap0", Address.Parse("30.0.0.3")), ("eth0", Address.Parse(Vip))];
        Translation[] all =
        [
            Of(Vip, IpProtocol.Tcp, 22, To("20.0.0.1")) with { Name = "thief" }, Of("tap0", IpProtocol.Udp, 68, To("20.0.0.1")),
            Of("tap9", IpProtocol.Tcp, 22, To("20.0.0.1")), Of("9.0.0.1", IpProtocol.Tcp, 22, To("20.0.0.1")), Tcp(To("20.0.0.1")),
        ];
        var settings = new ServiceSettings { Enabled = true, Translations = [.. all] };
        Assert.Equal(
            [
                "translation thief of TCP 30.0.0.2 22: it takes what comes to this node's own 30.0.0.2 for SSH (TCP 22)",
                "translation of UDP tap0 68: it takes what comes to this node's own 30.0.0.3 for DHCP (UDP 68)",
            ], settings.NodeTaken(own));
        Assert.Empty((settings with { Enabled = false }).NodeTaken(own));
    }

    [Fact]
    public void What_shuts_people_out_stands_before_all_else_whatever_it_is_called()
    {
        var hand = new ServiceHand(Tcp(To("tap9")), Of("2.0.0.1", IpProtocol.Tcp, 80, To("20.0.0.1"), To("tap9")));
        hand.Have((1, "eth0", "9.0.0.1"));
        hand.Add(Of("9.0.0.1", IpProtocol.Tcp, 22, To("20.0.0.1")));
        Assert.Equal(
            [
                "translation 2 (cli) of TCP 9.0.0.1 22: it takes what comes to this node's own 9.0.0.1 for SSH (TCP 22)",
                "translation 0 (bgpd.yaml) of TCP 30.0.0.2 80: waits: nothing is sent to ->tap9:8080: there is no interface tap9",
                "translation 1 (bgpd.yaml) of TCP 2.0.0.1 80: nothing is sent to ->tap9:8080: there is no interface tap9",
            ], hand.Status.Problems.ToArray());
    }

    [Fact]
    public void A_backend_that_is_itself_a_virtual_address_is_said_to_lead_nowhere_whichever_came_first()
    {
        static string Words(string to, string why) => $"what is sent to {to} arrives nowhere: {why}, and a packet is translated once";
        var other = Of("30.0.0.3", IpProtocol.Tcp, 80, To("20.0.0.1"));
        var (own, theirs, real) = (Tcp(To(Vip)), Tcp(To("30.0.0.3", 80)), other with { Kind = TranslationKind.Real });
        var hand = new ServiceHand(own);
        ListOf<string> Warned() => hand.View.Translations[0].Warnings;
        Assert.Equal(Words("30.0.0.2:8080", "that is a virtual address"), Assert.Single(Warned()));
        hand.Configure(theirs);
        Assert.Empty(Warned());
        hand.Configure(theirs, other);
        Assert.Equal(Words("30.0.0.3:80", "TCP 30.0.0.3 80 is itself translated"), Assert.Single(Warned()));
        Assert.Empty(hand.View.Translations[1].Warnings);
        hand.Have((1, "eth0", "30.0.0.3"));
        Assert.Empty(Warned());
        hand.Have();
        Assert.Single(Warned());
        hand.Configure(theirs, real);
        Assert.Empty(Warned());
        hand.Configure(theirs, other with { Backends = [] }, Of("30.0.0.3", null, 0, To("20.0.0.9", null)));
        Assert.Single(Warned());
        hand.Configure(theirs, Of("30.0.0.3", null, 0, To("20.0.0.9", null)));
        Assert.Equal(Words("30.0.0.3:80", "any 30.0.0.3 0 is itself translated"), Assert.Single(Warned()));
        hand.Configure(other, theirs);
        Assert.Single(hand.View.Problems);
        Assert.Equal([0, 1], new ServiceHand(other, theirs).View.Translations.Select(row => row.Warnings.Count));
    }

    [Fact]
    public void A_translation_of_whose_backends_none_has_a_weight_says_so()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1", weight: 0)));
        Assert.Equal("no backend of it has a weight: new connections are refused", Assert.Single(hand.View.Translations[0].Warnings));
        hand.Configure(Tcp(To("20.0.0.1", weight: 0), To("20.0.0.2")));
        Assert.Empty(hand.View.Translations[0].Warnings);
        hand.Configure(Tcp());
        Assert.Empty(hand.View.Translations[0].Warnings);
    }

    [Fact]
    public void An_interface_s_address_is_followed_and_while_there_is_none_nothing_is_translated()
    {
        var hand = new ServiceHand(Of("tap0", IpProtocol.Tcp, 80, To("20.0.0.1")));
        Assert.Equal("there is no interface tap0", Assert.Single(hand.View.Translations).Problem);
        hand.Have((2, "tap0", Vip6));
        Assert.Equal("tap0 has no address of ipv4", Assert.Single(hand.View.Translations).Problem);
        hand.Have((2, "tap0", Vip), (3, "tap1", "30.0.0.3"));
        Assert.Null(Assert.Single(hand.View.Translations).Problem);
        Assert.Equal("->20.0.0.1:8080", hand.Ask(Vip));
        hand.Have((2, "tap0", "30.0.0.4"), (2, "tap0", Vip));
        Assert.Equal("->20.0.0.1:8080", hand.Ask("30.0.0.4"));
        Assert.Equal("->", hand.Ask(Vip));
        hand.Have();
        Assert.Equal("->", hand.Ask("30.0.0.4"));
    }

    [Fact]
    public void Of_two_translations_that_come_to_one_address_one_waits_until_the_other_goes()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1")), Of("tap0", IpProtocol.Tcp, 80, To("20.0.0.2")));
        hand.Have((2, "tap0", Vip));
        Assert.Equal("->20.0.0.1:8080", hand.Ask(Vip));
        Assert.Equal("the translation of TCP 30.0.0.2 80 has its address and port", hand.View.Translations[1].Problem);
        hand.Configure(Of("tap0", IpProtocol.Tcp, 80, To("20.0.0.2")));
        Assert.Equal("->20.0.0.2:8080", hand.Ask(Vip));
    }

    [Fact]
    public void What_of_a_packet_is_not_known_is_said_where_it_counts()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1"), To("20.0.0.2")), Of(Vip, IpProtocol.Udp, 53, To("20.0.0.3")));
        Assert.Equal(["Open: the source port, which chooses one of 2", "Drop: ", "->20.0.0.3"],
            hand.Ends(Vip, null, null, null).Select(end => end.Destination != null ? $"->{end.Destination.First}"
                : $"{end.Verdict}: {(end.Verdict == PacketVerdict.Open ? end.DependsOn[^1].Fact : "")}").Distinct());
    }

    [Fact]
    public void Off_nothing_is_left_of_it()
    {
        var hand = new ServiceHand(Tcp(To("20.0.0.1")), Of(Vip6, IpProtocol.Udp, 53));
        hand.Apply(null);
        Assert.Equal("", hand.Text);
    }

    private static readonly Gen<Translation> AnyTranslation =
        from at in Gen.Elements(Vip, "30.0.0.3", Vip6)
        let six = at.Contains(':')
        from protocol in Gen.Elements<IpProtocol?>(IpProtocol.Tcp, IpProtocol.Udp, null)
        from port in Gen.Elements<ushort>(protocol == null ? [0] : [80, 81])
        from backends in Gen.SubListOf(1, 2, 3, 4)
        from weight in Gen.Choose(0, 2)
        from hash in Gen.Elements(FlowHash.Default, FlowHash.Source, FlowHash.Symmetric)
        from balance in Gen.Frequency((5, Gen.Constant(TranslationBalance.Hash)), (1, Gen.Constant(TranslationBalance.Maglev)))
        from kind in Gen.Elements(TranslationKind.Vip, TranslationKind.Real)
        from fullNat in Gen.Elements(true, false)
        select Of(at, protocol, port, [.. backends.Select(i => To(six ? $"20::{i}" : $"20.0.0.{i}", port == 0 ? null : (ushort)8080,
            fullNat ? six ? "1::4" : "1.2.3.4" : null, weight))]) with
        { Kind = kind, Balance = balance, FlowHash = balance == TranslationBalance.Hash ? hash : FlowHash.Default };

    private static readonly Gen<Translation[]> AnyTranslations =
        Gen.ListOf(AnyTranslation).Select(some => some.DistinctBy(one => one.Key).Take(6).ToArray());

    [Fact]
    public void A_connection_is_the_translations_that_takes_its_port_or_else_all_ports_and_nobodys_where_services_are_off()
    {
        var hand = new ServiceHand(
            Of(Vip, IpProtocol.Udp, 0, To("20.0.0.1", null)), Of(Vip, IpProtocol.Udp, 53, To("20.0.0.2")), Of(Vip6, null, 0));
        Assert.Equal((1, 0), (hand.Owner(Vip, IpProtocol.Udp, 53), hand.Owner(Vip, IpProtocol.Udp, 54)));
        Assert.Equal(0, hand.Owner(Vip, IpProtocol.Udp, null));
        Assert.Equal((null, null), (hand.Owner(Vip, IpProtocol.Tcp, 53), hand.Owner("30.0.0.3", IpProtocol.Udp, 53)));
        Assert.Equal(2, hand.Owner(Vip6, IpProtocol.Icmp6, null));
        hand.Apply(null);
        Assert.Null(hand.Owner(Vip, IpProtocol.Udp, 53));
    }

    /// <summary>However it came to be: what is written step by step is what is written from scratch.</summary>
    [Fact]
    public void Steps_write_what_is_written_at_once() =>
        Prop.ForAll(Gen.ListOf(AnyTranslations).ToArbitrary(), steps =>
        {
            var hand = new ServiceHand();
            foreach (var step in steps) hand.Configure(step);
            return hand.Text == new ServiceHand(steps.LastOrDefault([])).Text;
        }).QuickCheckThrowOnFailure();
}
