// One network namespace of the lab, and what our own code does inside: neither ping nor sysctl need be on the machine.
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Lab;

internal static class Space
{
    public static string NameOf(string role) => $"{Leftovers.Prefix}{Environment.ProcessId}-{role}";

    /// <summary>Where <c>ip netns</c> keeps it.</summary>
    public static string PathOf(string name) => Path.Combine(Leftovers.Spaces, name);

    /// <summary>setns(2) moves one thread: one of its own, which ends with the work, while the pool's threads stay where they
    /// are.</summary>
    /// <exception cref="LabException">The namespace could not be entered, or the work failed inside.</exception>
    public static T Inside<T>(string name, Func<T> work)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter(name);
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
            throw new LabException($"In the namespace {name} something did not work: {failure.Message}");
        if (failure != null) ExceptionDispatchInfo.Throw(failure);
        return result!;
    }

    private static void Enter(string name)
    {
        using var handle = File.OpenHandle(PathOf(name));
        if (setns(handle.DangerousGetHandle().ToInt32(), CLONE_NEWNET) != 0)
            throw new IOException($"setns: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>sysctl -w: the kernel shows /proc/sys/net as it is in the namespace of the thread that looks.</summary>
    public static void Set(string name, params (string Key, string Value)[] settings) => Inside(name, () =>
    {
        foreach (var (key, value) in settings) File.WriteAllText(Path.Combine("/proc/sys", key), value);
        return true;
    });

    /// <summary>A socket that belongs to the namespace for its whole life, whoever uses it.</summary>
    public static Socket Socket(string name, AddressFamily family, SocketType type, ProtocolType protocol) =>
        Inside(name, () => new Socket(family, type, protocol));
}
