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
using System.Diagnostics;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Lab;

internal sealed class Topology(string bgpd, bool withBird)
{
    private readonly List<string> spaces = [];
    private readonly List<Process> daemons = [];
    private readonly string folder = Leftovers.FolderOf(Environment.ProcessId);

    public const string HostIPv4 = "198.51.100.10", HostIPv6 = "fd00:198::10";

    /// <summary>Routers with a birdc socket each: two of our daemons, and the ToR.</summary>
    public IReadOnlyList<RouterView> Routers { get; private set; } = [];
    public bool TorIsBird { get; } = withBird && Requirements.Find("bird") != null;

    public static string PodIPv4(int node) => $"10.244.{node}.2";
    public static string PodIPv6(int node) => $"fd00:244:{node}::2";

    public async Task BuildAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        foreach (var role in (string[])["tor", "host", "node1", "node2", "pod1", "pod2"])
        {
            stop.ThrowIfCancellationRequested();
            await AddSpaceAsync(role);
        }
        await Run.IpAsync(Space.NameOf("tor"), "link add br0 type bridge");
        await AddressAsync("tor", "br0", "10.192.0.254/24", "fd00:192::254/64");
        await JoinAsync("tor", "host0", "host", "eth0");
        await AddressAsync("tor", "host0", "198.51.100.1/24", "fd00:198::1/64");
        await AddressAsync("host", "eth0", HostIPv4 + "/24", HostIPv6 + "/64");
        await RouteAsync("host", "default via 198.51.100.1", "default via fd00:198::1");
        for (var node = 1; node <= 2; node++) await AddNodeAsync(node);
        stop.ThrowIfCancellationRequested();
        await StartAsync(stop);
    }

    private async Task AddSpaceAsync(string role)
    {
        var name = Space.NameOf(role);
        spaces.Add(name);
        await Run.IpAsync(null, $"netns add {name}");
        await Run.IpAsync(name, "link set lo up");
        Space.Set(name, ("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1"), ("net/ipv6/conf/all/accept_dad", "0"),
            ("net/ipv6/conf/default/accept_dad", "0"));
    }

    private async Task AddNodeAsync(int node)
    {
        await JoinAsync("tor", $"node{node}", $"node{node}", "eth0");
        await Run.IpAsync(Space.NameOf("tor"), $"link set node{node} master br0 up");
        await AddressAsync($"node{node}", "eth0", $"10.192.0.1{node}/24", $"fd00:192::1{node}/64");

        // As Calico's CNI plugin does it: the pod's way out is a link-local address that only its own veth has.
        await JoinAsync($"node{node}", "cali0", $"pod{node}", "eth0");
        await AddressAsync($"node{node}", "cali0", "169.254.1.1/32", "fe80::1/64");
        await AddressAsync($"pod{node}", "eth0", PodIPv4(node) + "/32", PodIPv6(node) + "/128");
        await Run.IpAsync(Space.NameOf($"pod{node}"), "route add 169.254.1.1 dev eth0");
        await RouteAsync($"pod{node}", "default via 169.254.1.1 dev eth0", "default via fe80::1 dev eth0");
        await RouteAsync($"node{node}", $"{PodIPv4(node)}/32 dev cali0", $"{PodIPv6(node)}/128 dev cali0");
    }

    private static Task JoinAsync(string a, string deviceA, string b, string deviceB) =>
        Run.IpAsync(null, $"link add {deviceA} netns {Space.NameOf(a)} type veth peer name {deviceB} netns {Space.NameOf(b)}");

    private static async Task AddressAsync(string role, string device, string ipv4, string ipv6)
    {
        await Run.IpAsync(Space.NameOf(role), $"addr add {ipv4} dev {device}");
        await Run.IpAsync(Space.NameOf(role), $"addr add {ipv6} dev {device} nodad");
        await Run.IpAsync(Space.NameOf(role), $"link set {device} up");
    }

    private static async Task RouteAsync(string role, string ipv4, string ipv6)
    {
        await Run.IpAsync(Space.NameOf(role), $"route add {ipv4}");
        await Run.IpAsync(Space.NameOf(role), $"-6 route add {ipv6}");
    }

    private async Task StartAsync(CancellationToken stop)
    {
        var views = new List<RouterView>();
        if (TorIsBird)
            views.Add(Start("tor", "bird", Requirements.Find("bird")!, "-f", "-c", Write("tor.conf", Configurations.TorBird),
                "-s", Socket("tor"), "-P", Path.Combine(folder, "tor.pid")));
        else views.Add(Start("tor", "bgpd", bgpd, "--config", Write("tor.yaml", Configurations.Tor(folder))));
        for (var node = 1; node <= 2; node++)
            views.Add(Start($"node{node}", "bgpd", bgpd, "--config", Write($"node{node}.yaml", Configurations.Node(node, folder))));
        Routers = views;
        foreach (var view in views) await AnswersAsync(view, stop);
    }

    private RouterView Start(string role, string program, string path, params string[] arguments)
    {
        var daemon = Run.Start(Space.NameOf(role), path, arguments);
        daemon.OutputDataReceived += (_, line) => Log(role, line.Data);
        daemon.ErrorDataReceived += (_, line) => Log(role, line.Data);
        daemon.BeginOutputReadLine();
        daemon.BeginErrorReadLine();
        daemons.Add(daemon);
        return new(role, program, Socket(role), Space.NameOf(role), daemon);
    }

    private void Log(string role, string? line)
    {
        if (line == null) return;
        lock (daemons) File.AppendAllText(LogOf(role), line + "\n");
    }

    private string LogOf(string role) => Path.Combine(folder, role + ".log");

    private async Task AnswersAsync(RouterView view, CancellationToken stop)
    {
        for (var i = 0; i < 300; i++)
        {
            if ((await view.AskAsync("show status")).Any(line => line.EndsWith("up and running", StringComparison.Ordinal))) return;
            if (view.Process.HasExited) break;
            await Task.Delay(100, stop);
        }
        throw new LabException($"{view.Name}'s {view.Program} does not answer. It said:\n{Said(view.Name)}");
    }

    public string Said(string role) => File.Exists(LogOf(role)) ? string.Join('\n', File.ReadLines(LogOf(role)).TakeLast(15)) : "(nothing)";

    private string Socket(string role) => Path.Combine(folder, role + ".ctl");

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Daemons first, by their process ids, so that they can part in peace; then all that was made.</summary>
    /// <exception cref="LabException">Something could not be removed. The rest was.</exception>
    public async Task RemoveAsync()
    {
        foreach (var daemon in daemons.Where(daemon => !daemon.HasExited)) Libc.Signal(daemon.Id, SIGTERM);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(6));
        foreach (var daemon in daemons)
        {
            try { await daemon.WaitForExitAsync(patience.Token); }
            catch (OperationCanceledException) { daemon.Kill(); }
            daemon.Dispose();
        }
        var left = new List<string>();
        foreach (var space in spaces)
        {
            try { await Leftovers.RemoveSpaceAsync(space); }
            catch (LabException problem) { left.Add(problem.Message); }
        }
        if (Directory.Exists(folder)) Directory.Delete(folder, true);
        if (left.Count > 0) throw new LabException(string.Join('\n', left));
    }
}
