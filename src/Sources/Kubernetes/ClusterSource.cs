using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// An API server: each kind that somebody here is concerned by is listed and watched by a task of its own, and this loop joins what they
/// say. Of Secrets those that BGPPeers of this node name are watched, each by itself. Everything has been named once each of them has.
/// </summary>
/// <param name="wanted">Kinds that concern nobody of these are not asked for.</param>
public sealed class ClusterSource(int source, KubernetesSettings settings, Concern wanted, TimeProvider time) : ISource
{
    /// <summary>What problems of objects call the place that they are from.</summary>
    internal const string Word = "kubernetes";

    private const int Waiting = 64;
    /// <summary>Objects that are told to the store at once.</summary>
    private const int MostAtOnce = 4096;

    private readonly Channel<SourceNews> news =
        Channel.CreateBounded<SourceNews>(new BoundedChannelOptions(Waiting) { SingleReader = true });
    private readonly Dictionary<Collection, Followed> followed = [];
    private readonly SecretNames secrets = new(settings);
    private readonly ImmutableArray<OriginContent>.Builder contents = ImmutableArray.CreateBuilder<OriginContent>();

    /// <param name="Ending">Ends it before the source does.</param>
    private sealed record Followed(CancellationTokenSource Ending, Task Task)
    {
        public CollectionState? State { get; set; }
        /// <summary>When nothing was newer than what it has said.</summary>
        public DateTimeOffset CurrentAt { get; set; }
    }

    private SourceState state = SourceState.Unread;
    /// <summary>Other Secrets than those that are followed, since that was last looked at.</summary>
    private bool mayWantOthers;

    public string Kind => Word;
    public string Name => settings.KubeConfig ?? "in-cluster";

    /// <summary>Kinds that concern one of these. Calico's own half of a node is not among them: in Kubernetes it lies in annotations of
    /// the other. Secrets are asked for by name.</summary>
    internal static IEnumerable<ResourceKind> Kinds(Concern wanted) => Resources.Kinds.All.Where(kind =>
        kind.IsFor(wanted) && kind is { IsMirrored: false, ChangesWithPods: false }
        && kind != Resources.Kinds.Node && kind != Resources.Kinds.Secret);

    /// <summary>Of Pods those of this node, where all that is asked of them is what ports of the node lead to them.</summary>
    internal static IEnumerable<Collection> Collections(Concern wanted, string node) => Kinds(wanted).Select(kind =>
        new Collection(kind) { OnNode = kind == Resources.Kinds.Pod && !kind.IsFor(wanted & ~Concern.Services) ? node : null });

