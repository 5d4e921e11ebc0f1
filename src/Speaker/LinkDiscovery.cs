using System.Net.Sockets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Looks for the neighbour of one link and is found by it (RFC 4861 section 6): advertises that we are a router there, asks whether anybody
/// else is until somebody has been found, and answers who asks. One link of one number: another of the same name gets another one.
/// </summary>
internal sealed class LinkDiscovery : IAsyncDisposable
{
    /// <summary>MAX_INITIAL_RTR_ADVERTISEMENTS.</summary>
    private const int HastyWords = 3;

    /// <summary>FRR's, for unnumbered peers: after a start of either side a neighbour is there in no more than that.</summary>
    private static readonly TimeSpan Hasty = TimeSpan.FromSeconds(1), Steady = TimeSpan.FromSeconds(10);

    /// <summary>Who asks more often is not answered (RFC 4861 section 6.2.6 limits what goes to all).</summary>
    private static readonly TimeSpan AnswerInterval = TimeSpan.FromMilliseconds(100), LineInterval = TimeSpan.FromMinutes(10);

    private readonly PeerLink of;
    private readonly Func<Link, IRouterSocket> open;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Action<Address> heard;
    private readonly CancellationTokenSource stopping = new();
    private readonly LineLimit refusals;
    private readonly Loop loop;
    private volatile bool isFound;
    private int words;
    private long answered;

    public LinkDiscovery(
        PeerLink of, Link link, Func<Link, IRouterSocket> open, Loops loops, TimeProvider time, ILogger log, Action<Address> heard)
    {
        (this.of, Link, this.open, this.time, this.log, this.heard) = (of, link, open, time, log, heard);
        refusals = new(LineInterval, time);
        answered = time.GetTimestamp() - time.TimestampFrequency;
        loop = loops.Start("neighbour discovery", OnDefect.StartAgain, RunAsync, of: of.Interface, stop: stopping.Token);
    }

    public Link Link { get; }
    public bool Advertises => of.Advertises;

    /// <summary>Nobody need be asked for any more.</summary>
    public void Found() => isFound = true;

    private async Task RunAsync(Loop loop)
    {
        var stop = stopping.Token;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var socket = open(Link);
                await TalkAsync(loop, socket, stop).ConfigureAwait(false);
            }
            catch (SocketException refused)
            {
                // The link has gone this moment, and the kernel's news of it are on their way; or we have no right to such a socket.
                if (refusals.Say(out _)) log.DiscoveryRefused(of.Each.Session.Name, of.Interface, refused.Message);
            }
            loop.Rest();
            await Task.Delay(Hasty, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TalkAsync(Loop loop, IRouterSocket socket, CancellationToken stop)
    {
        var (last, wait) = (time.GetTimestamp(), Speak(socket));
        var receiving = socket.ReceiveAsync(stop).AsTask();
        while (!stop.IsCancellationRequested)
        {
            loop.Rest();
            // Timers know whole milliseconds: what is left of one would be no wait at all, again and again until it has passed.
            if (Math.Ceiling((wait - time.GetElapsedTime(last)).TotalMilliseconds) is var left and > 0)
                await ((Task)receiving).WaitAsync(TimeSpan.FromMilliseconds(left), time, stop)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            loop.Beat();
            if (receiving.IsCompleted)
            {
                var (what, from) = await receiving.ConfigureAwait(false);
                Hear(socket, what, from);
                receiving = socket.ReceiveAsync(stop).AsTask();
            }
            else if (time.GetElapsedTime(last) >= wait) (last, wait) = (time.GetTimestamp(), Speak(socket));
        }
    }

    /// <returns>How long until the next time.</returns>
    private TimeSpan Speak(IRouterSocket socket)
    {
        try
        {
            if (of.Advertises) socket.Advertise();
            if (!isFound) socket.Solicit();
            words++;
        }
        catch (SocketException)
        {
            // Our own address there is being looked for a double of (RFC 4862 section 5.4), which takes a second.
            return Hasty;
        }
        return words <= HastyWords ? Hasty : Steady * (0.75 + Random.Shared.NextDouble() / 4);
    }

    private void Hear(IRouterSocket socket, RouterWord what, Address from)
    {
        if (what == RouterWord.Advertisement)
        {
            heard(from);
            return;
        }
        if (!of.Advertises || time.GetElapsedTime(answered) < AnswerInterval) return;
        answered = time.GetTimestamp();
        try
        {
            socket.Advertise(from.IsLinkLocal ? from : null);
        }
        catch (SocketException)
        {
            // He asks again, and all are told soon anyway.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await loop.Ended.ConfigureAwait(false);
        stopping.Dispose();
    }
}
