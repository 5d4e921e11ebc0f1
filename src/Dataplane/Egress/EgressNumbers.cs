using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// A number for each of some words, which it keeps while it is in use, and nobody else has. Where a number is written beside what tells of
/// its words (<see cref="TagOf"/>), it is the same again after a restart, whichever others there are and were.
/// </summary>
internal sealed class EgressNumbers
{
    /// <summary>Tags are below this.</summary>
    public const uint MostTags = 1 << 30;

    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, int> earlier = [];

    public IReadOnlyDictionary<string, int> All => numbers;

    /// <summary>Short enough for the kernel to keep, long enough that two of some thousands hardly ever have the same.</summary>
    public static uint TagOf(string words)
    {
        Span<byte> hash = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.UTF8.GetBytes(words), hash);
        return BitConverter.ToUInt32(hash) % MostTags;
    }

    /// <summary>What an earlier run has left.</summary>
    public void Adopt(IEnumerable<(uint Tag, int Number)> left)
    {
        foreach (var (tag, number) in left) earlier.TryAdd(tag, number);
    }

    /// <summary>
    /// Whoever is new gets a number that nobody had when it was asked: what packets are led by still says the old one's, until what is
    /// asked now is in force.
    /// </summary>
    /// <param name="most">They are from 1 to this.</param>
    /// <returns>Those that there was no number for.</returns>
    public IReadOnlySet<string> Keep(IEnumerable<string> words, int most)
    {
        var wanted = words.ToHashSet(StringComparer.Ordinal);
        var had = numbers.Values.Concat(earlier.Values).ToHashSet();
        foreach (var gone in numbers.Where(one => !wanted.Contains(one.Key) || one.Value > most).Select(one => one.Key).ToArray())
            numbers.Remove(gone);
        var taken = numbers.Values.ToHashSet();
        var added = wanted.Where(one => !numbers.ContainsKey(one)).Order(StringComparer.Ordinal).ToArray();
        foreach (var one in added)
            if (earlier.Remove(TagOf(one), out var number) && number <= most && taken.Add(number)) numbers[one] = number;
        had.UnionWith(taken);
        var without = new HashSet<string>(StringComparer.Ordinal);
        foreach (var one in added.Where(one => !numbers.ContainsKey(one)))
        {
            if (taken.Count >= most)
            {
                without.Add(one);
                continue;
            }
            var number = numbers[one] = Free(one, had.Count(other => other <= most) < most ? had : taken, most);
            had.Add(number);
            taken.Add(number);
        }
        if (most > 0) earlier.Clear();
        return without;
    }

    private static int Free(string words, HashSet<int> taken, int most)
    {
        var number = (int)(TagOf(words) % (uint)most);
        while (taken.Contains(number + 1)) number = (number + 1) % most;
        return number + 1;
    }
}
