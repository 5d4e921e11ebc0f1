using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Services;

/// <summary>What services.snat makes of packets' sources, walked through what is written, in both families.</summary>
public sealed class SourceNatTests
{
    private static SourceNatPlace At(string text) => Prefix.TryParse(text, out var prefix) ? new(prefix.Family, prefix, null)
        : Address.TryParse(text, out var address) ? new(address.Family, new Prefix(address, address.Family.Bits()), null)
        : new(IpFamily.IPv4, null, text);

    private static readonly SourceNatSettings Both = new()
    {
        Addresses = [At("30.0.0.1"), At("30::1")],
        Include = ["tap*"],
        Exclude = [Prefix.Parse("20.0.0.0/16"), Prefix.Parse("20::/100")],
    };

    private static ServiceHand With(SourceNatSettings? settings, params Translation[] translations)
    {
        var hand = new ServiceHand();
        hand.Apply(new ServiceSettings { Enabled = true, SourceNat = settings, Translations = [.. translations] });
        return hand;
    }

    private static string? Ask(ServiceHand hand, bool six, string to4, string to6, string? link, string? outLink = "eth1",
        string from4 = "10.0.0.9", string from6 = "10::9") =>
        hand.Ask(six ? to6 : to4, from: six ? from6 : from4, link: link, outLink: outLink);

