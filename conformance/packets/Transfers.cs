using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Transfers that last: octets go and come back, one after the other, until somebody cuts the connection.</summary>
internal static class Transfers
{
    // tcp(7): the acknowledgement that is due goes out now, not up to 40 ms later. Late, it could fall between a table's end and its
    // return, leave under the pod's own address, and be answered with a reset, which no daemon could prevent.
    private const int TcpQuickAck = 12;

    public static void AcknowledgeNow(this Socket socket) =>
        socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpQuickAck, BitConverter.GetBytes(1));

    /// <summary>True when what was sent came back.</summary>
    public static async Task<bool> GoesOnAsync(this Socket socket, int seconds = 30)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await socket.SendAsync(new byte[100], patience.Token);
            for (var left = 100; left > 0;) left -= await socket.ReceiveAsync(new byte[left], patience.Token) is > 0 and var count
                ? count : throw new SocketException();
            socket.AcknowledgeNow();
            return true;
        }
        catch (Exception broken) when (broken is OperationCanceledException or SocketException)
        {
            return false;
        }
    }
}
