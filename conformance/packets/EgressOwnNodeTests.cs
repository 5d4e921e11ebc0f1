using System.Net.Sockets;
using System.Text.Json;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Pods on the nodes of a pinned gateway: on the one that has the address, and on the one that stands by.</summary>
public sealed class EgressOwnNodeTests : IAsyncLifetime
{
    /// <summary>Name, node, and what tells the addresses.</summary>
    private static readonly (string Name, string Node, int Number)[] Pods = [("n1", "gate1", 2), ("n2", "gate2", 3)];

    private readonly EgressReplicationTests all = new();
    private readonly Dictionary<string, Netns> spaces = [];
    private EgressSite site = null!;

    public Task InitializeAsync() => all.InitializeAsync();

    public async Task DisposeAsync()
    {
        await all.DisposeAsync();
        foreach (var space in spaces.Values) await space.RemoveAsync();
    }

    /// <summary>Of one of these pods, or of the site's.</summary>
    internal Netns SpaceOf(string name) => spaces.TryGetValue(name, out var own) ? own : site[name];

    internal string AddressOf(string name, bool ipv6) => Pods.FirstOrDefault(pod => pod.Name == name) is { Name: not null } own
        ? Address(own.Number, ipv6) : EgressSite.AddressOf(name, ipv6);

    private static string Address(int number, bool ipv6 = false) => ipv6 ? $"fd01::{number}:2" : $"192.168.{number}.2";

    internal async Task<EgressSite> StartAsync()
    {
        site = await all.StartAsync("egress: { pinned: true, replicateFlows: true }");
        foreach (var (name, node, number) in Pods)
        {
            var space = spaces[name] = await Netns.MakeAsync("n");
            await PodLink.AddAsync(site[node], space, "alpha", name, Address(number), Address(number, ipv6: true));
        }
        site.Write(more: string.Concat(Pods.Select(pod => $$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{pod.Name}}, namespace: alpha }
            spec: { nodeName: {{pod.Node}} }
            status: { podIPs: [{ ip: {{Address(pod.Number)}} }, { ip: "{{Address(pod.Number, ipv6: true)}}" }] }
            ---

            """)));
        foreach (var (name, _, number) in Pods)
            foreach (var ipv6 in (bool[])[false, true])
                await Until.TrueAsync($"{name} leaves", async () => (await Echo.SeenAsync(spaces[name], Address(number, ipv6),
                    ipv6 ? EgressSite.Outside6 : EgressSite.Outside4, Transport.Tcp, attempts: 1))?.Address.ToString()
                    == (ipv6 ? EgressSite.Red6 : EgressSite.Red4), 60, site.SaidAsync);
        return site;
    }

    private async Task<LastingFlow[]> BeginAsync(string name, int number)
    {
        var flows = new List<LastingFlow>();
        foreach (var ipv6 in (bool[])[false, true])
            foreach (var type in (SocketType[])[SocketType.Stream, SocketType.Dgram])
                flows.Add(await LastingFlow.BeginAsync(spaces[name], Address(number, ipv6), 20000,
                    ipv6 ? EgressSite.Outside6 : EgressSite.Outside4, type));
        Assert.All(flows, flow => Assert.Contains(flow.Seen.Address.ToString(), (string[])[EgressSite.Red4, EgressSite.Red6]));
        return [.. flows];
    }

    /// <summary>All that the first has told is at the second. Of its own pods its kernel has no translated flows while the first has the
    /// address, so that they cannot be counted there.</summary>
    private Task KnownAsync(int flows) => Until.TrueAsync("all is told", async () =>
    {
        var (told, taken) = (await OfAsync("gate1", "gate2", "given"), await OfAsync("gate2", "gate1", "taken"));
        return told is { } ours && taken is { } theirs && ours.GetProperty("waiting").GetInt32() == 0
            && (Of(ours, "listed"), Of(ours, "told")) == (Of(theirs, "listed"), Of(theirs, "told"))
            && Of(ours, "listed") + Of(ours, "told") >= flows;
    }, 60, site.SaidAsync);

    private static long Of(JsonElement one, string name) => one.GetProperty(name).GetInt64();

    private async Task<JsonElement?> OfAsync(string node, string peer, string what) =>
        await site.HttpAsync(node, "/v1/egress") is { Length: > 0 } told
        && JsonDocument.Parse(told).RootElement.TryGetProperty("replication", out var shared)
        && shared.GetProperty("peers").EnumerateArray().First(one => one.GetProperty("node").GetString() == peer).GetProperty(what)
            is { ValueKind: JsonValueKind.Object } found ? found : null;

    private static async Task GoOnAsync(IEnumerable<LastingFlow> flows)
    {
        foreach (var flow in flows) Assert.True(await flow.GoesOnAsync(), $"{flow}");
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Their_flows_go_on_when_the_address_moves_to_their_own_node_and_away_from_it()
    {
        await StartAsync();
        var others = await site.OthersAsync();
        LastingFlow[] first = await BeginAsync("n1", 2), second = await BeginAsync("n2", 3);
        await KnownAsync(first.Length + second.Length);
        await site.CutAsync("gate1");
        await all.LedToAsync("172.20.0.12");
        await GoOnAsync(second);
        await site.MendAsync("gate1");
        await all.LedToAsync("172.20.0.11");
        await GoOnAsync(second);
        await GoOnAsync(first);
        Assert.Equal(others, await site.OthersAsync());
        foreach (var flow in first.Concat(second)) flow.Dispose();
    }
}
