using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using static Calico.Bgp.Configuration.Tests.DaemonConfigTests;

namespace Calico.Bgp.Configuration.Tests;

public class ServicesConfigTests
{
    private static TranslationPlace At(string address) => TranslationPlace.Of(Address.Parse(address));

    [Fact]
    public void Without_the_section_nothing_is_said_of_services() => Assert.Null(Good("node: node1\n").Services);

    [Theory]
    [InlineData("services:\n")]
    [InlineData("services: {}\n")]
    [InlineData("services: { enabled: true, emptyBackends: reject, maglevSize: 1009, translations: [] }\n")]
    [InlineData("services: { onBackendRemoval: delete, drainTime: 30s }\n")]
    public void The_section_alone_switches_it_on(string text) => Assert.Equal(new ServiceSettings { Enabled = true }, Good(text).Services);

    [Fact]
    public void Kubernetes_services_are_translated_where_the_file_says_so()
    {
        Assert.Equal(new ServiceSettings { Enabled = true, Kubernetes = true }, Good("services: { kubernetes: true }\n").Services);
        Assert.False(Good("services:\n").Services!.Kubernetes);
    }

    [Fact]
    public void Where_Kubernetes_services_come_from_nowhere_that_is_said() => Assert.Equal(
        "services has none of Kubernetes': they come from sources, and there are none",
        Assert.Single(Parse("services: { kubernetes: true }\n").Warnings).Text);

    [Fact]
    public void Reverse_alone_reverses_all_fields() => Assert.Equal(FlowHash.Default | FlowHash.Reverse, Assert.Single(Good(
        "services: { translations: [{ protocol: tcp, vip: 30.0.0.2, port: 80, flowHash: reverse }] }\n").Services!.Translations).FlowHash);

    [Fact]
    public void All_keys_of_a_translation_are_read() => Assert.Equal(
        new Translation("web", TranslationKind.Real, new(At("30.0.0.2"), IpProtocol.Tcp, 80),
        [
            new(new(At("1.2.3.4"), null), new(At("20.0.0.1"), 8080)) { Weight = 3 },
            new(Backend.Unchanged, new(TranslationPlace.OfInterface("eth1", IpFamily.IPv4), 8081)),
        ])
        { Balance = TranslationBalance.Maglev, FlowHash = FlowHash.Source | FlowHash.SourcePort },
        Assert.Single(Good("""
            services:
              translations:
                - name: web
                  protocol: tcp
                  real: 30.0.0.2
                  port: 80
                  balance: maglev
                  flowHash: [source, sourcePort]
                  backends:
                    - { from: 1.2.3.4, to: "20.0.0.1:8080", weight: 3 }
                    - { to: "eth1:8081" }

            """).Services!.Translations));

    [Fact]
    public void How_long_a_client_keeps_its_backend_is_read() => Assert.Equal(TimeSpan.FromHours(1), Assert.Single(
        Good("services: { translations: [{ protocol: tcp, vip: 30.0.0.2, port: 80, affinity: 1h }] }\n").Services!.Translations).Affinity);

    [Theory]
    [InlineData("tcp", "{ tcp: 1h, other: 30s }", 3600.0, 30.0)]
    [InlineData("tcp", "{ tcp: 1s }", 1.0, null)]
    [InlineData("tcp", "{ other: 120h }", null, 432000.0)]
    [InlineData("udp", "{ other: 90s }", null, 90.0)]
    [InlineData("any", "{ tcp: 2h, other: 10m }", 7200.0, 600.0)]
    [InlineData("udp", "{}", null, null)]
    public void How_long_connections_live_that_say_nothing_is_read(string protocol, string timeouts, double? tcp, double? other)
    {
        static TimeSpan? Time(double? seconds) => seconds is { } known ? TimeSpan.FromSeconds(known) : null;
        var port = protocol == "any" ? 0 : 80;
        var expected = tcp == null && other == null ? null : new TranslationTimeouts(Time(tcp), Time(other));
        Assert.Equal(expected, Assert.Single(Good(
            $"services: {{ translations: [{{ protocol: {protocol}, vip: 30.0.0.2, port: {port}, timeouts: {timeouts} }}] }}\n")
            .Services!.Translations).Timeouts);
    }

