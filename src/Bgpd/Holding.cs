using System.Net.Sockets;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// What one daemon alone may write: two that mark routes with one protocol number in one table take each other's for their own leftovers
/// and sweep them, and two that write one table of nftables repair it against each other for ever. The kernel knows them by number and name
/// alone, so who comes first holds a name of its own beside: an abstract Unix socket (unix(7)), which is of one network namespace, as
/// routes and tables are, and is gone with the process, however it ends.
/// </summary>
internal sealed class Holding : IDisposable
{
    /// <summary>SOL_SOCKET, SO_PEERCRED and struct ucred's size (socket(7), unix(7)).</summary>
    private const int SocketLevel = 1, PeerCredentials = 17, CredentialsSize = 12;

    /// <summary>Nobody takes in those who only ask who is there.</summary>
    private const int Askers = 4096;

    /// <summary>The table of nftables, in the words of a message to the operator.</summary>
    public const string NatTable = $"the nftables table inet {DataplaneLoop.Table}";

    private readonly Dictionary<string, Socket> held = [];

    /// <summary>Routes that bear our mark.</summary>
    public static string Routes(KernelConfig kernel) => $"routes with protocol {kernel.Protocol} in table {kernel.Table}";

    /// <summary>What is held already stays so.</summary>
    /// <param name="what">In the words of a message to the operator.</param>
    /// <exception cref="IOException">Another process holds it; the message names it.</exception>
    public void Hold(string what)
    {
        if (held.ContainsKey(what)) return;
        var socket = Make();
        try
        {
            socket.Bind(Name(what));
            socket.Listen(Askers);
            held.Add(what, socket);
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new IOException($"{what}: held by another bgpd in this network namespace, {Holder(what)}", taken);
        }
    }

    /// <summary>Others may have it.</summary>
    public void Release(string what)
    {
        if (held.Remove(what, out var socket)) socket.Dispose();
    }

    private static string Holder(string what)
    {
        using var asking = Make();
        try
        {
            asking.Blocking = false;
            asking.Connect(Name(what));
            var credentials = new byte[CredentialsSize];
            asking.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
            // 0 where it is none of our PID namespace.
            return BitConverter.ToInt32(credentials) is > 0 and var pid ? $"process {pid}" : "a process of another PID namespace";
        }
        catch (SocketException)
        {
            return "which does not say its process";
        }
    }

    private static Socket Make() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static UnixDomainSocketEndPoint Name(string what) => new($"\0calico-bgp {what}");

    public void Dispose()
    {
        foreach (var socket in held.Values) socket.Dispose();
    }
}
