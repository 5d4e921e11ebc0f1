using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>A gateway's address in the network that its nodes share with the ToR, who asks there for whoever has it.</summary>
public sealed class EgressOnLinkTests : IAsyncLifetime
{
    private const int Flows = 20, Questions = 5;
    private const string Near4 = "172.20.0.64", Near6 = "fd20::64";

    private static readonly string[] Both = [Near4, Near6];

    private static readonly string Near = $$"""
        apiVersion: operator.tigera.io/v1
        kind: EgressGateway
        metadata: { name: near, namespace: edge }
        spec:
          ipPools: [{ name: near }, { name: near6 }]
          template: { metadata: { labels: { code: near } }, spec: { nodeSelector: { egress: 'true' } } }
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: near }
        spec: { cidr: {{Near4}}/31, natOutgoing: false, nodeSelector: "!all()", blockSize: 32 }
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: near6 }
        spec: { cidr: "{{Near6}}/127", natOutgoing: false, nodeSelector: "!all()", blockSize: 128 }
        ---

        """;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync("egress: { pinned: true }");
        site.Write(Near, EgressObjects.Choosing("near"));
        await site["firewall"].DoAsync("nft", "insert", "rule", "inet", "wall", "forward", "ip", "saddr", $"{Near4}/31", "accept");
        await site["firewall"].DoAsync("nft", "insert", "rule", "inet", "wall", "forward", "ip6", "saddr", $"{Near6}/127", "accept");
        // Whatever BGP says of it, the ToR looks for it on the link.
        await site["tor"].IpAsync($"route add {Near4}/32 dev br0 metric 1");
        await site.StartAsync("client", "gate1", "gate2");
        await site.HeardAsync("client", 2);
        await site.HeardAsync("gate2", 2);
        await site.SeesAsync("p", Near4);
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    private async Task AskAsync()
    {
        foreach (var flow in flows)
        {
            var before = flow.Seen?.Address;
            var seen = await flow.AskAsync();
            Assert.NotNull(seen);
            if (before != null) Assert.Equal(before, seen.Address);
        }
    }

    private async Task<string> MacOfAsync(string node)
    {
        var said = (await site[node].IpAsync("link show dev eth0")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return said[Array.IndexOf(said, "link/ether") + 1];
    }

    private Task<string> KnownAsync(string address) => site["tor"].IpAsync($"neigh show {address} dev br0");

    /// <summary>The ToR knows the address to be at that node.</summary>
    private async Task LearnedAsync(string address, string node)
    {
        var mac = await MacOfAsync(node);
        await Until.TrueAsync($"{address} is at {node}", async () =>
            (await KnownAsync(address)).Contains(mac, StringComparison.Ordinal), 60, site.SaidAsync);
    }

    /// <summary>Whoever says to the ToR that he has one of the addresses, and is not that node, is counted from now on.</summary>
    private async Task CountOthersAsync(string node)
    {
        var mac = await MacOfAsync(node);
        site["tor"].Tell($$"""
            table arp said {
             counter others { }
             chain in {
              type filter hook input priority 0; policy accept;
              arp operation reply arp saddr ip {{Near4}} arp saddr ether != {{mac}} counter name others
             }
            }
            table inet said {
             counter others { }
             chain in {
              type filter hook input priority 0; policy accept;
              icmpv6 type nd-neighbor-advert @th,64,128 0xfd200000000000000000000000000064 ether saddr != {{mac}} counter name others
             }
            }
            """, "nft", "-f", "-");
    }

    /// <summary>The ToR has forgotten where the address is, and sends something there.</summary>
    private async Task ForgetAsync(string address)
    {
        await site["tor"].RunAsync("ip", "neigh", "del", address, "dev", "br0");
        var to = IPAddress.Parse(address);
        using var socket = site["tor"].Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync(new byte[1], new IPEndPoint(to, 9));
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Whoever_asks_on_the_link_is_answered_by_the_node_that_has_the_address_and_by_nobody_else()
    {
        await CountOthersAsync("gate1");
        for (var n = 0; n < Questions; n++)
            foreach (var address in Both)
            {
                await ForgetAsync(address);
                await LearnedAsync(address, "gate1");
            }
        foreach (var address in Both)
        {
            // Whoever knows it asks again at that very address.
            await site["tor"].IpAsync($"neigh change {address} lladdr {await MacOfAsync("gate1")} dev br0 nud probe");
            await Until.TrueAsync($"{address} answers for itself", async () =>
                (await KnownAsync(address)).Contains("REACHABLE", StringComparison.Ordinal), 60, () => KnownAsync(address));
        }
        foreach (var family in (string[])["arp", "inet"])
            Assert.Contains("packets 0 ", await site["tor"].DoAsync("nft", "list", "counter", family, "said", "others"),
                StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task The_link_is_told_where_the_address_is_and_when_it_moves()
    {
        Assert.Equal(Near6, await site.SeenAsync("p", ipv6: true));
        for (var n = 0; n < Flows; n++)
        {
            flows.Add(new(site["p"], EgressSite.AddressOf("p"), EgressSite.Outside4, Echo.Port));
            flows.Add(new(site["p"], EgressSite.AddressOf("p", ipv6: true), EgressSite.Outside6, Echo.Port));
        }
        await AskAsync();
        foreach (var address in Both) await LearnedAsync(address, "gate1");
        await site.CutAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal)
            && answer.Contains("fd20::11 is not heard", StringComparison.Ordinal));
        // Nobody has asked: the node that takes it says so.
        foreach (var address in Both) await LearnedAsync(address, "gate2");
        await AskAsync();
    }
}