    [Fact]
    public void Any_protocol_takes_all_ports_and_icmp_is_that_of_the_family()
    {
        var all = Good("""
            services: { translations: [{ protocol: any, vip: 30.0.0.2, backends: [{ to: 20.0.0.1 }] }, { protocol: ICMP, vip: "30::1" }] }

            """).Services!.Translations;
        Assert.Equal(new(At("30.0.0.2"), null, 0), all[0].Key);
        Assert.Equal(new(At("30::1"), IpProtocol.Icmp6, 0), all[1].Key);
    }

    [Theory]
    [InlineData("20.0.0.1", "20.0.0.1", null)]
    [InlineData("20.0.0.1:8080", "20.0.0.1", 8080)]
    [InlineData("2001:db8::1", "2001:db8::1", null)]
    [InlineData("[2001:db8::1]", "2001:db8::1", null)]
    [InlineData("[2001:db8::1]:8080", "2001:db8::1", 8080)]
    [InlineData("eth0", "eth0", null)]
    [InlineData("eth0 v6:80", "eth0 v6", 80)]
    public void An_end_is_an_address_or_an_interface_and_perhaps_a_port(string text, string place, int? port)
    {
        var end = TranslationWords.End(text)!.Value;
        Assert.Equal((place, (ushort?)port), (end.Place.ToString(), end.Port));
    }

    [Theory]
    [InlineData("20.0.0.1:")]
    [InlineData("20.0.0.1:0")]
    [InlineData("20.0.0.1:65536")]
    [InlineData("20.0.0.300")]
    [InlineData("[20.0.0.1]:80")]
    [InlineData("[2001:db8::1")]
    [InlineData("[2001:db8::1]x80")]
    [InlineData("eth0 v7")]
    [InlineData(":80")]
    [InlineData("")]
    public void What_is_no_end_is_none(string text) => Assert.Null(TranslationWords.End(text));

