using System.Globalization;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>What Maglev's table is like with so many backends and places, as cnat's <c>test cnat maglev</c> tries it: one backend after
/// the other goes, and comes back.</summary>
/// <param name="Least">Places of the backend that has the fewest.</param>
/// <param name="Most">Of the one that has the most.</param>
/// <param name="Moved">Of the places of the backends that stay, the share that another gets when one goes: on average, 0 to 1.</param>
/// <param name="MostMoved">At worst.</param>
/// <param name="Digest">Of the whole table: on every node the same.</param>
public sealed record MaglevTrial(int Least, int Most, double Moved, double MostMoved, string Digest)
{
    public const int SmallestSize = 251, LargestSize = 65_537;

    /// <summary>Whether a table may have so many places: a prime, so that each backend's order goes through all of them.</summary>
    public static bool IsSize(long size) => size is >= SmallestSize and <= LargestSize
        && Enumerable.Range(2, (int)Math.Sqrt(size) - 1).All(divisor => size % divisor != 0);

    /// <param name="tests">How many backends go, one at a time; more than there are begin again with the first.</param>
    /// <param name="size">A prime.</param>
    public static MaglevTrial Run(int tests, int backends, int size)
    {
        string[] names = [.. Enumerable.Range(0, backends).Select(i => string.Create(CultureInfo.InvariantCulture, $"backend {i}"))];
        int[] even = [.. Enumerable.Repeat(1, backends)];
        var whole = Maglev.Fill(names, even, size);
        var counts = whole.CountBy(one => one).ToDictionary();
        var moved = new List<double>();
        for (var test = 0; test < tests && backends > 1; test++)
        {
            var gone = test % backends;
            var rest = Maglev.Fill([.. names.Where((_, i) => i != gone)], even[1..], size);
            var stays = whole.Zip(rest).Where(place => place.First != gone).ToArray();
            moved.Add(stays.Count(place => place.First != (place.Second < gone ? place.Second : place.Second + 1)) / (double)stays.Length);
        }
        return new(
            Enumerable.Range(0, backends).Min(i => counts.GetValueOrDefault(i)), counts.Values.Max(), moved.DefaultIfEmpty().Average(),
            moved.DefaultIfEmpty().Max(), Maglev.Digest(whole.Select(i => names[i])));
    }
}
