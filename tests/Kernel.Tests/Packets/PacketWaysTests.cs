using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Packets;

public class PacketWaysTests
{
    [NeedsFact(Needs.Namespaces)]
    public void The_way_of_a_packet_is_the_kernels_rules_and_several_tables_included()
    {
        using var ns = new NetworkNamespace();
        ns.Inside(() =>
        {
            File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
            File.WriteAllText("/proc/sys/net/ipv6/conf/all/forwarding", "1");
            return true;
        });
        ns.Batch("""
            route add 198.51.100.0/24 via 10.0.1.2
            route add default via 10.0.0.9 table 77
            rule add fwmark 7 lookup 77
            rule add from 10.0.0.6 lookup 77
            rule add ipproto 17 dport 53 lookup 77
            route add 2001:db8::/32 via fd01::2
            """);
        using var ways = ns.Inside(() => new PacketWays());
        PacketWay ofB = new(ns.B, Address.Parse("10.0.1.2")), ofA = new(ns.A, Address.Parse("10.0.0.9"));
        var own = From("10.0.0.1", "198.51.100.1");
        Assert.Equal((ofB, ofA), (ways.Of(own, isOwn: true), ways.Of(own with { Mark = 7 }, isOwn: true)));
        Assert.Equal(ofA, ways.Of(own with { Protocol = IpProtocol.Udp, DestinationPort = 53 }, isOwn: true));
        Assert.Equal(ofB, ways.Of(own with { Protocol = IpProtocol.Udp, DestinationPort = 54 }, isOwn: true));
        Assert.Equal(ofB, ways.Of(From("10.0.0.5", "198.51.100.1"), isOwn: false));
        Assert.Equal(ofA, ways.Of(From("10.0.0.6", "198.51.100.1"), isOwn: false));
        Assert.Equal(new PacketWay(ns.B, null), ways.Of(From("10.0.0.1", "10.0.1.7"), isOwn: true));
        Assert.Equal(new PacketWay(ns.B, Address.Parse("fd01::2")), ways.Of(From("fd00::5", "2001:db8::1"), isOwn: false));
        foreach (var nowhere in (string[])["203.0.113.1", "10.0.1.1"]) Assert.Null(ways.Of(From("10.0.0.1", nowhere), isOwn: true));
    }

    private static Packet From(string source, string destination) => new(Address.Parse(source), Address.Parse(destination));
}
