using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>
/// One reader's view of the changes of the kinds that concern it. It never grows with a slow reader: what happens meanwhile is joined, and
/// the next reading is one step from the snapshot that the reader last saw to the newest. The first reading goes from nothing to all.
/// </summary>
public sealed class ResourceFeed : IDisposable
{
    private readonly Lock gate = new();
    private readonly Bell news = new();
    private readonly ResourceStore store;
    private readonly Concern concern;
    private readonly HashSet<ResourceId> touched = [];
    private ResourceSnapshot seen = ResourceSnapshot.Empty;
    private ResourceSnapshot newest = ResourceSnapshot.Empty;
    private Exception? failure;
    /// <summary>Something that this reader is concerned by has come since it last read.</summary>
    private bool isNews;

    internal ResourceFeed(ResourceStore store, Concern concern) => (this.store, this.concern) = (store, concern);

    /// <param name="anyway">There is something to tell whatever kinds have changed: the first state, other problems.</param>
    internal void Offer(ResourceSnapshot snapshot, IEnumerable<ResourceId> ids, bool anyway)
    {
        bool rings;
        lock (gate)
        {
            newest = snapshot;
            isNews |= anyway;
            foreach (var id in ids)
            {
                if ((id.Kind.Concerns & concern) == 0) continue;
                touched.Add(id);
                isNews = true;
            }
            rings = isNews;
        }
        if (rings) news.Ring();
    }

    internal void Fail(Exception cause)
    {
        lock (gate) failure = cause;
        news.Ring();
    }

    /// <summary>The step to the newest snapshot, as soon as there is one.</summary>
    /// <exception cref="SourcesFailedException">The sources have ended: no more will come.</exception>
    public async ValueTask<ResourceChanges> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await news.HeardAsync(cancellation).ConfigureAwait(false);
            if (Step() is { } changes) return changes;
            if (Failure is { } cause) throw new SourcesFailedException(cause);
        }
    }

    /// <summary>Who has read as far as this has read all that concerns him.</summary>
    public bool IsNewest(ResourceSnapshot read)
    {
        lock (gate) return !isNews && ReferenceEquals(seen, read);
    }

    private Exception? Failure
    {
        get
        {
            lock (gate) return failure;
        }
    }

    /// <summary>The same without waiting; null: nothing new.</summary>
    public ResourceChanges? TryRead() => Step();

    private ResourceChanges? Step()
    {
        ResourceSnapshot before, after;
        ResourceId[] ids;
        lock (gate)
        {
            if (!isNews) return null;
            isNews = false;
            (before, after, ids) = (seen, newest, [.. touched]);
            seen = newest;
            touched.Clear();
        }
        if (ReferenceEquals(before, after)) return null;
        return new(before, after, Differences(before, after, ids));
    }

    private static ImmutableArray<ResourceChange> Differences(ResourceSnapshot before, ResourceSnapshot after, ResourceId[] ids)
    {
        Array.Sort(ids);
        var changes = ImmutableArray.CreateBuilder<ResourceChange>(ids.Length);
        foreach (var id in ids)
        {
            var (old, now) = (before.Find(id), after.Find(id));
            if (!Equals(old, now)) changes.Add(new(id.Kind, id.Key, old, now));
        }
        return changes.ToImmutable();
    }

    public void Dispose() => store.Forget(this);
}
