// Figures of services: not microbenchmarks, but one long look at the real kernel, in network namespaces of their own (as root):
//   make bench ARGS=services
//   make bench ARGS="services 10000 3" for one size, make bench ARGS="services packets" for the packets
// Kubernetes' Services and EndpointSlices in a folder: how long until all are in force, beside nft with the same table, and with one that
// is made as kube-proxy makes its own; one endpoint's change, from when its file is there to the kernel's acknowledgement; memory. And what
// a pod sends to services, beside what is tracked alone.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Sources.Yaml;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Bench.Figures;

namespace Calico.Bgp.Bench;

internal static class ServiceFigures
{
    private const int Rounds = 1_000, AFile = 500, MostOfKubeProxy = 10_000;

    public static readonly DataplaneSettings On = new("node0", Services: new() { Enabled = true, Kubernetes = true });

    public static async Task RunAsync()
    {
        Title();
        foreach (var (services, each) in ((int, int)[])[(1_000, 3), (10_000, 3), (30_000, 3), (5_000, 50)])
            await OfAsync(services, each);
        await ServicePackets.RunAsync();
    }

    /// <summary>One size alone.</summary>
    public static Task RunAsync(int services, int each)
    {
        Title();
        return OfAsync(services, each);
    }

    private static void Title() =>
        Console.WriteLine("services x endpoints | in force: first / again | nft -f | kube-proxy's, nft -f "
            + "| an endpoint, file in place to kernel p50 / p99 | resident | managed");

    private static async Task OfAsync(int services, int each)
    {
        using var space = Netns.Make("bench");
        await ChildAsync(space, "services", "inside", Word(services), Word(each));
    }

    /// <summary>A service's.</summary>
    public static Address ClusterIP(int service) => Address.FromIPv4(0x0a600001u + (uint)service);

    private static string EndpointOf(int service, int number) => Address.FromIPv4(0x0b000000u + (uint)(service * 64 + number)).ToString();

    private static string ServiceText(int n) => $$"""
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: web-{{n}}, namespace: default }
        spec: { clusterIP: {{ClusterIP(n)}}, ports: [{ port: 80 }] }

        """;

    /// <param name="n">Whose.</param>
    /// <param name="each">So many endpoints it has.</param>
    /// <param name="edit">Which the last one is.</param>
    private static string SliceText(int n, int each, int edit)
    {
        var endpoints = Enumerable.Range(0, each).Select(i =>
            $"{{ addresses: [{EndpointOf(n, i == each - 1 ? i + edit : i)}], nodeName: node1, conditions: {{ ready: true }} }}");
        return $$"""
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: web-{{n}}-a, namespace: default, labels: { kubernetes.io/service-name: web-{{n}} } }
            addressType: IPv4
            endpoints: [{{string.Join(", ", endpoints)}}]
            ports: [{ port: 8080 }]

            """;
    }

    public static async Task InsideAsync(int services, int each)
    {
        using var folder = new Scratch("services");
        for (var at = 1; at < services; at += AFile)
            folder.Write($"some-{at}.yaml", string.Concat(Enumerable.Range(at, Math.Min(AFile, services - at)).Select(
                n => ServiceText(n) + SliceText(n, each, 0))));
        folder.Write("web.yaml", ServiceText(0));
        var slice = folder.Write("slice.yaml", SliceText(0, each, 1));

        using var ending = new CancellationTokenSource();
        await using var node = new PolicyNode(On);
        await node.StartAsync();
        var store = new ResourceStore(1);
        using var feed = store.Subscribe(Concern.Services);
        var source = new YamlFolderSource(0, folder.Path, FolderRules.Default, TimeProvider.System);
        var sources = new SourcesLoop(store, [source], node.Loops, NullLogger<SourcesLoop>.Instance).RunAsync(ending.Token);
        var first = await node.ApplyAsync([.. (await feed.ReadAsync(ending.Token)).Changed]);
        if (node.Nftables.Status.Problems.Length > 0)
            throw new InvalidOperationException($"expected all to be taken, and {node.Nftables.Status.Problems[0]} is not");
        await node.ConfigureAsync(new("node0"));
        var again = await node.ConfigureAsync(On);
        var changed = await RepeatAsync(Rounds, async (_, turn) =>
        {
            File.Move(folder.Write(".new", SliceText(0, each, turn ? 0 : 1)), slice, overwrite: true);
            // Not before: ext4 gives a file its blocks when it takes another's place (auto_da_alloc, ext4(5)), and once in some twenty
            // times the disk lets whoever writes wait for 10 ms; until then nobody else sees it.
            var began = Stopwatch.GetTimestamp();
            await node.ApplyAsync([.. (await feed.ReadAsync(ending.Token)).Changed]);
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        });
        var (resident, managed) = Memory();
        await ending.CancelAsync();
        await sources;
        var nft = await NftAsync();
        await node.Nftables.FlushAsync();
        var others = services <= MostOfKubeProxy && each < 50 ? $"{await KubeProxyAsync(folder, services, each):N0} ms" : "–";
        Console.WriteLine($"{services,10:N0} x {each,-7} | {first,9:0} / {again,5:0} ms | {nft,3:N0} ms | {others,20} | {changed,46} | "
            + $"{resident,4} MiB | {managed,3} MiB");
    }

    /// <summary>../shared/lab/kube-proxy-stub.nft for many services, in kube-proxy's own shape: a chain for each service, which chooses at
    /// random, and one for each endpoint; a map leads to them.</summary>
    private static async Task<double> KubeProxyAsync(Scratch folder, int services, int each)
    {
        var text = new StringBuilder("table ip kube-proxy {\n chain mark-for-masquerade { meta mark set meta mark or 0x4000; }\n");
        for (var n = 0; n < services; n++)
        {
            for (var i = 0; i < each; i++)
            {
                var to = EndpointOf(n, i);
                text.Append(CultureInfo.InvariantCulture, $" chain endpoint-{n}-{i} {{ ip saddr {to} jump mark-for-masquerade; ")
                    .Append(CultureInfo.InvariantCulture, $"meta l4proto tcp dnat to {to}:8080; }}\n");
            }
            var ends = string.Join(", ", Enumerable.Range(0, each).Select(i => $"{i} : goto endpoint-{n}-{i}"));
            text.Append(CultureInfo.InvariantCulture, $" chain service-{n} {{ numgen random mod {each} vmap {{ {ends} }}; }}\n");
        }
        var fronts = string.Join(", ", Enumerable.Range(0, services).Select(n => $"{ClusterIP(n)} . tcp . 80 : goto service-{n}"));
        text.Append(CultureInfo.InvariantCulture, $$"""
             map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = { {{fronts}} } }
             chain nat-prerouting {
              type nat hook prerouting priority dstnat; policy accept;
              ip daddr . meta l4proto . th dport vmap @service-ips
             }
            }

            """);
        return await TimedAsync($"nft -f {folder.Write("kube-proxy.nft", text.ToString())}");
    }
}