    [Theory]
    [InlineData(false, SourceNatPolicy.None)]
    [InlineData(true, SourceNatPolicy.None)]
    [InlineData(false, SourceNatPolicy.IfPfx)]
    [InlineData(true, SourceNatPolicy.IfPfx)]
    public void What_comes_in_by_an_interface_that_is_named_has_the_new_source_but_for_excluded_destinations(
        bool six, SourceNatPolicy policy)
    {
        var hand = With(Both with { Policy = policy });
        var own = six ? "30::1" : "30.0.0.1";
        Assert.Equal($"{own}->", Ask(hand, six, "40.0.0.1", "40::1", "tap0"));
        Assert.Equal("->", Ask(hand, six, "20.0.7.1", "20::7", "tap0"));
        Assert.Equal($"{own}->", Ask(hand, six, "20.1.0.1", "20::1:0:0", "tap0"));
        Assert.Equal("->", Ask(hand, six, "40.0.0.1", "40::1", "eth0"));
        hand.Own.UnionWith([Address.Parse("10.0.0.9"), Address.Parse("10::9")]);
        Assert.Equal("->", Ask(hand, six, "40.0.0.1", "40::1", link: null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void As_in_Kubernetes_what_no_pod_has_to_do_with_has_it_and_what_leaves_to_hosts_does_not(bool six)
    {
        var hand = With(Both with { Policy = SourceNatPolicy.K8s, Include = ["tap0"], Pods = ["cali*"], Hosts = ["host0"] });
        var own = six ? "30::1" : "30.0.0.1";
        string? Ask(string? link, string outLink, string from4 = "10.0.0.9", string from6 = "10::9", string to4 = "40.0.0.1") =>
            SourceNatTests.Ask(hand, six, to4, "40::1", link, outLink, from4, from6);
        Assert.Equal($"{own}->", Ask("eth0", "eth1"));
        Assert.Equal("->", Ask("cali1", "eth1"));
        Assert.Equal("->", Ask("eth0", "cali1"));
        Assert.Equal($"{own}->", Ask("tap0", "cali1")); // included
        Assert.Equal("->", Ask("tap0", "host0"));
        Assert.Equal("->", Ask("eth0", "host0"));
        Assert.Equal("->", Ask("eth0", "eth1", "30.0.0.1", "30::1")); // it has it already
        hand.Own.UnionWith([Address.Parse("10.0.0.9"), Address.Parse("10::9")]);
        Assert.Equal("->", Ask(null, "eth1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_sent_to_the_new_source_and_no_session_has_asked_for_is_dropped_where_it_is_nobodys_address(bool six)
    {
        var hand = With(Both);
        Assert.Null(Ask(hand, six, "30.0.0.1", "30::1", "eth0"));
        hand.Own.UnionWith([Address.Parse("30.0.0.1"), Address.Parse("30::1")]);
        Assert.NotNull(Ask(hand, six, "30.0.0.1", "30::1", "eth0"));
    }

    [Fact]
    public void Of_a_prefix_a_source_keeps_the_address_that_it_has_got()
    {
        var end = Assert.Single(With(Both with { Addresses = [At("30.0.0.0/30")] }).Ends("40.0.0.1", link: "tap0"));
        Assert.Equal(("30.0.0.0", "30.0.0.3"), (end.Source!.First.ToString(), end.Source.Last.ToString()));
        Assert.Contains(",persistent", With(Both with { Addresses = [At("30.0.0.0/30")] }).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interfaces_address_is_followed_and_while_it_has_none_sources_stay()
    {
        var hand = With(Both with { Addresses = [At("tap9")] });
        Assert.Equal("->", hand.Ask("40.0.0.1", link: "tap0"));
        hand.Have((2, "tap9", "30.0.0.2"), (2, "tap9", "30.0.0.3"));
        Assert.Equal("30.0.0.2->", hand.Ask("40.0.0.1", link: "tap0"));
        hand.Have((2, "tap9", "30.0.0.3"));
        Assert.Equal("30.0.0.3->", hand.Ask("40.0.0.1", link: "tap0"));
        hand.Have((2, "tap9", "30.0.0.3"), (3, "tap8", "30.0.0.4"));
        Assert.Empty(hand.Changes);
        hand.Have();
        Assert.Equal("->", hand.Ask("40.0.0.1", link: "tap0"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_prefix_stands_in_place_of_another_in_both_directions_but_for_excluded_destinations(bool six)
    {
        var hand = With(new()
        {
            Policy = SourceNatPolicy.Dnat,
            Exclude = Both.Exclude,
            Rewrite =
            [
                new(Prefix.Parse("10.0.0.0/24"), Prefix.Parse("30.0.0.0/24")), new(Prefix.Parse("10::/64"), Prefix.Parse("30::/64")),
            ],
        });
        Assert.Equal(six ? "30::9->" : "30.0.0.9->", Ask(hand, six, "40.0.0.1", "40::1", "eth0"));
        Assert.Equal("->", Ask(hand, six, "20.0.7.1", "20::7", "eth0"));
        Assert.Equal("->", Ask(hand, six, "40.0.0.1", "40::1", "eth0", from4: "10.0.1.9", from6: "10:0:0:1::9"));
        Assert.Equal(six ? "->10::7" : "->10.0.0.7", Ask(hand, six, "30.0.0.7", "30::7", "eth0", from4: "40.0.0.1", from6: "40::1"));
    }

    [Fact]
    public void What_a_translation_says_of_the_source_comes_first()
    {
        static TranslationPlace Place(string address) => TranslationPlace.Of(Address.Parse(address));
        var hand = With(Both, new Translation("", TranslationKind.Vip, new(Place("50.0.0.1"), IpProtocol.Tcp, 80),
            [new(new(Place("1.2.3.4"), null), new(Place("60.0.0.1"), null))]));
        Assert.Equal("1.2.3.4->60.0.0.1:80", hand.Ask("50.0.0.1", link: "tap0"));
        Assert.Equal("30.0.0.1->", hand.Ask("60.0.0.1", link: "tap0"));
    }

    /// <summary>Behind where services send it, if they do.</summary>
    private static string Why(ServiceHand hand, string to, string from = "10.0.0.9") => Assert.Single(new NatExplainer(
        NatPlan.Nothing, new Packet(Address.Parse(from), Address.Parse(to)), [.. hand.Ends(to, from: from, link: "tap0")]).Explain().Steps,
        step => !step.StartsWith("services send it to 60.0.0.1", StringComparison.Ordinal));

    [Fact]
    public void An_explanation_names_who_gives_the_packet_its_source()
    {
        static TranslationPlace Place(string address) => TranslationPlace.Of(Address.Parse(address));
        Translation Of(string vip, string? from = null) => new("", TranslationKind.Vip, new(Place(vip), IpProtocol.Tcp, 80),
            [new(new(from == null ? null : Place(from), null), new(Place("60.0.0.1"), null))]);
        var hand = With(Both, Of("50.0.0.1", "1.2.3.4"), Of("50.0.0.2"));
        Assert.Equal("services.snat gives it another source", Why(hand, "40.0.0.1"));
        Assert.Equal("the translation that gives it its destination gives it another source, too", Why(hand, "50.0.0.1"));
        Assert.Equal("it goes back to its sender by way of a service, and has to look like another's", Why(hand, "50.0.0.2", "60.0.0.1"));
        Assert.Equal("NAT is off (nat.enabled)", Why(hand, "20.0.7.1"));
    }

    [Fact]
    public void What_is_said_again_writes_nothing_and_off_nothing_is_left()
    {
        var hand = With(Both);
        hand.Apply(new ServiceSettings { Enabled = true, SourceNat = Both with { } });
        Assert.Empty(hand.Changes);
        var with = hand.Text;
        hand.Apply(new ServiceSettings { Enabled = true });
        Assert.DoesNotContain("svc-snat", hand.Text, StringComparison.Ordinal);
        hand.Apply(new ServiceSettings { Enabled = true, SourceNat = Both });
        Assert.Equal(with, hand.Text);
        hand.Apply(null);
        Assert.Equal("", hand.Text);
    }
}
