using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Etcd;
using Calico.Bgp.Conformance.Golden;
using Calico.Bgp.Conformance.Kubernetes;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>
/// The same objects in a folder, in an API server and in an etcd come to the same plan, whatever was done to them on the way there; and
/// daemons that have followed all the while, over the servers' restarts and compactions, do what that plan says.
/// </summary>
public sealed class PlanTests : IAsyncLifetime, IDisposable
{
    private const string ApiAddress = "10.93.0.2", EtcdAddress = "10.93.1.2";
    private const int Rounds = 4, Edits = 12;

    private readonly Scratch folder = new("plan");
    private readonly ResourceFolder files = new();
    private readonly List<Netns> spaces = [];
    private readonly List<Follower> followers = [];
    private KubeApi api = null!;
    private EtcdStore etcd = null!;
    private ClusterObjects cluster = null!;
    private EtcdObjects store = null!;

    private bool poolIsTunnelled, nodeIsKnown;

    /// <summary>The pool of all blocks is one whose routes Felix puts into the kernel, the blackholes of blocks among them (Calico 3.33:
    /// tunnels). Of a node whose network is not known Calico says nothing about pools, and the routes are ours.</summary>
    private bool BlocksAreFelixs => poolIsTunnelled && nodeIsKnown;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi, "etcd", "etcdctl") != null) return;
        var (first, second) = (await SpaceAsync("first"), await SpaceAsync("second"));
        var (apiSpace, etcdSpace) = (await SpaceAsync("api"), await SpaceAsync("etcd"));
        await JoinAsync(first, "api0", "10.93.0.1", apiSpace, "eth0", ApiAddress);
        await JoinAsync(second, "etcd0", "10.93.1.1", etcdSpace, "eth0", EtcdAddress);
        api = await KubeApi.StartAsync(apiSpace, ApiAddress);
        cluster = new(api);
        etcd = new(etcdSpace, EtcdAddress);
        store = new(etcd);
        await etcd.StartAsync();
        followers.AddRange([new("kubernetes", first, cluster, folder), new("etcd", second, store, folder)]);
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var space = await Netns.MakeAsync(role);
        spaces.Add(space);
        return space;
    }

    private static Task JoinAsync(Netns one, string link, string address, Netns other, string otherLink, string otherAddress) =>
        Netns.JoinAsync(one, link, [address + "/24"], other, otherLink, [otherAddress + "/24"]);

    public async Task DisposeAsync()
    {
        foreach (var one in followers) await one.DisposeAsync();
        if (cluster != null) await cluster.DisposeAsync();
        if (store != null) await store.DisposeAsync();
        foreach (var space in spaces) await space.RemoveAsync();
    }

    public void Dispose()
    {
        files.Dispose();
        folder.Dispose();
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi, "etcd", "etcdctl")]
    public async Task The_plan_is_the_same_from_a_folder_an_API_server_and_an_etcd()
    {
        var seed = Environment.GetEnvironmentVariable("CONFORMANCE_SEED") is { } asked ? int.Parse(asked) : Random.Shared.Next();
        var random = new Random(seed);
        Apply(
            Node("n1", "10.93.0.1/24", labels: "{ rack: '1' }"), Configuration("nodeToNodeMeshEnabled: false"),
            Pool("p0", "10.65.0.0/16"));
        foreach (var one in followers) await one.StartAsync();
        for (var round = 0; round < Rounds; round++)
        {
            for (var edit = 0; edit < Edits; edit++)
            {
                var one = AnyObject(random);
                if (random.Next(3) > 0) Apply(one);
                else Delete(one);
            }
            await TroubleAsync(random);
            foreach (var one in followers)
            {
                var expected = await one.PlanAsync(files.Source);
                Assert.Equal((seed, round, expected), (seed, round, await one.PlanAsync(one.Source)));
                await one.HasFollowedAsync(JsonNode.Parse(expected)!, BlocksAreFelixs, $"seed {seed}, round {round}");
            }
        }
    }

    private void Apply(params Manifest[] objects)
    {
        foreach (var place in (IObjects[])[files, cluster, store]) place.Apply(objects);
        foreach (var one in objects) Remember(one, true);
    }

    private void Delete(Manifest one)
    {
        foreach (var place in (IObjects[])[files, cluster, store]) place.Delete(one.Kind, one.Name);
        Remember(one, false);
    }

    private void Remember(Manifest one, bool isThere)
    {
        if (one is { Kind: "IPPool", Name: "p0" }) poolIsTunnelled = isThere && one.Text.Contains("Mode: ", StringComparison.Ordinal);
        if (one is { Kind: "Node", Name: "n1" }) nodeIsKnown = isThere;
    }

    private async Task TroubleAsync(Random random)
    {
        if (random.Next(2) == 0) await api.CompactAsync();
        if (random.Next(2) == 0) await etcd.CompactAsync();
        if (random.Next(2) == 0)
        {
            await api.KillAsync();
            await api.RestartAsync();
        }
        if (random.Next(2) == 0)
        {
            await etcd.KillAsync();
            await etcd.StartAsync();
        }
    }

    /// <summary>No two pools overlap, which Calico would refuse, and nothing is wrong: of what is, the last good version counts, which
    /// only who has followed knows.</summary>
    private static Manifest AnyObject(Random random)
    {
        var number = random.Next(4);
        string Any(params string[] of) => of[random.Next(of.Length)];
        return random.Next(12) switch
        {
            0 => Block("n1", $"10.65.{number}.0/26"),
            1 => Block("n2", $"10.65.{number}.64/26", Any("confirmed", "pending")),
            2 => Peer($"global{number}", $"peerIP: 10.93.0.{100 + random.Next(3)}, asNumber: {65001 + random.Next(3)}"),
            3 => Peer($"rack{number}", $"nodeSelector: rack == '{Any("1", "2")}', peerIP: 10.93.0.{110 + number}, asNumber: 65009"
                + Any("", ", filters: [f1]", ", password: { secretKeyRef: { name: keys, key: tor } }", ", keepOriginalNextHop: true")),
            4 => Peer($"nodes{number}", $"nodeSelector: all(), peerSelector: rack == '{Any("1", "2")}'"),
            5 => Node($"n{1 + number}", $"10.93.0.{1 + number}/24", labels: $"{{ rack: '{Any("1", "2")}' }}",
                bgp: Any("", "asNumber: 64999")),
            6 => Filter("f1", $"exportV4: [{{ cidr: 10.65.0.0/16, matchOperator: {Any("In", "NotIn")}, action: Reject }}]"),
            7 => Pool($"p{number}", $"10.{65 + number}.0.0/16", Any("", "disabled: true", "ipipMode: Always", "vxlanMode: CrossSubnet")),
            8 => Service($"web{number}", $"type: LoadBalancer, externalTrafficPolicy: {Any("Local", "Cluster")}, "
                + $"clusterIP: 10.96.0.{number}, clusterIPs: [10.96.0.{number}], externalIPs: [192.0.2.{number}]", $"198.51.100.{number}"),
            9 => Slice($"web{number}-x", $"web{number}", "IPv4", (Any("n1", "n2"), random.Next(2) == 0)),
            10 => Secret("keys", "tor", Any("sesame", "open")),
            _ => Configuration($"nodeToNodeMeshEnabled: {Any("true", "false")}, asNumber: {64512 + random.Next(2)}, "
                + $"serviceClusterIPs: [{{ cidr: {Any("10.96.0.0/12", "10.96.0.0/30")} }}], "
                + $"serviceLoadBalancerIPs: [{{ cidr: {Any("198.51.100.0/24", "198.51.100.1/32")} }}]"),
        };
    }

    /// <summary>A daemon that has followed a place from the beginning.</summary>
    private sealed class Follower(string name, Netns space, IObjects place, Scratch folder) : IAsyncDisposable
    {
        private Background? daemon;

        public string Source => place.Source;

        private string Http => folder.PathOf($"{name}.http");
        private string Said => Background.SaidIn(folder.PathOf($"{name}.log"));

        private string Configured(string what, string source, string more)
        {
            var file = folder.PathOf($"{name}-{what}.yaml");
            File.WriteAllText(file, $"node: n1\nsources: [{source}]\n{more}\n");
            return file;
        }

        public async Task StartAsync()
        {
            var control = $"control: {{ socket: {folder.PathOf($"{name}.ctl")}, http: [\"unix:{Http}\"] }}";
            daemon = Background.Start(
                space, folder.PathOf($"{name}.log"), null, Project.Daemon, "--config", Configured("daemon", place.Source, control));
            await Until.TrueAsync($"{name}: the daemon answers", async () => (await PeersAsync()) != null, 60, () => Said);
        }

        public async Task<string> PlanAsync(string source)
        {
            var answer = await space.RunAsync(Project.Bgpctl, "plan", "--config", Configured("plan", source, ""), "--json");
            Assert.True(answer.Good, answer.Errors);
            return answer.Output;
        }

        private async Task<JsonNode?> PeersAsync()
        {
            var answer = await Shell.RunAsync(Project.Bgpctl, "--socket", Http, "peers", "--json");
            return answer.Good ? JsonNode.Parse(answer.Output) : null;
        }

        /// <summary>Its peers, and the routes that are its own alone, are the plan's.</summary>
        public Task HasFollowedAsync(JsonNode plan, bool blocksAreFelixs, string when)
        {
            var wanted = Words(plan["peers"]!, peer => $"{peer["name"]} {peer["address"]} {peer["asNumber"]}") + " | "
                + (blocksAreFelixs ? "" : Words(plan["routes"]!, route =>
                    (string?)route["type"] == "blackhole" ? $"{route["prefix"]}".Replace("/32", "") : null));
            return Until.SeenAsync(
                $"{name}, {when}: the daemon has followed to {wanted}", SeenAsync, seen => seen == wanted, 60, () => Said);
        }

        private async Task<string> SeenAsync()
        {
            var peers = Words((await PeersAsync())!, peer => $"{peer["name"]} {peer["address"]} {peer["as"]}");
            var routes = (await space.IpAsync("route show type blackhole")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' ')[1]);
            return $"{peers} | {string.Join(", ", routes.Order(StringComparer.Ordinal))}";
        }

        private static string Words(JsonNode array, Func<JsonNode, string?> of) =>
            string.Join(", ", array.AsArray().Select(one => of(one!)).OfType<string>().Order(StringComparer.Ordinal));

        public async ValueTask DisposeAsync()
        {
            if (daemon != null) await daemon.DisposeAsync();
        }
    }
}
