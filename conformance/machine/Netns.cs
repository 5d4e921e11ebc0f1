// Network namespaces of our own: made for one test, removed with it. Their names carry this process's id, so that runs beside each
// other do not meet, and so that what a killed run left behind can be told from what a live one still uses.
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Conformance.Machine;

internal sealed class Netns
{
    private const string Prefix = "cbgpcf";
    private static readonly Lazy<Task> Swept = new(SweepAsync);
    private static int count;

    public string Name { get; }

    private Netns(string name) => Name = name;

    public static async Task<Netns> MakeAsync(string role)
    {
        await Swept.Value;
        var made = new Netns($"{Prefix}-{Environment.ProcessId}-{Interlocked.Increment(ref count)}{role}");
        await Shell.DoAsync("ip", "netns", "add", made.Name);
        await made.IpAsync("link set lo up");
        await made.DoAsync("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
        return made;
    }

    /// <summary>A wire between two namespaces; each end is named and gets its addresses (with prefix lengths).</summary>
    public static async Task JoinAsync(Netns a, string deviceA, string[] addressesA, Netns b, string deviceB, string[] addressesB)
    {
        await Shell.DoAsync("ip", "link", "add", deviceA, "netns", a.Name, "type", "veth", "peer", "name", deviceB, "netns", b.Name);
        await a.RaiseAsync(deviceA, addressesA);
        await b.RaiseAsync(deviceB, addressesB);
    }

    private async Task RaiseAsync(string device, string[] addresses)
    {
        foreach (var address in addresses) await IpAsync($"addr add {address} dev {device}{(address.Contains(':') ? " nodad" : "")}");
        await IpAsync($"link set {device} up");
    }

    public Task<string> IpAsync(string words) => Shell.DoAsync("ip", ["-n", Name, .. words.Split(' ')]);

    public Task<string> DoAsync(string program, params string[] arguments) => Shell.DoAsync("ip", ["netns", "exec", Name, program, .. arguments]);

    public Task<Answer> RunAsync(string program, params string[] arguments) => Shell.RunAsync("ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>A socket that belongs to this namespace for its whole life, whoever uses it.</summary>
    public Socket Socket(AddressFamily family, SocketType type = SocketType.Stream, ProtocolType protocol = ProtocolType.Tcp)
    {
        Socket? made = null;
        Exception? failure = null;
        // setns moves one thread; a thread of its own ends with the move, and the pool's threads stay where they are.
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{Name}");
                if (setns(handle.DangerousGetHandle().ToInt32(), CLONE_NEWNET) != 0)
                    throw new InvalidOperationException($"setns {Name}: errno {Marshal.GetLastPInvokeError()}");
                made = new Socket(family, type, protocol);
                if (protocol == ProtocolType.Tcp) made.NoDelay = true;
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or SocketException)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return made ?? throw new InvalidOperationException($"no socket in {Name}", failure);
    }

    /// <summary>Ids of the processes that live here.</summary>
    public async Task<string[]> ProcessesAsync() =>
        (await Shell.RunAsync("ip", "netns", "pids", Name)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public async Task RemoveAsync()
    {
        if (await ProcessesAsync() is { Length: > 0 } left) await Shell.RunAsync("kill", ["-KILL", .. left]);
        await Shell.RunAsync("ip", "netns", "del", Name);
    }

    /// <summary>Removes what runs that are gone have left.</summary>
    private static async Task SweepAsync()
    {
        foreach (var folder in Directory.GetDirectories("/tmp", Prefix + "-*"))
            if (!Directory.Exists($"/proc/{Path.GetFileName(folder).Split('-')[1]}")) Directory.Delete(folder, true);
        if (!Directory.Exists("/run/netns")) return;
        foreach (var name in Directory.GetFiles("/run/netns", Prefix + "-*").Select(Path.GetFileName))
            if (!Directory.Exists($"/proc/{name!.Split('-')[1]}"))
                await new Netns(name).RemoveAsync();
    }
}
