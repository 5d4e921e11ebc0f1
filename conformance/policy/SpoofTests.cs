using System.Net;
using System.Net.Sockets;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>What pods send under addresses that are not theirs, and what policy does to marks that are not its own.</summary>
public sealed class SpoofTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b")];
    private static readonly IPAddress Other4 = IPAddress.Parse("192.0.2.77"), Other6 = IPAddress.Parse("2001:db8:77::1");

    private PolicySite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await PolicySite.MakeAsync(Pods);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>Whether datagrams with this source come to the outside.</summary>
    private async Task<bool> ArrivesAsync(IPAddress source)
    {
        const int ip = 0, transparent = 19, ipv6 = 41, transparent6 = 75; // SOL_IP, IP_TRANSPARENT, SOL_IPV6, IPV6_TRANSPARENT
        var isIPv6 = source.AddressFamily == AddressFamily.InterNetworkV6;
        using var socket = site.HomeOf("red/a").Socket(source.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.SetRawSocketOption(isIPv6 ? ipv6 : ip, isIPv6 ? transparent6 : transparent, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(source, 0));
        var token = Ping.NewToken();
        await socket.SendToAsync(Wire.Token(token), new IPEndPoint(Place.Outside.Address(isIPv6), 80));
        await Task.WhenAny(site.Arrivals.WaitAsync(token), Task.Delay(Prober.Moment));
        return site.Arrivals.Of(token) != null;
    }

    private Task ComesAsync(IPAddress source) =>
        Until.TrueAsync($"what comes from {source} arrives", () => ArrivesAsync(source), PolicySite.Patience, site.LogAsync);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_pod_sends_under_its_own_addresses_and_those_that_it_is_allowed()
    {
        var objects = site.Town.Objects();
        site.Write(objects);
        await site.StartAsync();
        await site.InForceAsync();
        await ComesAsync(site.Town["red/a"].Address(false));
        await ComesAsync(site.Town["red/a"].Address(true));
        Assert.False(await ArrivesAsync(Other4));
        Assert.False(await ArrivesAsync(Other6));
        Assert.False(await ArrivesAsync(site.Town["red/b"].Address(false)));
        const string own = "name: a, namespace: red,";
        Assert.Contains(own, objects, StringComparison.Ordinal);
        await site.PutAsync(objects.Replace(own, own + " annotations: { cni.projectcalico.org/allowedSourcePrefixes: "
            + "'[\"192.0.2.0/24\", \"2001:db8:77::/64\"]' },", StringComparison.Ordinal));
        await ComesAsync(Other4);
        await ComesAsync(Other6);
        Assert.False(await ArrivesAsync(site.Town["red/b"].Address(false)));
    }

    /// <summary>Somebody marks all packets before it is asked, and looks at them when all is done; a tier passes, which takes one of the
    /// two bits for a while.</summary>
    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Marks_of_others_come_through_and_its_own_bits_are_of_the_mask_that_it_is_told()
    {
        site.Configuration = "policy: { enabled: true, markMask: 0x30000000 }\n";
        site.Node.Tell("""
            table inet others {
              chain before {
                type filter hook prerouting priority -310
                meta mark set 0xcfffffff
              }
              chain after {
                type filter hook postrouting priority 300
                udp dport 81 meta mark & 0xcfffffff == 0xcfffffff counter comment "kept"
                udp dport 81 meta mark & 0xcfffffff != 0xcfffffff counter comment "lost"
              }
            }

            """, "nft", "-f", "-");
        var objects = site.Town.Objects() + Tier("first", "order: 10")
            + Global("first.in", "tier: first, selector: \"app == 'b'\", types: [Ingress], ingress: [{ action: Pass }]")
            + Namespaced("red", "in", "selector: \"app == 'b'\", types: [Ingress], ingress: ["
                + "{ action: Allow, protocol: UDP, destination: { ports: [81] } }]");
        site.Write(objects);
        await site.StartAsync();
        await site.InForceAsync();
        await Rows.HoldAsync(site, objects, """
            red/a red/b udp/81 arrives
            outside red/b udp/81 arrives
            outside red/b udp/80 nothing
            """);
        var seen = await site.Node.DoAsync("nft", "list", "chain", "inet", "others", "after");
        Assert.Matches("counter packets [1-9][0-9]* bytes [0-9]+ comment \"kept\"", seen);
        Assert.Contains("counter packets 0 bytes 0 comment \"lost\"", seen, StringComparison.Ordinal);
        var marks = (await site.Node.DoAsync("nft", "list", "table", "inet", "bgpd")).Split('\n')
            .Where(line => line.Contains("meta mark", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(marks);
        Assert.DoesNotContain(marks, line => line.Contains("0x00010000", StringComparison.Ordinal));
    }
}
