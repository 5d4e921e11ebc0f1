using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// The kernel's table of connections, of which some can be cut. The kernel picks out those of a family that are translated, or those
/// that are not, and each that has to go is named by its own tuple and id: nothing is ever flushed.
/// </summary>
public sealed class ConnectionTable : IDisposable
{
    private const int NoEntry = 2, Attempts = 3;

    private readonly NetlinkSocket socket;
    private readonly NetlinkDump dump;

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no netlink socket.</exception>
    public ConnectionTable()
    {
        socket = new(0, 4 << 20, NetlinkProtocol.Netfilter);
        dump = new(socket);
    }

    /// <summary>Cuts those that <paramref name="which"/> picks.</summary>
    /// <returns>How many were cut, and the kernel's error where it refused; 0.</returns>
    public (int Cut, int Errno) Cut(IpFamily family, bool sourceTranslated, Predicate<Connection> which)
    {
        var names = new List<ConnectionName>();
        for (var attempt = 1; ; attempt++)
        {
            names.Clear();
            var end = dump.Read(ConnectionMessage.Dump(family, sourceTranslated), Take, out var refused);
            if (end == DumpEnd.Refused) return (0, refused);
            if (end == DumpEnd.Complete || attempt == Attempts) break;
        }
        return Remove(names);

        void Take(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (ConnectionMessage.TryRead(body, out var connection, out var name) && which(connection)) names.Add(name);
        }
    }

    private (int Cut, int Errno) Remove(List<ConnectionName> names)
    {
        var cut = 0;
        foreach (var name in names)
        {
            dump.Read(ConnectionMessage.Remove(name), static (in NetlinkHeader _, ReadOnlySpan<byte> _) => { }, out var errno);
            if (errno == 0) cut++;
            else if (errno != NoEntry) return (cut, errno); // gone by itself
        }
        return (cut, 0);
    }

    public void Dispose() => socket.Dispose();
}
