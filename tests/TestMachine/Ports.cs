using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.TestMachine;

/// <summary>
/// Ports to listen on that have to be known before anybody listens. The kernel gives ports of ip_local_port_range (32768 and more) to
/// whoever names none, and a port that was free a moment ago may be the next caller's; below it nobody gets one by chance. Each process
/// begins elsewhere, and none is given twice in it.
/// </summary>
public static class Ports
{
    private const int First = 10_000, Count = 20_000, Apart = 977;

    private static uint last = (uint)Environment.ProcessId * Apart;

    /// <summary>One that is free at an address of this host.</summary>
    public static int Next(string address)
    {
        while (true)
        {
            var port = First + (int)(Interlocked.Increment(ref last) % Count);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Parse(address), port));
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse) { }
        }
    }
}
