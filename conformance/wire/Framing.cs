using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Wire;

/// <summary>Whole messages off a socket, by the length in their header.</summary>
internal static class Framing
{
    /// <summary>Null at the connection's end.</summary>
    public static async Task<byte[]?> ReadMessageAsync(Socket socket, CancellationToken stop = default)
    {
        var header = new byte[19];
        if (!await FillAsync(socket, header, stop)) return null;
        var message = new byte[Math.Max(header[16] << 8 | header[17], 19)];
        header.CopyTo(message, 0);
        return await FillAsync(socket, message.AsMemory(19), stop) ? message : null;
    }

    private static async Task<bool> FillAsync(Socket socket, Memory<byte> into, CancellationToken stop)
    {
        try
        {
            while (into.Length > 0)
            {
                var count = await socket.ReceiveAsync(into, SocketFlags.None, stop);
                if (count == 0) return false;
                into = into[count..];
            }
            return true;
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
    }

    public static async Task<bool> SendAsync(Socket socket, ReadOnlyMemory<byte> octets)
    {
        try
        {
            while (octets.Length > 0) octets = octets[await socket.SendAsync(octets, SocketFlags.None)..];
            return true;
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
