using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>A gateway that is a node, and on no link of its clients' node: packets come to it by the overlay.</summary>
public sealed class EgressFarTests : IAsyncLifetime
{
    /// <summary>More than a packet holds, and than segments that do not fit would let through.</summary>
    private const int Large = 200_000;

    private EgressFarSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await EgressFarSite.MakeAsync(withPods: false);
        site.Write(EgressFarObjects.Cluster(EgressFarObjects.Choosing) + EgressFarObjects.NodeGateway);
        await site.StartAsync("far", "{ enabled: true }");
        await site.StartAsync("client", "{ enabled: true }");
        await site.ToldAsync("client", answer => answer.Contains("via 172.21.0.11 by VXLAN", StringComparison.Ordinal));
        await site.SeesAsync(EgressFarSite.Red4);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Packets_come_to_a_gateway_behind_another_router_by_the_overlay_however_many_octets()
    {
        var others = await site.OthersAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp])
        {
            Assert.Equal(EgressFarSite.Red4, await site.SeenAsync(transport));
            Assert.Equal(EgressFarSite.Red6, await site.SeenAsync(transport, ipv6: true));
        }
        Assert.Equal(EgressFarSite.Red4, await site.SeenAsync(Transport.Icmp));
        foreach (var to in (string[])[EgressFarSite.Outside4, EgressFarSite.Outside6])
            Assert.Equal(Large, await Bulk.ThereAndBackAsync(site["a"], to, Large));
        Assert.Equal(others, await site.OthersAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task When_it_is_not_heard_any_more_nothing_leaves_and_in_the_cluster_all_goes_on()
    {
        await Until.TrueAsync("the client hears it", async () =>
            (await site.HttpAsync("client", "/v1/bfd")).Contains("\"state\":\"up\"", StringComparison.Ordinal), 60, site.SaidAsync);
        var others = await site.OthersAsync();
        await site.KillAsync("far");
        await site.ToldAsync("client", answer => answer.Contains("172.21.0.11 is not heard", StringComparison.Ordinal));
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Null(await site.SeenAsync(transport, attempts: 1));
        Assert.Null(await site.SeenAsync(Transport.Tcp, ipv6: true, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        Assert.Equal(EgressFarSite.Pod4, (await Echo.SeenAsync(
            site["a"], EgressFarSite.Pod4, EgressFarSite.Client4, Transport.Tcp))?.Address.ToString());
    }

    /// <summary>A packet as a client's node would send it, from somebody who is none.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Whoever_is_no_node_sends_nothing_by_the_overlay()
    {
        await site["outside"].IpAsync("link add forged address a2:2a:c6:33:64:01 type vxlan id 4097 dstport 4790 local 198.51.100.1");
        await site["outside"].IpAsync("link set forged up");
        await site["outside"].IpAsync("address add 192.168.1.2/32 dev forged");
        await site["outside"].IpAsync("route add 203.0.113.9 via 172.21.0.11 dev forged onlink src 192.168.1.2");
        await site["outside"].IpAsync("neigh add 172.21.0.11 lladdr a2:2a:ac:15:00:0b dev forged");
        await site["outside"].DoAsync("bridge", "fdb", "add", "a2:2a:ac:15:00:0b", "dev", "forged", "dst", "172.21.0.11");
        using var socket = site["outside"].Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("192.168.1.2"), 0));
        await Until.TrueAsync("the gateway's node has dropped some", async () =>
        {
            await socket.SendToAsync(new byte[1], new IPEndPoint(IPAddress.Parse("203.0.113.9"), 9));
            var rules = await site["far"].DoAsync("nft", "list", "chain", "inet", "bgpd", "prerouting-raw");
            return rules.Split('\n').Any(line => line.Contains("sends by the overlay", StringComparison.Ordinal)
                && !line.Contains("packets 0 ", StringComparison.Ordinal));
        }, 60, site.SaidAsync);
    }
}

/// <summary>Many octets in each direction.</summary>
internal static class Bulk
{
    /// <returns>How many came back.</returns>
    public static async Task<int> ThereAndBackAsync(Netns from, string to, int count)
    {
        var at = IPAddress.Parse(to);
        using var socket = from.Socket(at.AddressFamily);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var back = 0;
        try
        {
            await socket.ConnectAsync(new IPEndPoint(at, Echo.Port), patience.Token);
            var octets = new byte[65_536];
            while (await socket.ReceiveAsync(octets.AsMemory(0, 1), patience.Token) == 1 && octets[0] != (byte)'\n') { }
            var sent = SendAsync();
            while (back < count && await socket.ReceiveAsync(octets, patience.Token) is > 0 and var got) back += got;
            await sent;
        }
        catch (Exception lost) when (lost is OperationCanceledException or SocketException) { }
        return back;

        async Task SendAsync()
        {
            for (var left = count; left > 0;) left -= await socket.SendAsync(new byte[Math.Min(left, 10_000)], patience.Token);
        }
    }
}
