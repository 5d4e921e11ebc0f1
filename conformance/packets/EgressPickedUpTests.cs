using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// Conntrack takes a segment from the middle of a connection that it does not know (no more, or not yet) for the begin of one, and whoever
/// sent it for who has begun: of the server's, what a pod sends would be an answer, which leaves as it is. Pods on a node that is no
/// gateway, on the one that has the gateway's pinned address, and on the one that stands by.
/// </summary>
public sealed class EgressPickedUpTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] Names = ["a", "n1", "n2"];

    private readonly EgressOwnNodeTests all = new();
    private readonly List<Socket> sockets = [];
    private EgressSite site = null!;

    /// <summary>Of the server that listened last: other nodes have copies of a connection, which it tells from the next one's.</summary>
    private int port = 7100;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        await all.InitializeAsync();
        site = await all.StartAsync();
        // Whoever is outside reaches each pod by its own address, and may be answered with that.
        foreach (var (name, node) in ((string, string)[])[("a", "1"), ("n1", "11"), ("n2", "12")])
        {
            await site["tor"].IpAsync($"route replace {all.AddressOf(name, ipv6: false)} via 172.20.0.{node}");
            await site["tor"].IpAsync($"-6 route replace {all.AddressOf(name, ipv6: true)} via fd20::{node}");
        }
        await site["firewall"].DoAsync("nft", "add", "counter", "inet", "wall", "answers");
        foreach (var (family, pods) in ((string, string)[])[("ip", "192.168.0.0/16"), ("ip6", "fd01::/16")])
            foreach (var transport in (string[])["tcp", "udp"])
                await site["firewall"].DoAsync("nft", "insert", "rule", "inet", "wall", "forward",
                    family, "saddr", pods, transport, "sport", $"{Echo.Port}", "counter", "name", "answers", "accept");
    }

    public async Task DisposeAsync()
    {
        foreach (var socket in sockets) socket.Dispose();
        await all.DisposeAsync();
    }

    private static IPAddress Outside(bool ipv6) => IPAddress.Parse(ipv6 ? EgressSite.Outside6 : EgressSite.Outside4);

    private Socket Have(Socket one)
    {
        sockets.Add(one);
        return one;
    }

    /// <summary>How many resets the pod's kernel has sent.</summary>
    private static Task<int> ResetsAsync(Netns pod) => CountAsync(pod, "told", "resets");

    /// <summary>What has been sent before has come to the firewall, or will not: this goes by the same links behind it.</summary>
    private async Task SettleAsync(string name, bool ipv6) => Assert.Equal(ipv6 ? EgressSite.Red6 : EgressSite.Red4,
        (await Echo.SeenAsync(all.SpaceOf(name), all.AddressOf(name, ipv6), $"{Outside(ipv6)}", Transport.Tcp))?.Address.ToString());

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task What_a_pod_says_to_a_segment_of_a_connection_that_nobody_knows_does_not_leave_with_its_own_address()
    {
        foreach (var name in Names)
        {
            var pod = all.SpaceOf(name);
            pod.Tell("""
                table inet told {
                 counter resets { }
                 chain out {
                  type filter hook output priority 0;
                  tcp flags & rst != 0x0 counter name resets
                 }
                }
                """, "nft", "-f", "-");
            foreach (var ipv6 in (bool[])[false, true])
            {
                var (others, resets) = (await site.OthersAsync(), await ResetsAsync(pod));
                await Segment.SendAsync(site["outside"], new(Outside(ipv6), Echo.Port),
                    new(IPAddress.Parse(all.AddressOf(name, ipv6)), 20999));
                await Until.TrueAsync($"{name} resets it", async () => await ResetsAsync(pod) > resets, 60, site.SaidAsync);
                await SettleAsync(name, ipv6);
                Assert.Equal((name, ipv6, others), (name, ipv6, await site.OthersAsync()));
            }
        }
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_connection_that_the_pods_node_has_forgotten_goes_on_by_the_gateway_when_the_server_speaks_first()
    {
        foreach (var (name, node) in ((string, string)[])[("a", "client"), ("n2", "gate2")])
            foreach (var ipv6 in (bool[])[false, true])
            {
                var (pod, server) = await ConnectAsync(name, ipv6);
                Assert.Equal(ipv6 ? EgressSite.Red6 : EgressSite.Red4, ((IPEndPoint)server.RemoteEndPoint!).Address.ToString());
                var others = await site.OthersAsync();
                await ForgetAsync(node, port, () => SpeakAsync(pod, server));
                await SpeakAsync(server, pod);
                await SpeakAsync(pod, server);
                await SettleAsync(name, ipv6);
                Assert.Equal((name, ipv6, others), (name, ipv6, await site.OthersAsync()));
            }
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Whoever_asks_a_pod_by_its_own_address_is_answered_with_it_unless_the_connection_has_been_forgotten()
    {
        foreach (var (name, node) in ((string, string)[])[("a", "client"), ("n1", "gate1"), ("n2", "gate2")])
            foreach (var ipv6 in (bool[])[false, true])
            {
                var (space, address) = (all.SpaceOf(name), all.AddressOf(name, ipv6));
                using var asked = new Echo(space, address);
                Assert.NotNull(await Echo.SeenAsync(site["outside"], $"{Outside(ipv6)}", address, Transport.Udp));
                var asks = Have(site["outside"].Socket(Outside(ipv6).AddressFamily));
                asks.Bind(new IPEndPoint(Outside(ipv6), 0));
                await asks.ConnectAsync(IPAddress.Parse(address), Echo.Port);
                Assert.True(await asks.ReceiveAsync(new byte[64]) > 0);
                await ForgetAsync(node, Echo.Port, async () => Assert.True(await asks.GoesOnAsync()));
                // In its middle nobody can tell it from one that the pod has begun.
                var answers = await AnswersAsync();
                Assert.False(await asks.GoesOnAsync(seconds: 3));
                Assert.Equal((name, ipv6, answers), (name, ipv6, await AnswersAsync()));
            }
    }

    /// <summary>Of the counters that a test has put somewhere.</summary>
    private static async Task<int> CountAsync(Netns at, string table, string counter) =>
        (await at.DoAsync("nft", "list", "counter", "inet", table, counter)) is var listed
            ? int.Parse(listed[(listed.IndexOf("packets ", StringComparison.Ordinal) + 8)..].Split(' ')[0]) : 0;

    private Task<int> AnswersAsync() => CountAsync(site["firewall"], "wall", "answers");

    /// <summary>By the pod, from a port of the kernel's, to a server that says nothing by itself.</summary>
    private async Task<(Socket Pod, Socket Server)> ConnectAsync(string name, bool ipv6)
    {
        var listener = Have(site["outside"].Socket(Outside(ipv6).AddressFamily));
        listener.Bind(new IPEndPoint(Outside(ipv6), ++port));
        listener.Listen();
        var pod = Have(all.SpaceOf(name).Socket(Outside(ipv6).AddressFamily));
        pod.Bind(new IPEndPoint(IPAddress.Parse(all.AddressOf(name, ipv6)), 0));
        await pod.ConnectAsync(Outside(ipv6), port);
        var server = Have(await listener.AcceptAsync());
        listener.Dispose();
        return (pod, server);
    }

    private static async Task SpeakAsync(Socket from, Socket to)
    {
        using var patience = new CancellationTokenSource(Patience);
        await from.SendAsync(new byte[1], patience.Token);
        Assert.Equal(1, await to.ReceiveAsync(new byte[1], patience.Token));
        to.AcknowledgeNow();
    }

    /// <summary>The node's kernel knows no connection to that port any more: its time runs out behind its next word.</summary>
    private async Task ForgetAsync(string node, int to, Func<Task> nextWord)
    {
        const string time = "net/netfilter/nf_conntrack_tcp_timeout_established";
        site[node].Set($"{time}=1");
        await nextWord();
        await Until.TrueAsync($"{node} has forgotten it", async () =>
            !(await site[node].DoAsync("cat", "/proc/net/nf_conntrack")).Split('\n').Any(line =>
                line.Contains(" ESTABLISHED ", StringComparison.Ordinal) && line.Contains($" dport={to} ", StringComparison.Ordinal)),
            60, site.SaidAsync);
        site[node].Set($"{time}=432000");
    }
}
