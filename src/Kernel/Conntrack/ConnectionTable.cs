using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// The kernel's table of connections, of which some can be cut. The kernel picks out those of a family that are translated, or those
/// that are not, and each that has to go is named by its own tuple and id: nothing is ever flushed. Asked by several threads it answers one
/// after the other. Whoever changes nf_tables keeps it: where a socket of netfilter's is closed, the kernel lets nobody change them until
/// each processor has come by (nft_rcv_nl_event), which takes as long as somebody's look through this table.
/// </summary>
public sealed partial class ConnectionTable : IDisposable
{
    private const int Attempts = 3;

    /// <summary>Removals in one send(): their answers must fit into the socket's buffer, with room to spare.</summary>
    private const int AtOnce = 256;

    private readonly Lock asking = new();
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

    /// <summary>Of those that go to where they were sent.</summary>
    /// <returns>How many were cut, and the kernel's error where it refused; 0.</returns>
    public (int Cut, int Errno) CutDirect(IpFamily family, Predicate<Connection> which) =>
        Cut(() => ConnectionMessage.DumpDirect(family), which);

    private (int Cut, int Errno) Cut(Func<NetlinkMessage> question, Predicate<Connection> which)
    {
        lock (asking)
        {
            var found = Read(question, which, out var errno);
            return errno != 0 ? (0, errno) : Remove([.. found.Select(one => one.Name)], isBarred: false);
        }
    }

    /// <summary>Those that <paramref name="which"/> picks.</summary>
    /// <param name="errno">The kernel's error where it refused; 0.</param>
    public IReadOnlyList<TrackedConnection> Read(IpFamily family, Predicate<Connection> which, out int errno) =>
        Read(() => ConnectionMessage.Dump(family), which, out errno);

    /// <summary>The same, with how they stand.</summary>
    /// <param name="errno">The kernel's error where it refused; 0.</param>
    public IReadOnlyList<TrackedConnection> ReadStanding(IpFamily family, Predicate<Connection> which, out int errno) =>
        Read(() => ConnectionMessage.Dump(family), which, out errno, withState: true);

    /// <summary>Of those whose destination is translated, with how they stand.</summary>
    /// <param name="errno">The kernel's error where it refused; 0.</param>
    public IReadOnlyList<TrackedConnection> ReadRedirected(IpFamily family, Predicate<Connection> which, out int errno) =>
        Read(() => ConnectionMessage.DumpRedirected(family), which, out errno, withState: true);

    /// <summary>Of those whose source is translated, likewise.</summary>
    /// <param name="errno">The kernel's error where it refused; 0.</param>
    public IReadOnlyList<TrackedConnection> ReadMasked(IpFamily family, Predicate<Connection> which, out int errno) =>
        Read(() => ConnectionMessage.Dump(family, sourceTranslated: true), which, out errno, withState: true);

    /// <summary>
    /// Each of those whose source is translated, with how it stands, until <paramref name="more"/> says no: none is kept. Of a table that
    /// changes meanwhile some may be missed. Behind it nothing else can be asked here.
    /// </summary>
    /// <returns>The kernel's error where it refused; 0.</returns>
    public int WalkMasked(IpFamily family, Func<TrackedConnection, bool> more)
    {
        var isEnough = false;
        dump.Read(ConnectionMessage.Dump(family, sourceTranslated: true), Tell, out var errno, () => isEnough);
        return errno;

        void Tell(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (!isEnough && ConnectionMessage.TryRead(body, out var connection, out var name))
                isEnough = !more(new(connection, name, ConnectionMessage.ReadState(body, name)));
        }
    }

    /// <summary>Cuts them.</summary>
    /// <param name="isBarred">What is still sent of those of TCP is not taken for the begin of others.</param>
    /// <returns>As the other's.</returns>
    public (int Cut, int Errno) Cut(IEnumerable<TrackedConnection> connections, bool isBarred = true) =>
        Remove([.. connections.Select(one => one.Name)], isBarred);

