using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Conntrack;

public class ConnectionTableTests
{
    private const ushort New = 1 << 8;

    /// <summary>conntrack -I -s SOURCE -d DESTINATION -p udp --sport 1000 --dport 53 -t 100 [--src-nat TRANSLATED]</summary>
    /// <param name="server">Who answers: --reply-src SERVER --dst-nat SERVER.</param>
    internal static void Insert(
        NetlinkSocket socket, string source, string destination, string? translated = null, string? server = null,
        IpProtocol protocol = IpProtocol.Udp)
    {
        const byte established = 3;
        var (from, to) = (Address.Parse(source), Address.Parse(destination));
        var message = new NetlinkMessage(New, NetlinkFlags.Request | NetlinkFlags.Ack | NetlinkFlags.Create | NetlinkFlags.Exclusive)
            .Header(new NetfilterHeader(from.Family.Number(), 0, 0));
        Tuple(message, 1, from, to, 1000, 53, protocol);
        Tuple(message, 2, to, from, 53, 1000, protocol); // as the translation below turns it
        if (protocol == IpProtocol.Tcp)
            using (message.OpenNested(4)) // CTA_PROTOINFO
            using (message.OpenNested(1)) // CTA_PROTOINFO_TCP
                message.Attribute(1, [established]);
        message.BigEndian(7, 100); // CTA_TIMEOUT
        if (server != null)
            using (message.OpenNested(13)) // CTA_NAT_DST
                message.Attribute(1, NftOctets.Of(Address.Parse(server)).Span).Attribute(2, NftOctets.Of(Address.Parse(server)).Span);
        if (translated != null)
            using (message.OpenNested(6)) // CTA_NAT_SRC
                message.Attribute(1, NftOctets.Of(Address.Parse(translated)).Span)
                .Attribute(2, NftOctets.Of(Address.Parse(translated)).Span);
        new NetlinkDump(socket).Read(message, (in NetlinkHeader _, ReadOnlySpan<byte> _) => { }, out var errno);
        Assert.Equal(0, errno);
    }

    private static void Tuple(
        NetlinkMessage into, ushort which, Address from, Address to, ushort sourcePort, ushort destinationPort, IpProtocol protocol)
    {
        using var tuple = into.OpenNested(which);
        using (into.OpenNested(1)) // CTA_TUPLE_IP
            into.Attribute(from.IsIPv4 ? (ushort)1 : (ushort)3, NftOctets.Of(from).Span)
            .Attribute(from.IsIPv4 ? (ushort)2 : (ushort)4, NftOctets.Of(to).Span);
        using (into.OpenNested(2)) // CTA_TUPLE_PROTO
            into.Attribute(1, [(byte)protocol]).Attribute(2, NftOctets.Of(sourcePort).Span)
            .Attribute(3, NftOctets.Of(destinationPort).Span);
    }

    private static List<string> Left(ConnectionTable table)
    {
        var left = new List<string>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            foreach (var translated in (bool[])[false, true])
                table.Cut(family, translated, connection =>
                {
                    left.Add($"{connection.Source} {connection.Destination} {connection.Protocol}{(translated ? " translated" : "")}");
                    Assert.Equal(translated, connection.SourceTranslated);
                    return false;
                });
        left.Sort(StringComparer.Ordinal);
        return left;
    }