    public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var server = new ApiServer(() => ClusterAccess.Read(settings), time, NoteServer);
        using var group = new CalicoGroup(server, settings.CalicoGroup, time);
        try
        {
            foreach (var of in Collections(wanted, settings.KubernetesNode ?? settings.Node)) Follow(of, server, group, ending.Token);
            while (await loop.NewsAsync(news.Reader, cancellation).ConfigureAwait(false))
            {
                while (contents.Count < MostAtOnce && news.Reader.TryRead(out var one)) mayWantOthers |= Handle(one);
                if (mayWantOthers && KnowsWhichSecrets) await FollowSecretsAsync(server, group, ending.Token).ConfigureAwait(false);
                await SayAsync(server, into, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            foreach (var one in followed.Values) await EndAsync(one).ConfigureAwait(false);
        }
    }

    /// <summary>All peers have been said, and which of them are this node's follows from its labels.</summary>
    private bool KnowsWhichSecrets => IsListed(Resources.Kinds.BgpPeer) && IsListed(Resources.Kinds.KubernetesNode);

    private bool IsListed(ResourceKind kind) => followed[new(kind)].State is { IsListed: true };

    /// <summary>Where there is no room the loop is at work, and looks at it anyway.</summary>
    private void NoteServer() => news.Writer.TryWrite(new ServerMoved());

    private void Follow(Collection of, ApiServer server, CalicoGroup group, CancellationToken stop)
    {
        var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var follower = new CollectionFollower(of, source, server, group, settings, time, news.Writer);
        followed[of] = new(ending, RunAsync(follower, ending.Token));
    }

    private async Task RunAsync(CollectionFollower follower, CancellationToken stop)
    {
        await Task.Yield();
        try { await follower.RunAsync(stop).ConfigureAwait(false); }
        catch (Exception) when (stop.IsCancellationRequested) { }
        catch (Exception defect) { await news.Writer.WriteAsync(new FollowerFailed(defect), stop).ConfigureAwait(false); }
    }

    private static async Task EndAsync(Followed one)
    {
        await one.Ending.CancelAsync().ConfigureAwait(false);
        await one.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        one.Ending.Dispose();
    }

    /// <summary>True where other Secrets may be wanted.</summary>
    private bool Handle(SourceNews one)
    {
        switch (one)
        {
            // What is followed no more has nothing to say any more.
            case CollectionSaid said when followed.ContainsKey(said.Of):
                contents.AddRange(said.Contents);
                return said.Contents.Aggregate(false, (any, content) => secrets.Note(said.Of, content) | any);

            case CollectionState now when followed.TryGetValue(now.Of, out var of):
                if (of.State?.Trouble != now.Trouble) contents.Add(Problem(now.Of.ToString(), now.Trouble));
                of.State = now;
                of.CurrentAt = time.GetUtcNow();
                return false;

            case CollectionCurrent current when followed.TryGetValue(current.Of, out var of):
                of.CurrentAt = current.At;
                return false;

            case FollowerFailed failed:
                ExceptionDispatchInfo.Throw(failed.Cause);
                return false;

            default:
                return false;
        }
    }

    private OriginContent Problem(string place, string? reason)
    {
        var origin = new ResourceOrigin(source, place);
        return reason == null ? OriginContent.Gone(origin) : new(origin, [], [new("", "", reason, Word, 0, ProblemSeverity.Warning)]);
    }

    private async ValueTask FollowSecretsAsync(ApiServer server, CalicoGroup group, CancellationToken stop)
    {
        mayWantOthers = false;
        var wanted = secrets.Wanted.Select(name => new Collection(Resources.Kinds.Secret, settings.Namespace, name)).ToHashSet();
        foreach (var of in wanted)
            if (!followed.ContainsKey(of)) Follow(of, server, group, stop);
        foreach (var of in followed.Keys.Where(of => of.Only != null && !wanted.Contains(of)).ToArray())
        {
            followed.Remove(of, out var one);
            await EndAsync(one!).ConfigureAwait(false);
            contents.Add(OriginContent.Gone(CollectionFollower.Origin(source, of.Kind, new(of.Namespace, of.Only!))));
            contents.Add(Problem(of.ToString(), null));
        }
    }

    private async ValueTask SayAsync(ApiServer server, ChannelWriter<SourceUpdate> into, CancellationToken stop)
    {
        var before = state;
        state = Now(server.Away);
        if (contents.Count == 0 && state == before) return;
        await into.WriteAsync(new(source, contents.DrainToImmutable(), state), stop).ConfigureAwait(false);
    }

    private SourceState Now(string? away)
    {
        var states = followed.Values.Select(one => one.State).ToArray();
        var hasListed = state.HasListed || states.All(one => one is { IsListed: true });
        var wrong = away ?? states.FirstOrDefault(one => one?.Problem != null)?.Problem;
        // As old as the kind that has been silent for longest: bookmarks come each minute.
        var current = followed.Values.Where(one => one.State != null).Select(one => one.CurrentAt);
        if (wrong == null) return hasListed ? state.Current(current.Min()) : state;
        var now = time.GetUtcNow();
        return state.InSyncSince == null && state.LastError?.Text == wrong && state.HasListed == hasListed
            ? state : state.Lost(now, wrong) with { HasListed = hasListed };
    }
}
