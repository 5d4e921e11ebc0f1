using Calico.Bgp.Kernel.Foreign;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Foreign;

/// <summary>IPVS, as its list in /proc says what it does, and as packets meet it. This kernel may have none.</summary>
public class IpvsServicesTests
{
    /// <summary>As ip_vs_info_seq_show writes it.</summary>
    private const string Listed = """
        IP Virtual Server version 1.2.1 (size=4096)
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Forward Weight ActiveConn InActConn
        TCP  0A60000A:0050 rr 
          -> C0A80105:1F90      Masq    1      3          0         
          -> C0A80106:1F90      Masq    0      0          0         
          -> C0A80107:1F90      Masq    1      0          0         
        UDP  0A60000A:0035 rr persistent 10800 FFFFFFFF
        TCP  [fd96:0000:0000:0000:0000:0000:0000:0010]:0050 rr 
          -> [fd01:0000:0000:0000:0000:0000:0001:0005]:1F90      Masq    1      0          0         
        FWM  00000001 rr 
          -> C0A80109:0000      Masq    1      0          0         
        """;

    private static Packet To(string address, IpProtocol protocol, ushort port) =>
        new(Address.Parse(address.Contains(':') ? "fd98::1" : "198.51.100.1"), Address.Parse(address))
        {
            Protocol = protocol,
            DestinationPort = port,
        };

    private static string? Of(Packet packet) => IpvsServices.Read(Listed.Split('\n')).Of(packet) is { } ends
        ? string.Join(", ", ends.Select(end => $"{end.To} {end.Port}")) : null;

    [Theory]
    [InlineData("10.96.0.10", IpProtocol.Tcp, 80, "192.168.1.5 8080, 192.168.1.7 8080")]
    [InlineData("10.96.0.10", IpProtocol.Udp, 53, "")]
    [InlineData("fd96::10", IpProtocol.Tcp, 80, "fd01::1:5 8080")]
    [InlineData("10.96.0.10", IpProtocol.Tcp, 53, null)]
    [InlineData("10.96.0.11", IpProtocol.Tcp, 80, null)]
    public void A_service_leads_to_whoever_has_a_weight(string address, IpProtocol protocol, ushort port, string? ends) =>
        Assert.Equal(ends, Of(To(address, protocol, port)));

    [Theory]
    [InlineData("")]
    [InlineData("TCP  nonsense rr")]
    [InlineData("TCP")]
    [InlineData("TCP  0A60000A:0050 rr\n  ->\n  -> C0A80105 Masq 1\n  -> :1F90 Masq 1 0 0")]
    [InlineData("TCP  [:]:0050 rr\nTCP  0A60000A0A:0050 rr\nTCP  0A60000A:FFFFF rr")]
    public void What_is_no_list_names_nobody(string text) =>
        Assert.True(IpvsServices.Read(text.Split('\n')).Of(To("10.96.0.10", IpProtocol.Tcp, 80)) is null or []);

    /// <summary>The input sees the service's address, the output the endpoint's, with the client as its source and as no translation.
    /// </summary>
    [Fact]
    public void A_packet_that_it_sends_on_has_been_to_the_hosts_input_and_leaves_as_if_the_host_had_made_it()
    {
        NftChain At(NftHookPoint point) => new($"at-{point}", new("filter", point, 0),
        [
            .. ((string[])["10.96.0.10", "192.168.1.5"]).Select(address => new NftRule(
                [new MatchFamily(IpFamily.IPv4), new MatchNets(IpFamily.IPv4, NftEnd.Destination, [Prefix.Parse(address + "/32")]),
                    new ActCount()], address)),
            Rule(new MatchTranslated(Destination: true), ActDecide.Drop),
        ]);
        var packet = new Packet(Address.Parse("198.51.100.1"), Address.Parse("10.96.0.10"))
        {
            Protocol = IpProtocol.Tcp,
            DestinationPort = 80,
            In = "eth0",
            Out = "cali1",
            Redirect = new(Address.Parse("192.168.1.5"), 8080) { IsBehindInput = true },
        };
        var end = Assert.Single(PacketWalk.Ends(new PacketTable([], [.. Enum.GetValues<NftHookPoint>().Select(At)]), new Here(), packet));
        Assert.Equal(PacketVerdict.Accept, end.Verdict);
        Assert.Equal([NftHookPoint.Prerouting, NftHookPoint.Input, NftHookPoint.Output, NftHookPoint.Postrouting], end.Places.ToArray());
        Assert.Equal(
            ["at-Prerouting 10.96.0.10", "at-Input 10.96.0.10", "at-Output 192.168.1.5", "at-Postrouting 192.168.1.5"],
            end.Trail.Where(step => step.Stopped == null).Select(step => $"{step.Chain.Name} {step.Rule.Comment}"));
        Assert.Equal((Address.Parse("192.168.1.5"), (ushort)8080), (end.Destination!.First, end.Destination.Ports!.Value.From));
    }

    /// <summary>kube-proxy has services' addresses on a link of this host.</summary>
    private sealed class Here : IHostFacts
    {
        public bool? IsLocal(Address address) => address == Address.Parse("10.96.0.10");
        public bool? IsLocalOn(Address address, string link) => null;
        public bool? ComesBackBy(Address source, uint mark, string link) => true;
    }
}
