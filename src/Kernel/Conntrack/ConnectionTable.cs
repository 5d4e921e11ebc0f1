using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// The kernel's table of connections, of which some can be cut. The kernel picks out those of a family that are translated, or those
/// that are not, and each that has to go is named by its own tuple and id: nothing is ever flushed.
/// </summary>
public sealed class ConnectionTable : IDisposable
{
    private const int Attempts = 3;

    /// <summary>Removals in one send(): their answers must fit into the socket's buffer, with room to spare.</summary>
    private const int AtOnce = 256;

    private readonly NetlinkSocket socket;
    private readonly NetlinkDump dump;
    private readonly byte[] answers = new byte[1 << 16];

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no netlink socket.</exception>
    public ConnectionTable()
    {
        socket = new(0, 4 << 20, NetlinkProtocol.Netfilter);
        dump = new(socket);
    }

    /// <summary>Cuts those that <paramref name="which"/> picks.</summary>
    /// <returns>How many were cut, and the kernel's error where it refused; 0.</returns>
    public (int Cut, int Errno) Cut(IpFamily family, bool sourceTranslated, Predicate<Connection> which) =>
        Cut(() => ConnectionMessage.Dump(family, sourceTranslated), which);

    /// <summary>Of those whose destination is translated.</summary>
    /// <returns>How many were cut, and the kernel's error where it refused; 0.</returns>
    public (int Cut, int Errno) CutRedirected(IpFamily family, Predicate<Connection> which) =>
        Cut(() => ConnectionMessage.DumpRedirected(family), which);

    private (int Cut, int Errno) Cut(Func<NetlinkMessage> question, Predicate<Connection> which)
    {
        var names = new List<ConnectionName>();
        for (var attempt = 1; ; attempt++)
        {
            names.Clear();
            var end = dump.Read(question(), Keep, out var refused);
            if (end == DumpEnd.Refused) return (0, refused);
            if (end == DumpEnd.Complete || attempt == Attempts) break;
        }
        return Remove(names);

        void Keep(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (ConnectionMessage.TryRead(body, out var connection, out var name) && which(connection)) names.Add(name);
        }
    }

    private (int Cut, int Errno) Remove(List<ConnectionName> names)
    {
        var (cut, errno) = (0, 0);
        foreach (var some in names.Chunk(AtOnce))
        {
            cut += Remove(some, ref errno);
            if (errno != 0) break;
        }
        return (cut, errno);
    }

    /// <returns>How many were cut; those that had gone by themselves are not among them.</returns>
    private int Remove(ConnectionName[] names, ref int errno)
    {
        var octets = new List<byte>();
        var first = socket.Sequences(names.Length);
        for (var i = 0; i < names.Length; i++)
        {
            octets.AddRange(ConnectionMessage.Remove(names[i]).Numbered(first + (uint)i).Span);
            while (octets.Count % 4 != 0) octets.Add(0);
        }
        if (socket.Send(CollectionsMarshal.AsSpan(octets)) != SocketError.Success) return 0;
        var cut = 0;
        for (var left = names.Length; left > 0;)
        {
            var count = socket.Receive(answers, out var error);
            if (error != SocketError.Success) break;
            var messages = new NetlinkReader(answers.AsSpan(0, count));
            while (messages.Next(out var header, out var body))
            {
                if (header.Sequence - first >= names.Length) continue;
                left--;
                var refused = new NetlinkAnswer(header, body).Errno;
                if (refused == 0) cut++;
                else if (refused != ENOENT) errno = refused;
            }
        }
        return cut;
    }

    public void Dispose() => socket.Dispose();
}
