using System.Text.Json.Nodes;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// VXLAN between the two nodes as Calico sets it up, a stranger who encapsulates towards the first one, and pods that do: what comes out
/// of the tunnel is seen by who listens on the first node's address in it.
/// </summary>
public sealed class TunnelPolicyTests : IAsyncLifetime
{
    private const string Tunnel = "vxlan.calico", NearMac = "66:00:00:00:00:01";

    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("red", "far", 2)];

    private PolicySite site = null!;
    private Netns stranger = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Link + "vxlan", "nft", "bridge") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        // On the wire between the nodes, with an address that is no node's.
        stranger = await Netns.MakeAsync("s");
        await Netns.JoinAsync(site.Tor, "p3", [], stranger, "eth0", ["172.20.0.99/24"]);
        PolicySite.Do(site.Tor, "link set p3 master br0");
        PolicySite.Do(
            site.Node, $"link add {Tunnel} address {NearMac} type vxlan id 4096 local 172.20.0.1 dev eth0 dstport 4789 nolearning",
            $"addr add 192.168.1.192/32 dev {Tunnel}", $"link set {Tunnel} up", $"route add 10.77.0.0/24 dev {Tunnel}");
        Encapsulate(site.Other, 4096, "172.20.0.2", "10.77.0.2");
        Encapsulate(stranger, 4096, "172.20.0.99", "10.77.0.99");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
        if (stranger != null) await stranger.RemoveAsync();
    }

    /// <summary>A way into the first node's tunnel.</summary>
    private static void Encapsulate(Netns space, int network, string own, string inner, string device = "eth0")
    {
        PolicySite.Do(space, $"link add vx{network} type vxlan id {network} local {own} dev {device} dstport 4789 nolearning",
            $"addr add {inner}/24 dev vx{network}", $"link set vx{network} up",
            $"neigh replace 192.168.1.192 lladdr {NearMac} dev vx{network}", $"route replace 192.168.1.192/32 dev vx{network}");
        space.Tell("", "bridge", "fdb", "replace", NearMac, "dst", "172.20.0.1", "dev", $"vx{network}");
    }

    /// <summary>How many packets have come out of the tunnel.</summary>
    private long Received() =>
        JsonNode.Parse(site.Node.Tell("", "ip", "-s", "-j", "link", "show", Tunnel))![0]!["stats64"]!["rx"]!["packets"]!.GetValue<long>();

    /// <summary>Sends a few datagrams into the tunnel.</summary>
    private static void Send(Netns from)
    {
        using var socket = from.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram,
            System.Net.Sockets.ProtocolType.Udp);
        for (var i = 0; i < 5; i++)
            socket.SendTo(new byte[] { 1 }, new System.Net.IPEndPoint(System.Net.IPAddress.Parse("192.168.1.192"), 9));
    }

    private Task ArrivesAsync(Netns from) => Until.TrueAsync("it comes out of the tunnel", () =>
    {
        var before = Received();
        Send(from);
        return Task.FromResult(Received() > before);
    }, PolicySite.Patience, site.LogAsync);

    private async Task StaysOutAsync(Netns from)
    {
        var before = Received();
        for (var time = 0; time < 5; time++)
        {
            Send(from);
            await Task.Delay(20);
        }
        Assert.Equal(before, Received());
    }

    private const string Felix = ", vxlanEnabled: true";

    [NeedsFact(Needs.Daemon, Needs.Link + "vxlan", "nft", "bridge")]
    public async Task Only_nodes_reach_into_the_tunnel_whatever_host_endpoints_say()
    {
        await ArrivesAsync(stranger);
        site.Write(site.Town.Objects(felix: Felix));
        await site.StartAsync();
        await site.InForceAsync();
        await ArrivesAsync(site.Other);
        await StaysOutAsync(stranger);
        await site.PutAsync(site.Town.Objects(felix: Felix) + HostEndpoint("eth0", "host: here", "interfaceName: eth0"));
        await ArrivesAsync(site.Other);
        await StaysOutAsync(stranger);
        // One more node, by its address; and then it is none any more.
        await site.PutAsync(site.Town.Objects(felix: Felix + ", externalNodesList: [172.20.0.99/32]"));
        await ArrivesAsync(stranger);
        await site.PutAsync(site.Town.Objects(felix: Felix));
        await StaysOutAsync(stranger);
        await site.PutAsync(site.Town.Objects(felix: ", vxlanEnabled: false"));
        await ArrivesAsync(stranger);
    }

    /// <summary>calico#6752: another network on the same port is none of ours.</summary>
    [NeedsFact(Needs.Daemon, Needs.Link + "vxlan", "nft", "bridge")]
    public async Task Another_network_on_the_same_port_is_left_alone()
    {
        site.Write(site.Town.Objects(felix: Felix + ", vxlanVNI: 77"));
        await site.StartAsync();
        await site.InForceAsync();
        await ArrivesAsync(stranger);
        await site.PutAsync(site.Town.Objects(felix: Felix));
        await StaysOutAsync(stranger);
    }

    /// <summary>It would go past the policies of whom it sends to.</summary>
    [NeedsFact(Needs.Daemon, Needs.Link + "vxlan", "nft", "bridge")]
    public async Task A_pod_that_encapsulates_is_stopped_unless_that_is_allowed_and_the_tunnel_is_not_tracked()
    {
        var pod = site.HomeOf("red/a");
        Encapsulate(pod, 4096, site.Town["red/a"].IPv4, "10.77.0.3");
        site.Write(site.Town.Objects(felix: ", vxlanEnabled: false"));
        await site.StartAsync();
        await site.InForceAsync();
        await StaysOutAsync(pod);
        await site.PutAsync(site.Town.Objects(felix: ", vxlanEnabled: false, allowVXLANPacketsFromWorkloads: true"));
        await ArrivesAsync(pod);
        // Where the nodes have a tunnel a pod is no node, either.
        await site.PutAsync(site.Town.Objects(felix: Felix + ", allowVXLANPacketsFromWorkloads: true"));
        await StaysOutAsync(pod);
        var drops = await site.Node.DoAsync("nft", "list", "chain", "inet", "bgpd", "pol-overlay-in");
        Assert.Matches("nfproto ipv4 udp dport 4789 .*counter packets [1-9]", drops);
        await ArrivesAsync(site.Other);
        Assert.Contains("udp dport 4789 notrack", await site.Node.DoAsync("nft", "list", "chain", "inet", "bgpd", "prerouting-raw"),
            StringComparison.Ordinal);
    }
}
