using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Bgpd.Probing;

/// <summary>Asks the targets of one gateway's probes, each in its time, and says whether the gateway is well.</summary>
internal sealed class UpstreamProbes : IAsyncDisposable
{
    private readonly uint mark;
    private readonly TimeProvider time;
    private readonly Action changed;
    private readonly Lock guard = new();
    private readonly ProbeRecord record;
    private readonly CancellationTokenSource ending = new();
    private readonly List<Loop> asking = [];
    private readonly HttpClient http;

    /// <param name="of">Whose they are, for the loops' names.</param>
    /// <param name="mark">Of the packets; 0: none.</param>
    /// <param name="isBelieved">It is well until the contrary has shown.</param>
    /// <param name="changed">Somebody has answered, who may not have before. From any thread; must not block.</param>
    public UpstreamProbes(
        string of, IReadOnlyList<EgressProbe> probes, uint mark, bool isBelieved, Loops loops, TimeProvider time, Action changed)
    {
        (this.mark, this.time, this.changed) = (mark, time, changed);
        record = new(probes, time.GetUtcNow(), isBelieved);
        http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        foreach (var probe in probes)
            foreach (var target in probe.Targets)
                asking.Add(loops.Start("upstream probe", OnDefect.StartAgain, loop => AskAsync(loop, probe, target), of: $"{of} {target}",
                    patience: probe.Timeout + TimeSpan.FromSeconds(5), stop: ending.Token));
    }

    public ProbeVerdict Now
    {
        get
        {
            lock (guard) return record.At(time.GetUtcNow());
        }
    }

    private async Task AskAsync(Loop loop, EgressProbe probe, string target)
    {
        while (!ending.IsCancellationRequested)
        {
            loop.Rest();
            var answers = await AnswersAsync(probe, target).ConfigureAwait(false);
            loop.Beat();
            if (answers) Note(probe.Kind, target);
            loop.Rest();
            await Task.Delay(probe.Interval, time, ending.Token).ConfigureAwait(false);
        }
    }

    private void Note(EgressProbeKind kind, string target)
    {
        lock (guard) record.Answered(kind, target, time.GetUtcNow());
        changed();
    }

    private Task<bool> AnswersAsync(EgressProbe probe, string target) => probe.Kind == EgressProbeKind.Icmp
        ? EchoRequest.AskAsync(Address.Parse(target), mark, probe.Interval, ending.Token) : GetsAsync(target, probe.Timeout);

    /// <summary>As a kubelet judges: whatever is no error is an answer.</summary>
    private async Task<bool> GetsAsync(string url, TimeSpan patience)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        within.CancelAfter(patience);
        try
        {
            using var answer = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, within.Token).ConfigureAwait(false);
            return (int)answer.StatusCode is >= 200 and < 400;
        }
        catch (Exception silent) when (!ending.IsCancellationRequested && silent is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Marked.Set(socket, mark);
            await socket.ConnectAsync(context.DnsEndPoint, stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        foreach (var loop in asking) await loop.Ended.ConfigureAwait(false);
        http.Dispose();
        ending.Dispose();
    }
}