    /// <summary>
    /// Ends them: those of TCP stay, closed, with <paramref name="mark"/> in the bits of <paramref name="mask"/>, so that a rule can tell
    /// whoever still sends of them; all others are cut, and what is still sent of them begins another.
    /// </summary>
    /// <returns>As the others'.</returns>
    public (int Ended, int Errno) Close(IEnumerable<TrackedConnection> connections, uint mark, uint mask)
    {
        var ofTcp = connections.ToLookup(one => one.Name.IsTcp, one => one.Name);
        var (ended, errno) = (0, 0);
        lock (asking)
            foreach (var some in ofTcp[true].Chunk(AtOnce))
                if (errno == 0) ended += Send([.. some.Select(name => ConnectionMessage.Close(name, mark, mask))], ENOENT, ref errno);
        if (errno != 0) return (ended, errno);
        (var cut, errno) = Remove([.. ofTcp[false]], isBarred: false);
        return (ended + cut, errno);
    }

    private List<TrackedConnection> Read(
        Func<NetlinkMessage> question, Predicate<Connection> which, out int errno, bool withState = false)
    {
        var found = new List<TrackedConnection>();
        lock (asking)
            for (var attempt = 1; ; attempt++)
            {
                found.Clear();
                var end = dump.Read(question(), Keep, out errno);
                if (end == DumpEnd.Refused) return [];
                errno = 0;
                if (end == DumpEnd.Complete || attempt == Attempts) return found;
            }

        void Keep(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (ConnectionMessage.TryRead(body, out var connection, out var name) && which(connection))
                found.Add(new(connection, name, withState ? ConnectionMessage.ReadState(body, name) : null));
        }
    }

    private (int Cut, int Errno) Remove(List<ConnectionName> names, bool isBarred)
    {
        var (cut, errno) = (0, 0);
        lock (asking)
            foreach (var some in names.Chunk(AtOnce))
            {
                cut += Send([.. some.Select(ConnectionMessage.Remove)], ENOENT, ref errno);
                ConnectionName[] barred = [.. some.Where(name => isBarred && name.IsTcp)];
                // Somebody of the two may have spoken in between.
                for (var attempt = 0; attempt < Attempts && barred.Length > 0 && errno == 0; attempt++)
                {
                    if (attempt > 0) Send([.. barred.Select(ConnectionMessage.RemoveAny)], ENOENT, ref errno);
                    if (Send([.. barred.Select(ConnectionMessage.Bar)], EEXIST, ref errno) == barred.Length) break;
                }
                if (errno != 0) break;
            }
        return (cut, errno);
    }

    /// <param name="forgiven">An answer that says that it is so already.</param>
    /// <returns>How many the kernel has done.</returns>
    private int Send(NetlinkMessage[] messages, int forgiven, ref int errno)
    {
        var (done, worst) = (0, errno);
        Exchange(messages, (_, in header, body) =>
        {
            var refused = new NetlinkAnswer(header, body).Errno;
            if (refused == 0) done++;
            else if (refused != forgiven) worst = refused;
        });
        errno = worst;
        return done;
    }

    /// <summary>What the kernel has said to the message of that number.</summary>
    private delegate void Answered(int number, in NetlinkHeader header, ReadOnlySpan<byte> body);

    private void Exchange(NetlinkMessage[] messages, Answered answered)
    {
        var octets = new List<byte>();
        var first = socket.Sequences(messages.Length);
        for (var i = 0; i < messages.Length; i++)
        {
            octets.AddRange(messages[i].Numbered(first + (uint)i).Span);
            while (octets.Count % 4 != 0) octets.Add(0);
        }
        if (socket.Send(CollectionsMarshal.AsSpan(octets)) != SocketError.Success) return;
        for (var left = messages.Length; left > 0;)
        {
            var count = socket.Receive(answers, out var error);
            if (error != SocketError.Success) return;
            var read = new NetlinkReader(answers.AsSpan(0, count));
            while (read.Next(out var header, out var body))
            {
                if (header.Sequence - first >= messages.Length) continue;
                left--;
                answered((int)(header.Sequence - first), header, body);
            }
        }
    }

    public void Dispose() => socket.Dispose();
}
