// One network namespace, and what our own code does inside: neither ping nor sysctl need be on the machine.
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Machine;

/// <summary>A network namespace of our own: made, entered, removed.</summary>
public sealed class Netns : IAsyncDisposable, IDisposable
{
    private Netns(string name) => Name = name;

    /// <summary>By which <c>ip netns</c> knows it.</summary>
    public string Name { get; }

    /// <summary>Where <c>ip netns</c> keeps it.</summary>
    public static string PathOf(string name) => Path.Combine(Leftovers.Spaces, name);

    /// <summary>With its loopback up, and with addresses that are there at once: nobody else has them.</summary>
    /// <exception cref="MachineException">It could not be made.</exception>
    public static async Task<Netns> MakeAsync(string role)
    {
        await Leftovers.RemoveAsync();
        var made = new Netns(Leftovers.NewName(role));
        await Shell.DoAsync("ip", "netns", "add", made.Name);
        try
        {
            await made.IpAsync("link set lo up");
            made.Set("net/ipv6/conf/all/accept_dad=0", "net/ipv6/conf/default/accept_dad=0");
            return made;
        }
        catch
        {
            await made.RemoveAsync();
            throw;
        }
    }

    /// <inheritdoc cref="MakeAsync"/>
    public static Netns Make(string role) => Wait(() => MakeAsync(role));

    /// <summary>A wire between two namespaces; each end is named and gets its addresses (with prefix lengths).</summary>
    public static async Task JoinAsync(
        Netns a, string deviceA, IReadOnlyList<string> addressesA, Netns b, string deviceB, IReadOnlyList<string> addressesB)
    {
        await Shell.DoAsync("ip", "link", "add", deviceA, "netns", a.Name, "type", "veth", "peer", "name", deviceB, "netns", b.Name);
        await a.RaiseAsync(deviceA, addressesA);
        await b.RaiseAsync(deviceB, addressesB);
    }

    /// <summary>Addresses first, so that the device has them when it comes up.</summary>
    public async Task RaiseAsync(string device, params IReadOnlyList<string> addresses)
    {
        foreach (var address in addresses) await IpAsync($"addr add {address} dev {device}{(address.Contains(':') ? " nodad" : "")}");
        await IpAsync($"link set {device} up");
    }

    /// <summary>A bridge whose MAC address is its own. By default it is the lowest of its ports', and another one when that port leaves:
    /// neighbours go on sending to the old one, for as long as they take their entry for good.</summary>
    public Task<string> BridgeAsync(string device) => IpAsync($"link add {device} address 02:00:00:00:00:fe type bridge");

    public Task<string> IpAsync(string words) =>
        Shell.DoAsync("ip", ["-n", Name, .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

    public string Ip(string words) => Wait(() => IpAsync(words));

    public Task<string> DoAsync(string program, params string[] words) => Shell.DoAsync(this, null, program, words);

    public string Do(string program, params string[] words) => Wait(() => DoAsync(program, words));

    /// <summary>The same for a program that reads.</summary>
    public string Tell(string input, string program, params string[] words) => Wait(() => Shell.DoAsync(this, input, program, words));

    public Task<Answer> RunAsync(string program, params string[] words) => Shell.RunAsync(this, null, program, words);

    /// <summary>sysctl -w: the kernel shows /proc/sys/net as it is in the namespace of the thread that looks.</summary>
    /// <param name="settings">Such as <c>net/ipv4/ip_forward=1</c>.</param>
    public void Set(params string[] settings) => Inside(() =>
    {
        foreach (var setting in settings)
            File.WriteAllText(Path.Combine("/proc/sys", setting[..setting.IndexOf('=')]), setting[(setting.IndexOf('=') + 1)..]);
        return true;
    });

    public void Forward() => Set("net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1", "net/ipv4/conf/all/rp_filter=0",
        "net/ipv4/conf/default/rp_filter=0");

    /// <summary>A socket that belongs to this namespace for its whole life, whoever uses it.</summary>
    public Socket Socket(AddressFamily family, SocketType type = SocketType.Stream, ProtocolType protocol = ProtocolType.Tcp) =>
        Inside(() =>
    {
        var made = new Socket(family, type, protocol);
        if (protocol == ProtocolType.Tcp) made.NoDelay = true;
        return made;
    });

    /// <summary>Hears every packet of a protocol of IPv4, any of them.</summary>
    public Socket RawSocket(byte protocol) => Inside(() => RawSocket(AddressFamily.InterNetwork, protocol));

    /// <summary>A raw socket of any protocol, where the thread is: System.Net.Sockets makes them of a few alone.</summary>
    /// <exception cref="IOException">The kernel makes none.</exception>
    public static Socket RawSocket(AddressFamily family, int protocol)
    {
        var made = socket(family == AddressFamily.InterNetwork ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, protocol);
        if (made < 0) throw new IOException($"socket: {Marshal.GetLastPInvokeErrorMessage()}");
        return new(new SafeSocketHandle(made, ownsHandle: true));
    }

    /// <summary>setns(2) moves one thread: one of its own, which ends with the work, while the pool's threads stay where they
    /// are.</summary>
    /// <exception cref="MachineException">The namespace could not be entered, or the machine refused the work inside.</exception>
    public T Inside<T>(Func<T> work)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                result = work();
            }
            catch (Exception problem)
            {
                failure = problem; // told to the thread that waits: here it would end the process
            }
        });
        thread.Start();
        thread.Join();
        if (failure is IOException or UnauthorizedAccessException or SocketException)
            throw new MachineException($"In the namespace {Name} something did not work: {failure.Message}");
        if (failure != null) ExceptionDispatchInfo.Throw(failure);
        return result!;
    }

    private void Enter()
    {
        using var handle = File.OpenHandle(PathOf(Name));
        if (setns(handle.DangerousGetHandle().ToInt32(), CLONE_NEWNET) != 0)
            throw new IOException($"setns: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>To every process that lives here.</summary>
    public async Task SignalAsync(string name)
    {
        foreach (var process in await Leftovers.ProcessesAsync(Name)) Signals.Send(process, name);
    }

    /// <summary>With all that still runs inside.</summary>
    /// <exception cref="MachineException">It is still there.</exception>
    public Task RemoveAsync() => Leftovers.RemoveSpaceAsync(Name);

    public async ValueTask DisposeAsync() => await RemoveAsync();

    public void Dispose() => Wait(async () =>
    {
        await RemoveAsync();
        return true;
    });

    /// <summary>By a thread of the pool: a test's own synchronisation context may have no thread but the one that waits.</summary>
    private static T Wait<T>(Func<Task<T>> work) => Task.Run(work).GetAwaiter().GetResult();
}
