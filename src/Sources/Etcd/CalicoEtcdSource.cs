// Calico's objects in etcd (DATASTORE_TYPE=etcdv3). All ranges are listed at one revision, in pages, and watched from the next on one
// stream; where a connection is lost, another is made, to the next endpoint, and the watches go on where they were. Only where etcd has
// compacted what lies between, or is not the etcd that it was (restored from a backup, another cluster at the same address), everything is
// listed again, and what is different is told. As long as etcd is away, what it said stays.

using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Etcdserverpb;
using Grpc.Core;
using Mvccpb;

namespace Calico.Bgp.Sources.Etcd;

/// <summary>Calico's objects in etcd, followed.</summary>
/// <param name="wanted">Kinds that concern nobody of these are not asked for.</param>
public sealed class CalicoEtcdSource(int source, EtcdSettings settings, Concern wanted, TimeProvider time) : ISource
{
    /// <summary>The first wait before another attempt, and the longest: with etcd back, what happened meanwhile counts soon.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100), LongestWait = TimeSpan.FromMilliseconds(1500);
    /// <summary>How often etcd is asked whether the watches have told everything.</summary>
    private static readonly TimeSpan Asking = TimeSpan.FromSeconds(5);
    private const int UnansweredLimit = 4;

    private readonly ImmutableArray<string> prefixes = EtcdLayout.Prefixes(wanted);

    private readonly EtcdMirror mirror = new(source, EtcdLayout.Prefixes(wanted).Length);
    /// <summary>A thousand nodes do not all begin with the same one.</summary>
    private int endpoint = Random.Shared.Next(settings.Endpoints.Count);
    private SourceState state = SourceState.Unread;
    private ulong cluster;
    private TimeSpan wait = FirstWait;

    public string Kind => "etcd";
    public string Name => string.Join(",", settings.Endpoints);

    public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        while (true)
        {
            loop.Rest();
            var at = settings.Endpoints[endpoint];
            try
            {
                await FollowAsync(at, loop, into, cancellation).ConfigureAwait(false);
            }
            catch (Exception lost) when (IsLoss(lost, cancellation))
            {
                state = state.Lost(time.GetUtcNow(), $"{at}: {Words(lost)}");
                await into.WriteAsync(new(source, [], state), cancellation).ConfigureAwait(false);
            }
            endpoint = (endpoint + 1) % settings.Endpoints.Count;
            loop.Rest();
            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, cancellation).ConfigureAwait(false);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    /// <summary>gRPC calls it cancelled, too, when an answer does not come in its time.</summary>
    private static bool IsLoss(Exception exception, CancellationToken cancellation) => exception is OperationCanceledException
        ? !cancellation.IsCancellationRequested
        : exception is RpcException or EtcdException or IOException or CryptographicException or HttpRequestException;

    /// <summary>The cause at the bottom says it: gRPC repeats all that lies above.</summary>
    private static string Words(Exception lost) => lost switch
    {
        RpcException { Status: var status } => status.DebugException?.GetBaseException().Message ?? status.Detail,
        OperationCanceledException => "no answer in time",
        _ => lost.Message,
    };

