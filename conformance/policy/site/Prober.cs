using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>What became of a probe.</summary>
/// <param name="Token"></param>
/// <param name="Arrival">Null: it did not come out anywhere.</param>
/// <param name="IsAnswered">And its sender heard of it.</param>
/// <param name="IsRefused">Somebody said no; else nothing was said.</param>
internal sealed record Outcome(long Token, Arrival? Arrival, bool IsAnswered, bool IsRefused)
{
    public override string ToString() => Arrival == null ? IsRefused ? "was refused" : "did not arrive"
        : $"arrived at {Arrival.At} from {Arrival.Seen}{(IsAnswered ? "" : ", unanswered")}";
}

/// <summary>Sends probes, many at once, and waits until each was answered or its time is over.</summary>
/// <param name="arrivals"></param>
/// <param name="spaces">Where somebody lives.</param>
internal sealed class Prober(Arrivals arrivals, Func<Place, Netns> spaces)
{
    /// <summary>What is not dropped is here at once, on a machine that has nothing else to do.</summary>
    public static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    private static int ports;

    private static int NextPort((int First, int Last) among) =>
        among.First + (Interlocked.Increment(ref ports) % (among.Last - among.First + 1));

    public async Task<IReadOnlyList<Outcome>> RunAsync(IReadOnlyList<Probe> probes, TimeSpan patience)
    {
        var sockets = new (Socket Socket, int Port)[probes.Count];
        foreach (var group in Enumerable.Range(0, probes.Count).GroupBy(number => spaces(probes[number].From)))
            group.Key.Inside(() =>
            {
                foreach (var number in group) sockets[number] = Open(probes[number]);
                return true;
            });
        using var time = new CancellationTokenSource(patience);
        return await Task.WhenAll(probes.Select((probe, number) => RunAsync(probe, sockets[number], time.Token)));
    }

    private static (Socket Socket, int Port) Open(Probe probe)
    {
        var family = probe.Source.AddressFamily;
        var socket = probe.Protocol switch
        {
            Protocols.Tcp => new Socket(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
            Protocols.Udp => new Socket(family, SocketType.Dgram, ProtocolType.Udp),
            var other => Netns.RawSocket(family, other),
        };
        var port = NextPort(probe.SourcePorts);
        socket.Bind(new IPEndPoint(probe.Source, probe.Protocol is Protocols.Tcp or Protocols.Udp ? port : 0));
        return (socket, port);
    }

    private async Task<Outcome> RunAsync(Probe probe, (Socket Socket, int Port) from, CancellationToken time)
    {
        using var socket = from.Socket;
        var token = Ping.NewToken();
        try
        {
            await socket.ConnectAsync(new IPEndPoint(probe.To, probe.Protocol is Protocols.Tcp or Protocols.Udp ? probe.Port : 0), time);
            await socket.SendAsync(Octets(probe, from.Port, token), time);
            var (arrival, answer) = (arrivals.WaitAsync(token), AnswerAsync(probe, socket, token, time));
            await await Task.WhenAny(probe.IsAnswered ? answer : arrival, answer);
            // The kernel answers pings by itself, and may be faster than who listens.
            return new(token, await arrival.WaitAsync(time), probe.IsAnswered, false);
        }
        catch (OperationCanceledException)
        {
            return new(token, arrivals.Of(token), false, false);
        }
        catch (SocketException problem) when (problem.SocketErrorCode == SocketError.AccessDenied)
        {
            return new(token, null, false, false); // EPERM: dropped on this node's own way out, which sendto(2) is told
        }
        catch (SocketException)
        {
            await Task.WhenAny(arrivals.WaitAsync(token), Task.Delay(Moment, CancellationToken.None));
            return new(token, arrivals.Of(token), false, true);
        }
    }

    private static async Task AnswerAsync(Probe probe, Socket socket, long token, CancellationToken time)
    {
        var answer = new byte[512];
        while (!IsAnswer(probe, answer.AsSpan(0, await socket.ReceiveAsync(answer, time)), token)) { }
    }

    private static byte[] Octets(Probe probe, int port, long token) => probe.Protocol switch
    {
        Protocols.Tcp or Protocols.Udp => Wire.Token(token),
        Protocols.Sctp => Wire.SctpInit(port, probe.Port, token),
        Protocols.UdpLite => Wire.UdpLite(probe.Source, probe.To, port, probe.Port, token),
        Protocols.IcmpV6 => Wire.Icmp(probe.Icmp?.Type ?? 128, probe.Icmp?.Code ?? 0, token),
        _ => Wire.Icmp(probe.Icmp?.Type ?? 8, probe.Icmp?.Code ?? 0, token),
    };

    /// <summary>A raw socket hears what is said to others, too, and to one's own address even what was asked.</summary>
    private static bool IsAnswer(Probe probe, ReadOnlySpan<byte> octets, long token)
    {
        if (octets.IsEmpty) throw new SocketException((int)SocketError.ConnectionReset);
        if (Wire.TokenOf(octets) != token) return false;
        return probe.Protocol is not (Protocols.Icmp or Protocols.IcmpV6) || octets[^(8 + Wire.TokenOctets)] is 0 or 129;
    }
}
