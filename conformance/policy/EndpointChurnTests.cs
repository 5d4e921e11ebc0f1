using System.Globalization;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// Ten thousand pods come and go, on this node and elsewhere, with policies and sets that come and go with them; what the daemon and the
/// kernel have afterwards. What hangs on the dataplane's objects is counted in the tests of that room.
/// </summary>
public sealed class EndpointChurnTests : IAsyncLifetime
{
    private const int Rounds = 40, Pods = 250, Warm = 8;

    private PolicySite site = null!;
    private string objects = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await PolicySite.MakeAsync(new("red", "a"), new("blue", "c"));
        objects = site.Town.Objects() + Namespaced("red", "web", "selector: all(), types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [80] } }, "
            + "{ action: Allow, source: { selector: \"app == 'churn'\" } }]");
        await site.StartAsync();
        await site.PutAsync(objects);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static string Round(int round) => string.Concat(
    [
        .. Enumerable.Range(0, Pods).Select(number => PodPlace.Object(new("red", $"churn-{round}-{number}", 1 + (number % 2)),
            new("", $"192.168.100.{number}", $"fd01::{round:x}:{number:x}", null), $"app: churn, n: n{number % 10}, round: r{round}")),
        .. Enumerable.Range(0, 10).Select(n => Namespaced("red", $"churn-{round}-{n}",
            $"selector: \"n == 'n{n}'\", types: [Ingress, Egress], "
                + $"egress: [{{ action: Allow, destination: {{ selector: \"set == 's{n}'\" }} }}], "
                + $"ingress: [{{ action: Allow, protocol: TCP, source: {{ selector: \"round == 'r{round}' && n == 'n{n}'\" }} }}]")),
        .. Enumerable.Range(0, 10).Select(n =>
            Set($"churn-{round}-{n}", $"set: s{n}", $"10.{round}.{n}.0/24, 10.{round}.{n}.7/32, \"fd77:{round:x}:{n:x}::/64\"")),
    ]);

    /// <summary>Names of it are as the kernel's files have them.</summary>
    private long Status(string name) => long.Parse(File.ReadLines($"/proc/{site.Daemon.Pid}/status")
        .First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split(' ', '\t')
        .First(word => word.Length > 0 && char.IsAsciiDigit(word[0])), CultureInfo.InvariantCulture);

    private int Descriptors => Directory.GetFiles($"/proc/{site.Daemon.Pid}/fd").Length;

    private static readonly string[] Counted = ["endpoints{", "policies ", "programs ", "sets "];

    /// <summary>What it says of itself that counts things, and not what has passed.</summary>
    private async Task<string[]> GaugesAsync() =>
    [
        .. (await site.HttpAsync("/metrics")).Split('\n').Where(line => Counted.Any(
            name => line.StartsWith("calico_bgp_policy_" + name, StringComparison.Ordinal))),
    ];

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Ten_thousand_pods_come_and_go_and_nothing_is_left_of_them()
    {
        var (table, gauges) = (await TableText.ReadAsync(site), await GaugesAsync());
        Assert.Equal(5, gauges.Length);
        var (memory, descriptors) = (0L, 0);
        for (var round = 0; round < Rounds; round++)
        {
            await site.PutAsync(objects + Round(round));
            if (round % 2 == 1) await site.PutAsync(objects);
            if (round == Warm) (memory, descriptors) = (Status("VmRSS"), Descriptors);
        }
        // The fence's policies have another port each time, and all else is as it was.
        Assert.Equal(Without(table), Without(await TableText.ReadAsync(site)));
        Assert.Equal(gauges, await GaugesAsync());
        Assert.InRange(Descriptors, 0, descriptors + 3);
        // What the collector has not given back yet is no leak: pods that stayed would be ten times as much.
        Assert.True(Status("VmRSS") - memory < 48 << 10, $"{memory} KiB after {Warm} rounds, {Status("VmRSS")} KiB after {Rounds}");

        static IEnumerable<string> Without(IEnumerable<string> lines) =>
            lines.Where(line => !line.Contains("fence.door", StringComparison.Ordinal));
    }
}