    /// <summary>Until the connection is lost.</summary>
    private async Task FollowAsync(string at, Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        using var server = new EtcdServer(settings, at, time);
        await server.LogInAsync(cancellation).ConfigureAwait(false);
        if (!await IsKnownAsync(server, cancellation).ConfigureAwait(false))
            await ListAsync(server, loop, into, cancellation).ConfigureAwait(false);
        while (true)
        {
            try
            {
                await WatchAsync(server, loop, into, cancellation).ConfigureAwait(false);
            }
            catch (EtcdCompactedException)
            {
                await ListAsync(server, loop, into, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Its history is the one that was told of, so that the watches can go on. One that has lost its disk has the same number as a cluster,
    /// and in time the same revisions.
    /// </summary>
    private async ValueTask<bool> IsKnownAsync(EtcdServer server, CancellationToken cancellation)
    {
        if (!mirror.IsFilled) return false;
        return mirror.Sign is not { } sign || await server.RemembersAsync(sign.Key, sign.Revision, cancellation).ConfigureAwait(false);
    }

    private async Task ListAsync(EtcdServer server, Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        loop.Rest();
        var (revision, all) = (0L, new List<KeyValue>());
        foreach (var prefix in prefixes)
            (cluster, revision) = await server.ListAsync(prefix, revision, all, cancellation).ConfigureAwait(false);
        loop.Beat();
        var contents = mirror.List(all, revision);
        await SayAsync(contents, into, cancellation).ConfigureAwait(false);
    }

    /// <summary>All that was said is all that there is now.</summary>
    private ValueTask SayAsync(ImmutableArray<OriginContent> contents, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        (state, wait) = (state.Current(time.GetUtcNow()), FirstWait);
        return into.WriteAsync(new(source, contents, state), cancellation);
    }

    private async Task WatchAsync(EtcdServer server, Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var stream = server.Watch(ending.Token);
        for (var range = 0; range < prefixes.Length; range++)
            await AskAsync(stream, EtcdServer.WatchFrom(prefixes[range], mirror.Next(range)), ending.Token).ConfigureAwait(false);
        using var timer = new PeriodicTimer(Asking, time);
        // etcd numbers the watches, and answers to their creation in the order in which it was asked.
        var ranges = new Dictionary<long, int>();
        var (unanswered, tick) = (0, timer.WaitForNextTickAsync(ending.Token).AsTask());
        try
        {
            await AskAsync(stream, new() { ProgressRequest = new() }, ending.Token).ConfigureAwait(false);
            var answer = stream.ResponseStream.MoveNext(ending.Token);
            while (true)
            {
                loop.Rest();
                if (await Task.WhenAny(answer, tick).ConfigureAwait(false) != answer)
                {
                    if (++unanswered > UnansweredLimit) throw new EtcdException($"no answer for {unanswered * Asking.TotalSeconds} s");
                    tick = timer.WaitForNextTickAsync(ending.Token).AsTask();
                    await AskAsync(stream, new() { ProgressRequest = new() }, ending.Token).ConfigureAwait(false);
                    continue;
                }
                if (!await answer.ConfigureAwait(false)) throw new EtcdException("the watch was ended");
                loop.Beat();
                unanswered = 0;
                await TakeUpAsync(stream.ResponseStream.Current, ranges, into, cancellation).ConfigureAwait(false);
                answer = stream.ResponseStream.MoveNext(ending.Token);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Of a stream that was ended, whoever writes to it hears in several ways, and why from none.</summary>
    private static async Task AskAsync(
        AsyncDuplexStreamingCall<WatchRequest, WatchResponse> stream, WatchRequest request, CancellationToken stop)
    {
        try
        {
            await stream.RequestStream.WriteAsync(request, stop).ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is InvalidOperationException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            throw new EtcdException("the connection was lost");
        }
    }

    private async ValueTask TakeUpAsync(
        WatchResponse answer, Dictionary<long, int> ranges, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        if (answer.CompactRevision != 0) throw new EtcdCompactedException($"compacted up to {answer.CompactRevision}");
        if (answer.Canceled) throw new EtcdException($"the watch was refused: {answer.CancelReason}");
        if (answer.Created) Create(answer, ranges);
        else if (answer.Events.Count > 0)
        {
            var contents = mirror.Apply(ranges[answer.WatchId], answer.Events, isWhole: !answer.Fragment);
            if (!contents.IsEmpty) await SayAsync(contents, into, cancellation).ConfigureAwait(false);
        }
        // The answer to whether there is more.
        else if (ranges.Count == prefixes.Length) await SayAsync([], into, cancellation).ConfigureAwait(false);
    }

    private void Create(WatchResponse answer, Dictionary<long, int> ranges)
    {
        if (answer.Header.ClusterId != cluster) throw new EtcdCompactedException("another cluster");
        // Of an etcd that was restored from a backup, or a member that lags behind; which of the two, a list shows.
        if (answer.Header.Revision < mirror.Newest) throw new EtcdCompactedException("an earlier revision than it had");
        ranges[answer.WatchId] = ranges.Count;
    }
}
