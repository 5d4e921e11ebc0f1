using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Calico.Bgp.Net;

/// <summary>A list that equals another one when its elements do, so that records made of lists can be compared (over a reload, over a
/// change of a resource).</summary>
[CollectionBuilder(typeof(ListOf), nameof(ListOf.Create))]
public readonly struct ListOf<T>(ImmutableArray<T> items) : IEquatable<ListOf<T>>, IEnumerable<T>
{
    private readonly ImmutableArray<T> items = items;

    public ReadOnlySpan<T> Items => items.IsDefault ? [] : items.AsSpan();
    public int Count => items.IsDefault ? 0 : items.Length;
    public T this[int index] => items[index];

    public bool Equals(ListOf<T> other) => Items.SequenceEqual(other.Items, comparer: null);
    public override bool Equals(object? obj) => obj is ListOf<T> other && Equals(other);
    public static bool operator ==(ListOf<T> a, ListOf<T> b) => a.Equals(b);
    public static bool operator !=(ListOf<T> a, ListOf<T> b) => !a.Equals(b);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in Items) hash.Add(item);
        return hash.ToHashCode();
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)(items.IsDefault ? [] : items)).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"[{string.Join(", ", this)}]";
}

public static class ListOf
{
    public static ListOf<T> Create<T>(ReadOnlySpan<T> items) => new([.. items]);
}
