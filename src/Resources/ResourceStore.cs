using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>
/// The objects of all sources, merged and judged. One owner applies what the sources say; readers take <see cref="Current"/>, or a
/// <see cref="ResourceFeed"/> each. What it holds follows from what the sources say now and, for an object that turned bad, from its last
/// good version. Nothing is published before every source has been read once.
/// </summary>
/// <param name="sources">How many sources there are; they are numbered from 0.</param>
public sealed class ResourceStore(int sources)
{
    private ResourceClaims claims = new();
    private bool isRestarted;
    /// <summary>Readers who came while sources were read for the first time, or other ones in their place: what those before them did
    /// not read may be what they are here for.</summary>
    private ImmutableHashSet<ResourceFeed> late = [];
    private int sources = sources;
    private readonly HashSet<int> inSync = [];
    private readonly HashSet<ResourceId> touched = [.. Kinds.All.SelectMany(kind => kind.BuiltIn).Select(one => one.Id)];
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<ResourceId, ResourcePlace> places = [];
    /// <summary>Of each source that has spoken, by its number.</summary>
    private volatile ImmutableDictionary<int, Spoken> spoken = ImmutableDictionary<int, Spoken>.Empty;
    private ImmutableArray<ResourceFeed> feeds = [];

    private sealed record Spoken(SourceState State, ImmutableSortedDictionary<string, int> Objects)
    {
        public static readonly Spoken Nothing = new(SourceState.Unread, ImmutableSortedDictionary<string, int>.Empty);
    }

    private volatile ResourceSnapshot current = ResourceSnapshot.Empty;

    /// <summary>Every source has named all that it has; until then <see cref="Current"/> is empty.</summary>
    public bool IsInSync { get; private set; } = sources == 0;

    public ResourceSnapshot Current => current;

    /// <summary>What a source has said of itself, and how much of objects.</summary>
    public SourceStatus Status(int source, string kind, string name)
    {
        var of = spoken.GetValueOrDefault(source, Spoken.Nothing);
        return new(kind, name, of.State, of.Objects);
    }

    /// <summary>
    /// Where an object that asks for peers is defined; null: no file defines it. No part of what is published: an object whose line has
    /// moved is the object that it was.
    /// </summary>
    public ResourcePlace? PlaceOf(ResourceId id) => places.GetValueOrDefault(id);

    /// <summary>The changes of the kinds that concern a reader. Dispose of it when the reader ends.</summary>
    public ResourceFeed Subscribe(Concern concern)
    {
        var feed = new ResourceFeed(this, concern);
        lock (gate)
        {
            feeds = feeds.Add(feed);
            if (IsInSync && !isRestarted) feed.Offer(current, current.Ids(), anyway: true);
            else late = late.Add(feed);
        }
        return feed;
    }

    /// <summary>
    /// Other sources take the place of all there were. What was published stays until each of the new ones is in sync; the step from the
    /// one to the other is a change like any other. Only the owner calls this.
    /// </summary>
    public void Restart(int count)
    {
        lock (gate) (sources, isRestarted) = (count, true);
        claims = new();
        places.Clear();
        inSync.Clear();
        spoken = spoken.Clear();
        touched.UnionWith(current.Ids());
    }

    /// <summary>No more will come: readers are told at their next reading.</summary>
    public void Fail(Exception cause)
    {
        lock (gate)
            foreach (var feed in feeds) feed.Fail(cause);
    }

    internal void Forget(ResourceFeed feed)
    {
        lock (gate) (feeds, late) = (feeds.Remove(feed), late.Remove(feed));
    }

    /// <summary>Told what the sources say now of an object that is tried (null: nothing), where that has changed. Called by the
    /// owner.</summary>
    public Action<ResourceId, Resource?>? Masked { get; set; }

    /// <summary>Takes what a source says now. Publishes one change, if anything is different for a reader. Only the owner calls
    /// this.</summary>
    public void Apply(SourceUpdate update)
    {
        // Of other sources in the place of those before the first words are no news of an object.
        var masked = inSync.Count == sources ? claims.Masked() : [];
        foreach (var content in update.Contents)
            foreach (var id in claims.Replace(content))
            {
                touched.Add(id with { Kind = id.Kind.Whole });
                Locate(id);
            }
        if (update.State.HasListed) inSync.Add(update.Source);
        var objects = update.Contents.IsEmpty
            ? spoken.GetValueOrDefault(update.Source, Spoken.Nothing).Objects : claims.Count(update.Source);
        spoken = spoken.SetItem(update.Source, new(update.State, objects));
        if (inSync.Count == sources) Publish();
        foreach (var (id, before) in masked)
            if (claims.Beneath(id) is var now && claims.IsTried(id) && !Equals(before, now)) Masked?.Invoke(id, now);
        update.Counts?.Invoke();
    }

    private void Locate(ResourceId id)
    {
        if (!id.Kind.IsExplained) return;
        if (claims.PlaceOf(id) is { } place) places[id] = place;
        else places.TryRemove(id, out _);
    }

    private void Publish()
    {
        var first = !IsInSync;
        var builder = new SnapshotBuilder(current);
        var changed = new List<ResourceId>();
        foreach (var id in touched)
        {
            var now = id.Kind.Effective(id.Key, claims.Winner);
            if (Equals(current.Find(id), now)) continue;
            builder.Put(id, now);
            changed.Add(id);
        }
        touched.Clear();
        var problemsChanged = claims.ProblemsChanged || isRestarted;
        if (!first && changed.Count == 0 && !problemsChanged) return;
        Publish(builder.Build(problemsChanged ? claims.Problems() : current.Problems), changed, first || problemsChanged);
    }

    private void Publish(ResourceSnapshot next, List<ResourceId> changed, bool anyway)
    {
        lock (gate)
        {
            current = next;
            (IsInSync, isRestarted) = (true, false);
            foreach (var feed in feeds)
                if (late.Contains(feed)) feed.Offer(next, next.Ids(), anyway: true);
                else feed.Offer(next, changed, anyway);
            late = [];
        }
    }
}
