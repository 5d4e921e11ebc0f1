using System.Collections;
using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>All objects of one kind that count at one moment, whatever kind it is.</summary>
public abstract class ResourceTable
{
    private protected ResourceTable() { }

    public abstract int Count { get; }

    internal abstract IEnumerable<Resource> All { get; }

    internal abstract Resource? Find(ResourceKey key);

    /// <summary>The table after this one; what does not change is shared.</summary>
    internal abstract Builder Change();

    internal abstract class Builder
    {
        /// <param name="resource">Null: it is gone.</param>
        public abstract void Put(ResourceKey key, Resource? resource);

        public abstract ResourceTable Build();
    }
}

/// <summary>All objects of one kind that count at one moment, in the order of their keys. Persistent: a change copies a path, not the
/// whole.</summary>
public sealed class ResourceTable<T> : ResourceTable, IReadOnlyCollection<T> where T : Resource
{
    private readonly KindOf<T> kind;
    private readonly ImmutableSortedDictionary<ResourceKey, T> objects;
    /// <summary>The same under <see cref="KindOf{T}.Under"/>, each list sorted by key, none empty.</summary>
    private readonly ImmutableSortedDictionary<ResourceKey, ImmutableArray<T>> groups;

    internal ResourceTable(KindOf<T> kind)
        : this(kind, ImmutableSortedDictionary<ResourceKey, T>.Empty, ImmutableSortedDictionary<ResourceKey, ImmutableArray<T>>.Empty) { }

    private ResourceTable(
        KindOf<T> kind, ImmutableSortedDictionary<ResourceKey, T> objects,
        ImmutableSortedDictionary<ResourceKey, ImmutableArray<T>> groups) =>
        (this.kind, this.objects, this.groups) = (kind, objects, groups);

    public override int Count => objects.Count;

    /// <summary>Null: there is none.</summary>
    public T? this[ResourceKey key] => objects.GetValueOrDefault(key);

    /// <summary>The same for kinds without namespaces.</summary>
    public T? this[string name] => this[new ResourceKey(name)];

    public IEnumerable<ResourceKey> Keys => objects.Keys;

    /// <summary>Those that belong under this key, sorted by their own; an EndpointSlice under its Service.</summary>
    public ImmutableArray<T> Under(ResourceKey key) => groups.GetValueOrDefault(key, []);

    public IEnumerator<T> GetEnumerator() => objects.Values.GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal override IEnumerable<Resource> All => objects.Values;
    internal override Resource? Find(ResourceKey key) => this[key];
    internal override Builder Change() => new Changed(this);

    private sealed class Changed(ResourceTable<T> from) : Builder
    {
        private readonly KindOf<T> kind = from.kind;
        private readonly ImmutableSortedDictionary<ResourceKey, T>.Builder objects = from.objects.ToBuilder();
        private readonly ImmutableSortedDictionary<ResourceKey, ImmutableArray<T>>.Builder groups = from.groups.ToBuilder();

        public override void Put(ResourceKey key, Resource? resource)
        {
            if (kind.Under != null) Group(key, objects.GetValueOrDefault(key), (T?)resource, kind.Under);
            if (resource == null) objects.Remove(key);
            else objects[key] = (T)resource;
        }

        private void Group(ResourceKey key, T? before, T? after, Func<T, ResourceKey?> under)
        {
            var (left, joined) = (before == null ? null : under(before), after == null ? null : under(after));
            if (left is { } from && left != joined) Group(from, key, null);
            if (joined is { } to) Group(to, key, after);
        }

        private void Group(ResourceKey under, ResourceKey key, T? now)
        {
            var group = groups.GetValueOrDefault(under, []);
            var place = 0;
            while (place < group.Length && group[place].Key < key) place++;
            if (place < group.Length && group[place].Key == key) group = group.RemoveAt(place);
            if (now != null) group = group.Insert(place, now);
            if (group.IsEmpty) groups.Remove(under);
            else groups[under] = group;
        }

        public override ResourceTable Build() => new ResourceTable<T>(kind, objects.ToImmutable(), groups.ToImmutable());
    }
}
