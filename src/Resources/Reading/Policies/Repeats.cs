using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>
/// What is the same from object to object, kept once: pods of one deployment have the same labels, profiles and ports. It remembers the
/// last value for each of so many hashes and no more, so that it forgets, and never grows.
/// </summary>
internal static class Repeats
{
    private const int Kept = 4096;

    private static readonly string?[] Words = new string?[Kept];
    private static readonly Labels?[] Sets = new Labels?[Kept];
    private static readonly EgressWish?[] Wishes = new EgressWish?[Kept];
    private static readonly EgressMaintenance?[] Maintenances = new EgressMaintenance?[Kept];
    private static readonly Lists<string> Names = new();
    private static readonly Lists<NamedPort> PortLists = new();

    public static string Of(string word) => Same(Words, word);

    public static EgressWish Of(EgressWish wish) => Same(Wishes, wish);

    public static EgressMaintenance Of(EgressMaintenance one) => Same(Maintenances, one);

    /// <summary>The set as it was met before, or one whose own words were.</summary>
    public static Labels Of(Labels labels)
    {
        if (labels.Count == 0) return Labels.Empty;
        ref var kept = ref Sets[Place(labels.GetHashCode())];
        if (kept is { } known && known.Equals(labels)) return known;
        return kept = Labels.From(labels.Select(label => KeyValuePair.Create(Of(label.Key), Of(label.Value))));
    }

    public static ListOf<string> Of(ListOf<string> names) => Names.Same(names);

    public static ListOf<NamedPort> Of(ListOf<NamedPort> ports) => PortLists.Same(ports);

    private static int Place(int hash) => (hash ^ (hash >>> 16)) & (Kept - 1);

    private static T Same<T>(T?[] from, T value) where T : class, IEquatable<T>
    {
        ref var kept = ref from[Place(value.GetHashCode())];
        return kept is { } known && known.Equals(value) ? known : kept = value;
    }

    private sealed class Lists<T>
    {
        /// <summary>Boxed, so that several tasks may read and write a place at once.</summary>
        private readonly object?[] places = new object?[Kept];

        public ListOf<T> Same(ListOf<T> list)
        {
            if (list.Count == 0) return list;
            ref var kept = ref places[Place(list.GetHashCode())];
            if (kept is ListOf<T> known && known.Equals(list)) return known;
            kept = list;
            return list;
        }
    }
}
