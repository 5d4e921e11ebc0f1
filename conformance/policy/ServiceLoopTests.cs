using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// A packet for a service's address that no service has comes to this node, as the fabric is told, and would go back to the fabric by the
/// node's default route, round and round until its time to live is over (FelixConfiguration's serviceLoopPrevention).
/// </summary>
public sealed class ServiceLoopTests : IAsyncLifetime
{
    private const string Announced = "serviceClusterIPs: [{ cidr: 10.96.0.0/16 }, { cidr: \"fd96::/112\" }]";

    private static readonly PodPlace[] Pods = [new("red", "a")];
    private static readonly IPAddress Nobodys4 = IPAddress.Parse("10.96.0.99"), Nobodys6 = IPAddress.Parse("fd96::99");

    private PolicySite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.Town.Services.Add(new("web", "10.96.0.10", "fd96::10", 80, site.Town["red/a"], 8080));
        site.WriteServices();
        site.Tor.Tell("""
            table inet seen {
              chain forward {
                type filter hook forward priority 0
                ip daddr 10.96.0.99 counter
                ip6 daddr fd96::99 counter
              }
            }

            """, "nft", "-f", "-");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>How often packets have passed the fabric, of each family.</summary>
    private async Task<int[]> SeenAsync() =>
        [.. (await site.Tor.DoAsync("nft", "list", "chain", "inet", "seen", "forward")).Split('\n')
            .Where(line => line.Contains("counter packets", StringComparison.Ordinal))
            .Select(line => int.Parse(line.Split(' ').SkipWhile(word => word != "packets").ElementAt(1), null))];

    private async Task<(bool IsRefused, int Passed)> AskAsync(bool isIPv6)
    {
        var from = Place.Outside;
        var before = (await SeenAsync())[isIPv6 ? 1 : 0];
        var outcomes = await site.Prober.RunAsync(
            [new Probe(from, from.Address(isIPv6), isIPv6 ? Nobodys6 : Nobodys4, Protocols.Udp) { Port = 80 }], Prober.Moment);
        return (outcomes[0].IsRefused, (await SeenAsync())[isIPv6 ? 1 : 0] - before);
    }

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData("", false, false)]
    [InlineData(", serviceLoopPrevention: Drop", false, false)]
    [InlineData(", serviceLoopPrevention: Reject", true, false)]
    [InlineData(", serviceLoopPrevention: Disabled", null, true)]
    public async Task What_no_service_has_does_not_go_back_to_where_it_came_from(string felix, bool? isRefused, bool loops)
    {
        await site.StartAsync();
        var objects = site.Town.Objects(felix: felix)
            .Replace("nodeToNodeMeshEnabled: false", "nodeToNodeMeshEnabled: false, " + Announced, StringComparison.Ordinal);
        await site.PutAsync(objects);
        foreach (var isIPv6 in (bool[])[false, true])
        {
            var (refused, passed) = await AskAsync(isIPv6);
            if (isRefused != null) Assert.Equal(isRefused, refused);
            Assert.Equal((loops, true), (passed > 10, passed > 0));
            if (!loops) Assert.Equal(1, passed);
        }
        // A service that there is has been translated by then.
        await Rows.HoldAsync(site, objects, """
            outside service:web tcp/80 arrives
            outside red/a tcp/80 arrives
            """);
    }
}