    [Theory]
    [InlineData("{ protocol: tcp, port: 80 }", "expected either vip or real for services.translations[0].vip")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, real: 30.0.0.2, port: 80 }", "expected either vip or real")]
    [InlineData("{ protocol: tcp, vip: '30.0.0.2:80', port: 80 }",
        "expected an address or INTERFACE[ v6] for services.translations[0].vip, got \"30.0.0.2:80\"")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, flowHash: flowLabel }",
        "expected no flowLabel beside an address of IPv4 for services.translations[0].flowHash: it has none")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, backends: [{ to: '20.0.0.1:80' }, { from: 1.1.1.1, to: '20.0.0.1:80' }] }",
        "expected each backend once for services.translations[0].backends, got 20.0.0.1:80 again (weight says its share)")]
    [InlineData("{ protocol: tcp, vip: 0.0.0.0, port: 80 }",
        "expected another address for services.translations[0].vip, got 0.0.0.0: it stands for no address")]
    [InlineData("{ protocol: tcp, real: '::', port: 80 }", "services.translations[0].real, got ::: it stands for no address")]
    [InlineData("{ protocol: udp, real: 255.255.255.255, port: 67 }", "the kernel sends on no broadcast that is translated")]
    [InlineData("{ protocol: udp, vip: 224.0.0.1, port: 67 }", "the kernel sends on no multicast that is translated")]
    [InlineData("{ protocol: udp, vip: 'ff02::1', port: 67 }", "the kernel sends on no multicast that is translated")]
    [InlineData("{ protocol: tcp, vip: 127.0.0.1, port: 80 }", "got 127.0.0.1: every node has it itself, so that it is a real one")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, backends: [{ to: '0.0.0.0:80' }] }",
        "expected another address for services.translations[0].backends[0].to, got 0.0.0.0: it stands for no address")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, backends: [{ from: 224.0.0.1, to: '20.0.0.1:80' }] }",
        "expected another address for services.translations[0].backends[0].from, got 224.0.0.1")]
    [InlineData("{ vip: 30.0.0.2, port: 80 }", "expected tcp, udp, sctp, icmp or any for services.translations[0].protocol, got none")]
    [InlineData("{ protocol: gre, vip: 30.0.0.2, port: 80 }", "expected tcp, udp, sctp, icmp or any for services.translations[0].protocol")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2 }", "expected a port from 1 to 65535, or 0 for all, for services.translations[0].port")]
    [InlineData("{ protocol: any, vip: 30.0.0.2, port: 80 }", "expected port 0 beside protocol any")]
    [InlineData("{ protocol: icmp, vip: 30.0.0.2, port: 80 }", "expected port 0 beside protocol icmp")]
    [InlineData("{ protocol: any, vip: 30.0.0.2, backends: [{ to: '20.0.0.1:80' }] }", "expected no port beside all ports")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, backends: [{ from: 1.2.3.4 }] }",
        "expected ADDRESS[:PORT] for services.translations[0].backends[0].to, got none")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, backends: [{ to: '20::1' }] }",
        "expected an address of ipv4 as 30.0.0.2 has for services.translations[0].backends[0].to, got 20::1")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, backends: [{ to: 20.0.0.1, weight: 101 }] }", "expected a number from 0 to 100")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, flowHash: [symmetric, source] }", "expected symmetric alone")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, balance: maglev, flowHash: symmetric }", "expected no symmetric beside maglev")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80 }, { protocol: tcp, vip: 30.0.0.2, port: 80 }",
        "expected each address, protocol and port once, got TCP 30.0.0.2 80 again")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 0 }, { protocol: any, vip: 30.0.0.2 }", "expected either any or other protocols")]
    [InlineData("{ name: a, protocol: tcp, vip: 30.0.0.2, port: 1 }, { name: a, protocol: tcp, vip: 30.0.0.2, port: 2 }",
        "expected each name once")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, sticky: 1h }", "sticky")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, affinity: 2d }", "expected a time from 1s to 24h")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, affinity: 1h, balance: maglev }", "expected neither maglev nor flowHash beside")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, timeouts: { tcp: 500ms } }",
        "expected a time from 1s to 120h, such as 500ms, 90s or 2m for services.translations[0].timeouts.tcp")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, timeouts: { other: 121h } }",
        "expected a time from 1s to 120h, such as 500ms, 90s or 2m for services.translations[0].timeouts.other")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, timeouts: { other: never } }", "expected a time from 1s to 120h")]
    [InlineData("{ protocol: tcp, vip: 30.0.0.2, port: 80, timeouts: { udp: 30s } }", "udp")]
    [InlineData("{ protocol: udp, vip: 30.0.0.2, port: 80, timeouts: { tcp: 1h } }",
        "expected no tcp in timeouts beside protocol udp for services.translations[0].timeouts")]
    [InlineData("{ protocol: sctp, vip: 30.0.0.2, port: 80, timeouts: { other: 30s } }",
        "expected no timeouts beside a protocol that is neither tcp nor udp nor any for services.translations[0].timeouts")]
    public void Mistakes_in_a_translation_are_named(string translations, string words) => Wrong($"translations: [{translations}]", words);

    [Fact]
    public void All_keys_of_source_NAT_are_read()
    {
        Assert.Equal(new SourceNatSettings
        {
            Addresses =
            [
                new(IpFamily.IPv6, Prefix.Parse("30::/64"), null), new(IpFamily.IPv4, null, "eth0"),
            ],
            Policy = SourceNatPolicy.K8s,
            Exclude = [Prefix.Parse("20::/100"), Prefix.Parse("20.0.0.0/16")],
            Include = ["tap0"],
            Pods = ["cali*"],
            Hosts = ["eth1"],
        }, Good("""
            services:
              snat:
                addresses: ["30::/64", eth0]
                policy: k8s
                exclude: ["20::/100", 20.0.0.0/16]
                interfaces: { include: tap0, pod: [cali*], host: [eth1] }

            """).Services!.SourceNat);
        Assert.Equal(new SourceNatSettings { Addresses = [new(IpFamily.IPv4, Prefix.Parse("30.0.0.1/32"), null)] },
            Good("services: { snat: { addresses: 30.0.0.1 } }\n").Services!.SourceNat);
        Assert.Equal([new(Prefix.Parse("10.0.0.0/24"), Prefix.Parse("30.0.0.0/24"))], Good("""
            services: { snat: { policy: dnat, rewrite: [{ from: 10.0.0.0/24, to: 30.0.0.0/24 }] } }

            """).Services!.SourceNat!.Rewrite);
    }

    [Theory]
    [InlineData("addresses: [30.0.0.1, 30.0.0.2]",
        "expected one of each family for services.snat.addresses, got 30.0.0.2 as another of ipv4")]
    [InlineData("addresses: [0.0.0.0]",
        "expected another address for services.snat.addresses, got 0.0.0.0: it stands for no address")]
    [InlineData("addresses: [127.0.0.1]", "got 127.0.0.1: nothing leaves a node with a loopback's address")]
    [InlineData("addresses: [240.0.0.0/4]", "got 240.0.0.0/4: the kernel sends on no broadcast that is translated")]
    [InlineData("addresses: ['30::/48']",
        "expected an address, a prefix without host bits (of IPv6 one of /64 or longer) or INTERFACE[ v6]")]
    [InlineData("addresses: ['30.0.0.1:80']", "expected an address, a prefix without host bits")]
    [InlineData("policy: all", "expected none, if-pfx, k8s or dnat for services.snat.policy")]
    [InlineData("policy: dnat", "expected services.snat.rewrite beside policy dnat, and beside no other, for services.snat.policy")]
    [InlineData("rewrite: [{ from: 10.0.0.0/24, to: 30.0.0.0/24 }]", "expected services.snat.rewrite beside policy dnat")]
    [InlineData("policy: dnat, addresses: 30.0.0.1, rewrite: [{ from: 10.0.0.0/24, to: 30.0.0.0/24 }]",
        "expected none beside policy dnat")]
    [InlineData("policy: dnat, rewrite: [{ from: 10.0.0.0/24, to: 30.0.0.0/25 }]", "expected a prefix of ipv4 as long as 10.0.0.0/24")]
    [InlineData("policy: dnat, rewrite: [{ from: 10.0.0.0/24 }]", "expected both from and to for services.snat.rewrite[0].from")]
    [InlineData("exclude: 20.0.0.1/16", "expected a prefix without host bits")]
    [InlineData("interfaces: { include: 'a b' }",
        "expected an interface's name, or how it begins with * behind it, for services.snat.interfaces.include")]
    [InlineData("interfaces: { pod: cali* }", "expected pod and host beside policy k8s alone for services.snat.interfaces")]
    [InlineData("source: 30.0.0.1", "source")]
    public void Mistakes_in_source_NAT_are_named(string keys, string words) => Wrong($"snat: {{ {keys} }}", words);

    [Theory]
    [InlineData("maglevSize: 1000", "expected a prime from 251 to 65537 for services.maglevSize")]
    [InlineData("onBackendRemoval: cut", "expected delete, keep or drain for services.onBackendRemoval")]
    [InlineData("drainTime: never", "expected a time from 0 to 24h")]
    [InlineData("emptyBackends: refuse", "expected reject or drop for services.emptyBackends")]
    public void Mistakes_are_named(string keys, string words) => Wrong(keys, words);

    [Fact]
    public void A_port_that_cannot_be_read_brings_no_other_mistake()
    {
        const string both = "{ protocol: tcp, vip: 30.0.0.2, port: 70000, backends: [{ from: '1.2.3.4:1', to: '20.0.0.1:8443' }] }, "
            + "{ protocol: any, vip: 30.0.0.2 }";
        Assert.Contains("expected a number from 0 to 65535 for services.translations[0].port, got ",
            Assert.Single(Parse($"services: {{ translations: [{both}] }}\n").Errors).ToString(), StringComparison.Ordinal);
    }

    private static void Wrong(string keys, string words) => Assert.Contains(
        Parse($"services: {{ {keys} }}\n").Errors, error => error.ToString().Contains(words, StringComparison.Ordinal));
}
