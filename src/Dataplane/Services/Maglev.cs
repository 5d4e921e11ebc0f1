using System.Buffers.Binary;
using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Maglev's table (Eisenbud and others, NSDI 2016, 3.4): each backend has an order of its own in which it wants the places, and they take
/// turns. Of a backend that comes or goes the others' places stay nearly all; the same backends give the same table on every node.
/// </summary>
internal static class Maglev
{
    /// <param name="names">What tells the backends apart, each once.</param>
    /// <param name="weights">Their shares: the heaviest takes a place at each turn, and one of half its weight at every second, so that
    /// nobody loses his places to others' long turns.</param>
    /// <param name="size">A prime, so that each order goes through all places.</param>
    /// <returns>Whose each place is; none where there are no backends.</returns>
    public static int[] Fill(IReadOnlyList<string> names, IReadOnlyList<int> weights, int size)
    {
        if (names.Count == 0) return [];
        var order = Enumerable.Range(0, names.Count).OrderBy(i => names[i], StringComparer.Ordinal).ToArray();
        var next = names.Select(name => Order(name, size)).ToArray();
        var places = new int[size];
        Array.Fill(places, -1);
        var (taken, heaviest) = (new long[names.Count], (long)weights.Max());
        for (var (filled, turn) = (0, 1L); ; turn++)
            foreach (var i in order)
            {
                if (turn * weights[i] < (taken[i] + 1) * heaviest) continue;
                taken[i]++;
                while (places[next[i].Place] >= 0) next[i].Place = (next[i].Place + next[i].Skip) % size;
                places[next[i].Place] = i;
                if (++filled == size) return places;
            }
    }

    /// <summary>What tells two tables apart, by whose each place is.</summary>
    public static string Digest(IEnumerable<string> places)
    {
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(string.Join('\n', places)), hash);
        return Convert.ToHexStringLower(hash[..8]);
    }

    /// <summary>Who gets no connections though he should; null: nobody.</summary>
    public static string? Lacks(int backends, int placed, int size) => placed == backends ? null
        : $"{backends - placed} of its {backends} backends get no new connections, because Maglev's table has {size} places (maglevSize), "
            + "and none for them: a larger one has";

    private static (int Place, int Skip) Order(string name, int size)
    {
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(name), hash);
        return ((int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (uint)size),
            (int)(BinaryPrimitives.ReadUInt64BigEndian(hash[8..]) % (uint)(size - 1)) + 1);
    }
}
