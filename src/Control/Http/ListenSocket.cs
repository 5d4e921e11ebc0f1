// Sockets that Kestrel listens on. A Unix socket's file outlives a killed daemon, so a file in the way is tried first: if somebody
// answers, it is theirs; if nobody does, and it is a socket at all, it is removed. The mode is set between bind and listen, when
// nobody can connect yet.

using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Calico.Bgp.Control.Http;

internal static class ListenSocket
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <exception cref="IOException">It cannot be had; the message names the endpoint and says what to do.</exception>
    public static Socket Bind(EndPoint endPoint)
    {
        try
        {
            return endPoint is UnixDomainSocketEndPoint unix
                ? BindUnix(unix)
                : SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        }
        catch (SocketException refused)
        {
            throw Taken(endPoint, $"{refused.Message}; {Advice(refused.SocketErrorCode, endPoint)}", refused);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw Taken(endPoint, Failures.WordsOf(refused), refused);
        }
    }

    private static Socket BindUnix(UnixDomainSocketEndPoint endPoint)
    {
        var path = endPoint.ToString();
        if (Path.GetDirectoryName(path) is { } folder) Directory.CreateDirectory(folder);
        if (File.Exists(path)) MakeRoom(path, endPoint);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            if (OperatingSystem.IsLinux()) File.SetUnixFileMode(path, OwnerAndGroup);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void MakeRoom(string path, UnixDomainSocketEndPoint endPoint)
    {
        if (!IsSocket(path)) throw Taken(endPoint, "expected a free path or an old socket, got another kind of file; remove it");
        if (SomebodyAnswers(endPoint)) throw Taken(endPoint, "another process answers there; stop it or choose another path");
        File.Delete(path);
    }

    // open(2) of a socket fails with ENXIO, and of everything else it does not.
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static bool SomebodyAnswers(UnixDomainSocketEndPoint endPoint)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static IOException Taken(EndPoint endPoint, string why, Exception? cause = null) =>
        new($"control.http {HttpEndpoint.Describe(endPoint)}: {why}", cause);

    private static string Advice(SocketError error, EndPoint endPoint) => (error, endPoint) switch
    {
        (SocketError.AddressAlreadyInUse, IPEndPoint ip) =>
            $"`ss -ltnp 'sport = :{ip.Port}'` shows who has the port: stop it or choose another in control.http",
        (SocketError.AddressNotAvailable, _) => "expected an address of this host",
        (SocketError.AccessDenied, IPEndPoint) => "ports below 1024 need CAP_NET_BIND_SERVICE",
        (SocketError.AccessDenied, _) => "the folder must be writable for the daemon",
        _ => "choose another in control.http",
    };
}
