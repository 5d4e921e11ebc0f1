using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// One collection, listed and then watched, for as long as it takes. Lists come as a watch's first events where the server offers that, and
/// else in pages; what a later list does not show any more is gone. Whatever goes wrong, what was said stays, and it is asked again.
/// </summary>
internal sealed class CollectionFollower(
    Collection of, int source, ApiServer server, CalicoGroup group, KubernetesSettings settings, TimeProvider time,
    ChannelWriter<SourceNews> into)
{
    private const int PageSize = 500;

    /// <summary>On a bookmark: from here on it is news (KEP-3157).</summary>
    private const string InitialEventsEnd = "k8s.io/initial-events-end";

    /// <summary>As client-go asks for them, so that a thousand watches do not end at once.</summary>
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromMinutes(5), LongestWatch = TimeSpan.FromMinutes(10);
    /// <summary>Between two pieces of a list, and of a watch beyond its end.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    /// <summary>A role that was just bound, or a server that just started, refuses what it will soon grant: for moments it does not know
    /// Calico's kinds (404), and then has not filled its cache of one (429).</summary>
    private static readonly TimeSpan BelieveRefusal = TimeSpan.FromSeconds(5);
    /// <summary>A kind that had objects and is not known any more: a server that just started may not know it yet.</summary>
    private static readonly TimeSpan BelieveAbsence = TimeSpan.FromSeconds(30);

    /// <summary>By the version that was last read.</summary>
    private readonly Dictionary<ResourceKey, ulong> known = [];
    private readonly ImmutableArray<OriginContent>.Builder said = ImmutableArray.CreateBuilder<OriginContent>();
    private readonly Pause pause = Pause.Long();
    /// <summary>While a list is read: what it has not shown yet of what is known.</summary>
    private HashSet<ResourceKey>? unseen;
    /// <summary>An object of the list could not be read: nobody knows which.</summary>
    private bool isTorn;
    /// <summary>A bookmark has come that was not passed on yet.</summary>
    private bool isMarked;
    private CollectionState told = new(of, false, null);
    private ApiName? name;
    /// <summary>From which the watch goes on; null: it is to be listed.</summary>
    private string? version;
    /// <summary>Nothing has come since the last failure.</summary>
    private bool isFruitless;
    /// <summary>The next list is not asked for in pages: the last one's next page could not be had any more.</summary>
    private bool isWhole;
    private long? refusedSince;

    public static ResourceOrigin Origin(int source, ResourceKind kind, ResourceKey key) => new(source, $"{kind.Word}/{key}");

    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            var wait = TimeSpan.Zero;
            try
            {
                await FollowAsync(stop).ConfigureAwait(false);
                if (isFruitless) wait = pause.Next();
            }
            catch (ApiRefusal refusal) { wait = await NoteAsync(refusal, stop).ConfigureAwait(false); }
            catch (ApiLost)
            {
                if (isFruitless) wait = pause.Next();
            }
            isFruitless = true;
            await Task.Delay(wait, time, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Until the watch ends.</summary>
    private async Task FollowAsync(CancellationToken stop)
    {
        // Its return is not ours: until the watch is open again, what was said is not known to be all.
        if (server.Away is { } away) await TellAsync(told with { Problem = away, MayPass = true }, stop).ConfigureAwait(false);
        if (version == null)
        {
            name = await group.NameAsync(of.Kind, stop).ConfigureAwait(false);
            unseen = [.. known.Keys];
            isTorn = false;
            if (!server.Streams) version = await ListAsync(stop).ConfigureAwait(false);
        }
        await WatchAsync(stop).ConfigureAwait(false);
    }

    /// <returns>The version to watch from.</returns>
    private async Task<string> ListAsync(CancellationToken stop)
    {
        for (var next = ""; ;)
        {
            var path = of.Path(name!) + (settings.CachedLists ? "resourceVersion=0&" : "")
                + (isWhole ? "" : string.Create(CultureInfo.InvariantCulture, $"limit={PageSize}&continue={Uri.EscapeDataString(next)}"));
            using var answer = await server.GetAsync(path, stop).ConfigureAwait(false);
            using var feed = await FeedAsync(answer, stop).ConfigureAwait(false);
            var list = new ListReader(feed);
            while (!list.IsWhole)
            {
                await FillAsync(feed, Silence, stop).ConfigureAwait(false);
                Read(feed, () => list.Read(Put));
                if (feed.IsEnded && !list.IsWhole) throw new ApiLost($"{of}: the list broke off");
                await SayAsync(stop).ConfigureAwait(false);
            }
            if (list.Continue.Length == 0 || isWhole)
            {
                await EndListAsync(stop).ConfigureAwait(false);
                return list.Version;
            }
            next = list.Continue;
        }
    }

    private async Task EndListAsync(CancellationToken stop)
    {
        if (!isTorn)
            foreach (var key in unseen!) Remove(key);
        (unseen, isWhole) = (null, false);
        await SayAsync(stop).ConfigureAwait(false);
        await FollowedAsync(stop).ConfigureAwait(false);
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        var length = ShortestWatch + (LongestWatch - ShortestWatch) * Random.Shared.NextDouble();
        var from = version != null ? $"resourceVersion={Uri.EscapeDataString(version)}"
            : $"sendInitialEvents=true&resourceVersionMatch=NotOlderThan{(settings.CachedLists ? "&resourceVersion=0" : "")}";
        var path = string.Create(CultureInfo.InvariantCulture,
            $"{of.Path(name!)}watch=1&allowWatchBookmarks=true&timeoutSeconds={length.TotalSeconds:0}&{from}");
        var began = time.GetTimestamp();
        using var answer = await server.GetAsync(path, stop).ConfigureAwait(false);
        if (version != null) await FollowedAsync(stop).ConfigureAwait(false);
        using var feed = await FeedAsync(answer, stop).ConfigureAwait(false);
        var watch = new WatchReader(feed);
        while (!feed.IsEnded)
        {
            var patience = version == null ? Silence : length + Silence - time.GetElapsedTime(began);
            await FillAsync(feed, patience, stop).ConfigureAwait(false);
            ApiRefusal? end = null;
            Read(feed, () => watch.Read((type, subject) => end ??= Take(type, subject)));
            await SayAsync(stop).ConfigureAwait(false);
            if (isMarked) await into.WriteAsync(new CollectionCurrent(of, time.GetUtcNow()), stop).ConfigureAwait(false);
            isMarked = false;
            if (end != null) throw end;
            if (unseen != null && version != null) await EndListAsync(stop).ConfigureAwait(false);
        }
    }

    /// <returns>How the watch ends by this event; null: it goes on.</returns>
    private ApiRefusal? Take(WatchEvent type, ReadOnlySpan<byte> subject)
    {
        if (type == WatchEvent.Error) return StatusObject.Refusal(subject);
        isFruitless = false;
        if (type is WatchEvent.Added or WatchEvent.Modified or WatchEvent.Deleted or WatchEvent.Bookmark)
            Take(type, Parse(subject));
        return null;
    }

    private void Take(WatchEvent type, ApiObject? item)
    {
        if (item == null) return;
        if (type == WatchEvent.Bookmark) isMarked = true;
        else if (type == WatchEvent.Deleted) Remove(item.Key);
        else Put(item);
        // Before the last of the first events no version stands for all that was there.
        var isStarted = version != null || (type == WatchEvent.Bookmark && item.Annotation(InitialEventsEnd) == "true");
        if (isStarted && item.Version.Length > 0) version = item.Version;
    }

    private void Put(ReadOnlySpan<byte> json)
    {
        isFruitless = false;
        if (Parse(json) is { } item) Put(item);
    }

    private ApiObject? Parse(ReadOnlySpan<byte> json)
    {
        var item = ApiObject.Parse(json, out var error);
        if (item != null) return item;
        isTorn = true;
        var problem = new ResourceProblem("", "", $"a {of.Kind} cannot be read: {error}", ClusterSource.Word, 0, ProblemSeverity.Error);
        said.Add(new(new(source, $"{of}, unreadable"), [], [problem]));
        return null;
    }

    private void Put(ApiObject item)
    {
        unseen?.Remove(item.Key);
        // 0 for versions that are no numbers: each is taken for another then.
        _ = ulong.TryParse(item.Version, NumberStyles.None, CultureInfo.InvariantCulture, out var now);
        if (now != 0 && known.TryGetValue(item.Key, out var before) && before == now) return;
        var reading = ResourceJson.Read(item, name!, ClusterSource.Word);
        var key = reading.Definitions is [var definition] ? definition.Id.Key : item.Key;
        known[key] = now;
        said.Add(new(Origin(source, of.Kind, key), reading.Definitions, reading.Problems));
    }

    private void Remove(ResourceKey key)
    {
        if (known.Remove(key)) said.Add(OriginContent.Gone(Origin(source, of.Kind, key)));
    }

    private async ValueTask SayAsync(CancellationToken stop)
    {
        if (said.Count > 0) await into.WriteAsync(new CollectionSaid(of, said.DrainToImmutable()), stop).ConfigureAwait(false);
    }

    /// <summary>It was listed in full, and nothing stands in the way of what comes.</summary>
    private ValueTask FollowedAsync(CancellationToken stop)
    {
        refusedSince = null;
        isFruitless = false;
        pause.Reset();
        return TellAsync(new(of, true, null), stop);
    }

    private async ValueTask TellAsync(CollectionState state, CancellationToken stop)
    {
        if (state == told) return;
        told = state;
        await into.WriteAsync(state, stop).ConfigureAwait(false);
    }

    /// <returns>How long to wait.</returns>
    private async ValueTask<TimeSpan> NoteAsync(ApiRefusal refusal, CancellationToken stop)
    {
        switch (refusal.Status)
        {
            case HttpStatusCode.Gone:
                // The page's, or the version's: either way nothing but a new list helps.
                isWhole = version == null && !server.Streams;
                version = null;
                return isFruitless ? pause.Next() : TimeSpan.Zero;

            case HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity when version == null && server.Streams:
                server.Streams = false;
                return TimeSpan.Zero;

            case HttpStatusCode.NotFound:
                version = null;
                await NoteAbsenceAsync(refusal, stop).ConfigureAwait(false);
                return pause.Next();

            case HttpStatusCode.Forbidden:
                await RefusedAsync(told.IsListed || IsDispensable(), refusal, stop).ConfigureAwait(false);
                return pause.Next();

            default:
                await RefusedAsync(told.IsListed, refusal, stop).ConfigureAwait(false);
                var next = pause.Next();
                return refusal.RetryAfter > next ? refusal.RetryAfter.Value : next;
        }
    }

    private ValueTask RefusedAsync(bool isListed, ApiRefusal refusal, CancellationToken stop) =>
        TellAsync(new(of, isListed, $"{of}: {refusal.Message}", MayPass: !Lasts(BelieveRefusal)), stop);

    /// <summary>The rest counts without it. Never without the nodes: who knows nothing of his own would take away what an earlier run has
    /// made of it.</summary>
    private bool IsDispensable() => Lasts(BelieveRefusal) && of.Kind != Kinds.KubernetesNode;

    /// <summary>No such kind: Calico's definitions are not installed yet, or its release has none of it.</summary>
    private async ValueTask NoteAbsenceAsync(ApiRefusal refusal, CancellationToken stop)
    {
        var lasts = Lasts(BelieveAbsence);
        if (known.Count > 0 && !lasts)
        {
            await RefusedAsync(told.IsListed, refusal, stop).ConfigureAwait(false);
            return;
        }
        foreach (var key in known.Keys.ToArray()) Remove(key);
        await SayAsync(stop).ConfigureAwait(false);
        await TellAsync(new(of, true, null), stop).ConfigureAwait(false);
    }

    private bool Lasts(TimeSpan span)
    {
        refusedSince ??= time.GetTimestamp();
        return time.GetElapsedTime(refusedSince.Value) >= span;
    }

    private async ValueTask<JsonFeed> FeedAsync(HttpResponseMessage answer, CancellationToken stop) =>
        new(await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false));

    private async ValueTask FillAsync(JsonFeed feed, TimeSpan patience, CancellationToken stop)
    {
        using var end = new CancellationTokenSource(patience > TimeSpan.Zero ? patience : TimeSpan.Zero, time);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(end.Token, stop);
        try { await feed.FillAsync(enough.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new ApiLost($"{of}: the server fell silent");
        }
        catch (Exception broken) when (ApiServer.IsBroken(broken)) { throw new ApiLost($"{of}: {ApiServer.Words(broken)}", broken); }
    }

    private void Read(JsonFeed feed, Action read)
    {
        try { read(); }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            throw new ApiLost($"{of}: {(feed.IsEnded ? "the answer broke off" : $"expected JSON: {wrong.Message}")}", wrong);
        }
    }
}
