using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>What goes through the nodes' tunnels, and what does not.</summary>
public partial class EnforcementTests
{
    private static Node NewNode(string name, string address) => new(new Metadata(name))
    {
        IPv4 = new(Address.Parse(address), Prefix.Parse(address + "/32")),
    };

    [Theory]
    [InlineData(IpProtocol.Udp, 4789, PacketVerdict.Accept)]
    [InlineData(IpProtocol.Udp, 4790, PacketVerdict.Drop)]
    [InlineData((IpProtocol)4, 0, PacketVerdict.Accept)]
    public void A_host_endpoint_cuts_no_tunnel_between_nodes(IpProtocol protocol, ushort port, PacketVerdict verdict)
    {
        var (peer, moved) = (NewNode("node2", "172.16.0.2"), NewNode("node2", "172.16.0.3"));
        var felix = new FelixConfiguration(new Metadata("default")) { VxlanEnabled = true, IpipEnabled = true };
        var hand = new Hand([.. World, Host("eth0"), peer, felix]);
        Packet To(string from, string to, string? comesBy, string? leavesBy) =>
            Tcp(from, to, port, comesBy, leavesBy) with { Protocol = protocol, VxlanNetwork = 4096 };
        Assert.Equal(verdict, hand.Ask(To("172.16.0.2", "172.16.0.1", "eth0", null)).Verdict);
        Assert.Equal(verdict, hand.Ask(To("172.16.0.1", "172.16.0.2", null, "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(To("172.16.0.3", "172.16.0.1", "eth0", null)).Verdict);
        hand.Change(peer, moved);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(To("172.16.0.2", "172.16.0.1", "eth0", null)).Verdict);
        Assert.Equal(verdict, hand.Ask(To("172.16.0.3", "172.16.0.1", "eth0", null)).Verdict);
        Assert.Equal(new Hand([.. World, Host("eth0"), moved, felix]).Text, hand.Text);
        // Where nobody has tunnels, what looks like one is for the policies.
        hand.Change(felix, felix with { VxlanEnabled = false, IpipEnabled = false });
        Assert.Equal(PacketVerdict.Drop, hand.Ask(To("172.16.0.3", "172.16.0.1", "eth0", null)).Verdict);
        Assert.DoesNotContain("overlay", hand.Text, StringComparison.Ordinal);
    }

    private static IPPool Pool(EncapsulationMode ipip, EncapsulationMode vxlan) => new(new Metadata("pool"))
    {
        Cidr = Prefix.Parse("10.65.0.0/16"),
        BlockSize = 26,
        IpipMode = ipip,
        VxlanMode = vxlan,
    };

    /// <summary>Without any host endpoint: what comes out of a tunnel would pass for a node's.</summary>
    [Theory]
    [InlineData("172.16.0.2", IpProtocol.Udp, 4096u, PacketVerdict.Accept)]
    [InlineData("192.0.2.7", IpProtocol.Udp, 4096u, PacketVerdict.Drop)]
    [InlineData("192.0.2.7", IpProtocol.Udp, 4097u, PacketVerdict.Accept)]
    [InlineData("198.51.100.7", IpProtocol.Udp, 4096u, PacketVerdict.Accept)]
    [InlineData("172.16.0.2", (IpProtocol)4, 0u, PacketVerdict.Accept)]
    [InlineData("192.0.2.7", (IpProtocol)4, 0u, PacketVerdict.Drop)]
    public void Into_a_tunnel_of_the_nodes_comes_what_a_node_sends_and_external_ones_that_are_named(
        string from, IpProtocol protocol, uint network, PacketVerdict verdict)
    {
        var felix = new FelixConfiguration(new Metadata("default")) { ExternalNodes = [Prefix.Parse("198.51.100.0/24")] };
        Resource[] objects = [.. World, NewNode("node2", "172.16.0.2"), felix];
        var packet = Tcp(from, "172.16.0.1", 4789, "eth0") with { Protocol = protocol, VxlanNetwork = network };
        Assert.Equal(PacketVerdict.Accept, new Hand(objects).Ask(packet).Verdict);
        var hand = new Hand([.. objects, Pool(EncapsulationMode.CrossSubnet, EncapsulationMode.Always)]);
        Assert.Equal(verdict, hand.Ask(packet).Verdict);
        hand.Change(Pool(EncapsulationMode.CrossSubnet, EncapsulationMode.Always), Pool(EncapsulationMode.Never, EncapsulationMode.Never));
        Assert.Equal(PacketVerdict.Accept, hand.Ask(packet).Verdict);
    }

    [Theory]
    [InlineData(null, 51820, PacketVerdict.Accept)]
    [InlineData(null, 51821, PacketVerdict.Drop)]
    [InlineData(51900, 51900, PacketVerdict.Accept)]
    [InlineData(51900, 51820, PacketVerdict.Drop)]
    public void WireGuards_port_is_open_whatever_host_endpoints_say_because_it_knows_its_peers(
        int? said, ushort port, PacketVerdict verdict)
    {
        var felix = new FelixConfiguration(new Metadata("default")) { WireguardEnabled = true, WireguardListeningPort = said };
        var hand = new Hand([.. World, Host("eth0"), felix]);
        Packet Udp(string from, string to, string? comesBy, string? leavesBy) =>
            Tcp(from, to, port, comesBy, leavesBy) with { Protocol = IpProtocol.Udp };
        Assert.Equal(verdict, hand.Ask(Udp("192.0.2.7", "172.16.0.1", "eth0", null)).Verdict);
        Assert.Equal(verdict, hand.Ask(Udp("172.16.0.1", "192.0.2.7", null, "eth0")).Verdict);
        hand.Change(felix, felix with { WireguardEnabled = false });
        Assert.Equal(PacketVerdict.Drop, hand.Ask(Udp("192.0.2.7", "172.16.0.1", "eth0", null)).Verdict);
    }

    [Theory]
    [InlineData(false, IpProtocol.Udp, PacketVerdict.Drop)]
    [InlineData(true, IpProtocol.Udp, PacketVerdict.Accept)]
    [InlineData(false, (IpProtocol)4, PacketVerdict.Drop)]
    [InlineData(true, (IpProtocol)4, PacketVerdict.Accept)]
    public void Workloads_encapsulate_by_themselves_where_they_may(bool may, IpProtocol protocol, PacketVerdict verdict)
    {
        var felix = new FelixConfiguration(new Metadata("default"))
        {
            AllowVxlanPacketsFromWorkloads = may,
            AllowIpipPacketsFromWorkloads = may,
        };
        Assert.Equal(verdict, new Hand([.. World, felix]).Ask(A, B, 4789, protocol).Item1);
    }
}