    [NeedsFact(Needs.Namespaces)]
    public void Many_are_cut_a_batch_at_a_time()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        for (var i = 0; i < 700; i++) Insert(socket, $"10.0.{i / 250}.{i % 250}", "192.0.2.1");
        using var table = ns.Inside(() => new ConnectionTable());
        Assert.Equal((699, 0), table.Cut(IpFamily.IPv4, false, connection => connection.Source != Address.Parse("10.0.1.7")));
        Assert.Equal(["10.0.1.7 192.0.2.1 17"], Left(table));
    }

    [NeedsFact(Needs.Namespaces)]
    public void Behind_a_service_the_server_is_told_and_the_ports()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        Insert(socket, "10.0.0.1", "10.96.0.1", server: "10.0.0.9");
        Insert(socket, "10.0.0.2", "192.0.2.1");
        using var table = ns.Inside(() => new ConnectionTable());
        var redirected = new List<string>();
        table.CutRedirected(IpFamily.IPv4, one =>
        {
            redirected.Add($"{one.Destination}:{one.DestinationPort} by {one.Server}:{one.ServerPort}");
            return false;
        });
        Assert.Equal(["10.96.0.1:53 by 10.0.0.9:53"], redirected);
        var told = new List<string>();
        table.Cut(IpFamily.IPv4, false, one =>
        {
            told.Add($"{one.Source}:{one.SourcePort} to {one.Destination} is answered by {one.Server}:{one.ServerPort}");
            return false;
        });
        Assert.Equal(
            ["10.0.0.1:1000 to 10.96.0.1 is answered by 10.0.0.9:53", "10.0.0.2:1000 to 192.0.2.1 is answered by 192.0.2.1:53"],
            told.Order());
    }

    [NeedsFact(Needs.Namespaces)]
    public void Only_what_was_picked_is_cut()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        Insert(socket, "10.0.0.1", "192.0.2.1");
        Insert(socket, "10.0.0.2", "192.0.2.1");
        Insert(socket, "10.0.0.3", "192.0.2.1", translated: "198.51.100.1");
        Insert(socket, "fd00::1", "2001:db8::1");
        using var table = ns.Inside(() => new ConnectionTable());
        Assert.Equal((1, 0), table.Cut(IpFamily.IPv4, false, connection => connection.Source == Address.Parse("10.0.0.2")));
        Assert.Equal(["10.0.0.1 192.0.2.1 17", "10.0.0.3 192.0.2.1 17 translated", "fd00::1 2001:db8::1 17"], Left(table));
        Assert.Equal((1, 0), table.Cut(IpFamily.IPv4, true, _ => true));
        Assert.Equal((1, 0), table.Cut(IpFamily.IPv6, false, _ => true));
        Assert.Equal(["10.0.0.1 192.0.2.1 17"], Left(table));
    }

    [NeedsFact(Needs.Namespaces)]
    public void One_of_TCP_that_is_cut_leaves_one_that_has_just_begun_in_its_place_and_others_leave_none()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        foreach (var client in (string[])["10.0.0.1", "10.0.0.2"])
        {
            Insert(socket, client, "10.96.0.1", server: "10.0.0.9", protocol: IpProtocol.Tcp);
            Insert(socket, client, "192.0.2.1");
        }
        Insert(socket, "fd00::1", "2001:db8::1", protocol: IpProtocol.Tcp);
        using var table = ns.Inside(() => new ConnectionTable());
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var some = table.Read(family, one => one.Source != Address.Parse("10.0.0.2"), out var errno);
            Assert.Equal(((family == IpFamily.IPv4 ? 2 : 1, 0), 0), (table.Cut(some), errno));
            // That they are cut twice hurts nobody, and they are found in their place again.
            table.Cut(table.Read(family, one => one.Source != Address.Parse("10.0.0.2"), out _));
        }
        Assert.Equal(
            ["10.0.0.1 10.96.0.1 6", "10.0.0.2 10.96.0.1 6", "10.0.0.2 192.0.2.1 17", "fd00::1 2001:db8::1 6"], Left(table));
        var states = ns.Inside(() => File.ReadAllText("/proc/thread-self/net/nf_conntrack"));
        Assert.Equal((2, 1), (states.Split("SYN_SENT").Length - 1, states.Split("ESTABLISHED").Length - 1));
    }

    [NeedsFact(Needs.Namespaces)]
    public void One_of_TCP_that_is_ended_stays_closed_with_a_mark_and_others_go()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        Insert(socket, "10.0.0.1", "198.51.100.1", translated: "192.0.2.7", protocol: IpProtocol.Tcp);
        Insert(socket, "10.0.0.1", "198.51.100.1", translated: "192.0.2.7");
        Insert(socket, "10.0.0.2", "198.51.100.1", protocol: IpProtocol.Tcp);
        using var table = ns.Inside(() => new ConnectionTable());
        var some = table.ReadStanding(IpFamily.IPv4, one => one.Source == Address.Parse("10.0.0.1"), out var errno);
        Assert.Equal(0, errno);
        Assert.All(some, one => Assert.Equal(Address.Parse("192.0.2.7"), one.State!.Client));
        Assert.Equal((2, 0), table.Close(some, 0xc000_0000, 0xf000_0000));
        Assert.Equal(["10.0.0.1 198.51.100.1 6 translated", "10.0.0.2 198.51.100.1 6"], Left(table));
        var states = ns.Inside(() => File.ReadAllText("/proc/thread-self/net/nf_conntrack")).Split('\n');
        Assert.Contains(states, line => line.Contains("CLOSE src=10.0.0.1", StringComparison.Ordinal)
            && line.Contains($"mark={0xc000_0000} ", StringComparison.Ordinal));
        Assert.Contains(states, line => line.Contains("ESTABLISHED src=10.0.0.2", StringComparison.Ordinal)
            && line.Contains("mark=0 ", StringComparison.Ordinal));
        // Of what has gone meanwhile nothing is said.
        Assert.Equal((1, 0), table.Close(some, 0xc000_0000, 0xf000_0000));
    }

    [NeedsFact(Needs.Namespaces)]
    public void The_ports_that_a_connection_was_sent_to_and_those_that_answer_are_told()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        Insert(socket, "10.0.0.1", "10.96.0.1", server: "10.0.0.9");
        using var table = ns.Inside(() => new ConnectionTable());
        var one = Assert.Single(table.Read(IpFamily.IPv4, _ => true, out _)).Connection;
        Assert.Equal("1000 53 53 False", $"{one.SourcePort} {one.DestinationPort} {one.ServerPort} {one.IsExpected}");
    }

    [NeedsFact(Needs.Namespaces)]
    public void Of_one_whose_destination_is_translated_it_is_told_how_it_stands_and_it_can_be_cut_without_a_bar()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        Insert(socket, "10.0.0.1", "10.96.0.1", server: "10.0.0.9", protocol: IpProtocol.Tcp);
        Insert(socket, "10.0.0.2", "10.96.0.1", server: "10.0.0.9", translated: "192.0.2.7");
        Insert(socket, "10.0.0.3", "192.0.2.1");
        using var table = ns.Inside(() => new ConnectionTable());
        var some = table.ReadRedirected(IpFamily.IPv4, _ => true, out var errno);
        Assert.Equal(
            [(0, "10.0.0.1 1000", "10.0.0.1 1000 3"), (0, "10.0.0.2 1000", "192.0.2.7 1000 ")],
            some.Select(one => (errno, $"{one.Connection.Source} {one.Connection.SourcePort}",
                $"{one.State!.Client} {one.State.ClientPort} {one.State.Tcp}")).Order());
        Assert.All(some, one => Assert.InRange(one.State!.Left.TotalSeconds, 1, 100));
        Assert.Equal(2, some.Select(one => one.State!.Id).Distinct().Count());
        var masked = Assert.Single(table.ReadMasked(IpFamily.IPv4, _ => true, out errno));
        Assert.Equal((0, "10.0.0.2", "192.0.2.7"), (errno, masked.Connection.Source.ToString(), masked.State!.Client.ToString()));
        Assert.Equal((2, 0), table.Cut(some, isBarred: false));
        Assert.Equal(["10.0.0.3 192.0.2.1 17"], Left(table));
    }
}
