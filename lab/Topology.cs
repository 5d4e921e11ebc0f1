// What stands where.
//
//              host 198.51.100.10
//                │
//               tor  AS 65001, 10.192.0.254        BIRD where it is installed, else our daemon
//              ┌─┴──────────── br0 ─────────────┐
//   10.192.0.11│                                │10.192.0.12
//            node1  AS 64512 ──── iBGP ────── node2
//              │                                │
//            pod1 10.244.1.2                  pod2 10.244.2.2
//
// IPv6 has the same last numbers in fd00:192::/64, fd00:244:N::/64 and fd00:198::/64. A node knows its pod by a /32 (/128) route to the
// pod's device, as Calico's CNI plugin leaves it there; the daemon learns it from the kernel and announces it.
namespace Calico.Bgp.Lab;

internal sealed class Topology(string bgpd, bool withBird) : IAsyncDisposable
{
    private readonly Dictionary<string, Netns> spaces = [];
    private readonly List<Background> daemons = [];
    private Scratch? folder;

    public const string HostIPv4 = "198.51.100.10", HostIPv6 = "fd00:198::10";

    public IReadOnlyDictionary<string, Netns> Spaces => spaces;

    /// <summary>Routers with a birdc socket each: two of our daemons, and the ToR.</summary>
    public IReadOnlyList<RouterView> Routers { get; private set; } = [];
    public bool TorIsBird { get; } = withBird && Shell.Find("bird") != null;

    public static string PodIPv4(int node) => $"10.244.{node}.2";
    public static string PodIPv6(int node) => $"fd00:244:{node}::2";

    /// <exception cref="MachineException">The machine refused something.</exception>
    public async Task BuildAsync(CancellationToken stop)
    {
        folder = new("lab");
        foreach (var role in (string[])["tor", "host", "node1", "node2", "pod1", "pod2"])
        {
            stop.ThrowIfCancellationRequested();
            spaces[role] = await Netns.MakeAsync(role);
            spaces[role].Forward();
        }
        await spaces["tor"].IpAsync("link add br0 type bridge");
        await spaces["tor"].RaiseAsync("br0", "10.192.0.254/24", "fd00:192::254/64");
        await JoinAsync("tor", "host0", ["198.51.100.1/24", "fd00:198::1/64"], "host", "eth0", [HostIPv4 + "/24", HostIPv6 + "/64"]);
        await RouteAsync("host", "default via 198.51.100.1", "default via fd00:198::1");
        for (var node = 1; node <= 2; node++) await AddNodeAsync(node);
        stop.ThrowIfCancellationRequested();
        await StartAsync(folder, stop);
    }

    private async Task AddNodeAsync(int node)
    {
        await JoinAsync("tor", $"node{node}", [], $"node{node}", "eth0", [$"10.192.0.1{node}/24", $"fd00:192::1{node}/64"]);
        await spaces["tor"].IpAsync($"link set node{node} master br0");

        // As Calico's CNI plugin does it: the pod's way out is a link-local address that only its own veth has.
        await JoinAsync($"node{node}", "cali0", ["169.254.1.1/32", "fe80::1/64"],
            $"pod{node}", "eth0", [PodIPv4(node) + "/32", PodIPv6(node) + "/128"]);
        await spaces[$"pod{node}"].IpAsync("route add 169.254.1.1 dev eth0");
        await RouteAsync($"pod{node}", "default via 169.254.1.1 dev eth0", "default via fe80::1 dev eth0");
        await RouteAsync($"node{node}", $"{PodIPv4(node)}/32 dev cali0", $"{PodIPv6(node)}/128 dev cali0");
    }

    private Task JoinAsync(string a, string deviceA, string[] addressesA, string b, string deviceB, string[] addressesB) =>
        Netns.JoinAsync(spaces[a], deviceA, addressesA, spaces[b], deviceB, addressesB);

    private async Task RouteAsync(string role, string ipv4, string ipv6)
    {
        await spaces[role].IpAsync($"route add {ipv4}");
        await spaces[role].IpAsync($"-6 route add {ipv6}");
    }

    private async Task StartAsync(Scratch files, CancellationToken stop)
    {
        var views = new List<RouterView>();
        if (TorIsBird)
            views.Add(Start(files, "tor", "bird", Shell.Find("bird")!, "-f", "-c", files.Write("tor.conf", Configurations.TorBird),
                "-s", files.PathOf("tor.ctl"), "-P", files.PathOf("tor.pid")));
        else views.Add(Start(files, "tor", "bgpd", bgpd, "--config", files.Write("tor.yaml", Configurations.Tor(files.Path))));
        for (var node = 1; node <= 2; node++)
        {
            var config = files.Write($"node{node}.yaml", Configurations.Node(node, files.Path));
            views.Add(Start(files, $"node{node}", "bgpd", bgpd, "--config", config));
        }
        Routers = views;
        foreach (var view in views) await AnswersAsync(view, stop);
    }

    private RouterView Start(Scratch files, string role, string program, string path, params string[] arguments)
    {
        var daemon = Background.Start(spaces[role], files.PathOf(role + ".log"), null, path, arguments);
        daemons.Add(daemon);
        return new(role, program, files.PathOf(role + ".ctl"), spaces[role], daemon);
    }

    private static async Task AnswersAsync(RouterView view, CancellationToken stop)
    {
        var answers = false;
        await Until.WithinAsync(30, async () => (answers = (await view.AskAsync("show status"))
            .Any(line => line.EndsWith("up and running", StringComparison.Ordinal))) || !view.Daemon.Alive, stop);
        if (!answers) throw new MachineException($"{view.Name}'s {view.Program} does not answer. It said:\n{view.Daemon.Said}");
    }

    /// <summary>Daemons first, so that they can part in peace; then all that was made.</summary>
    /// <exception cref="MachineException">Something could not be removed. The rest was.</exception>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(daemons.Select(daemon => daemon.DisposeAsync().AsTask()));
        var left = new List<string>();
        foreach (var space in spaces.Values)
        {
            try { await space.RemoveAsync(); }
            catch (MachineException problem) { left.Add(problem.Message); }
        }
        folder?.Dispose();
        if (left.Count > 0) throw new MachineException(string.Join('\n', left));
    }
}
