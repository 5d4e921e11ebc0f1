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
    /// <param name="weights">How many places each takes in its turn.</param>
    /// <param name="size">A prime, so that each order goes through all places.</param>
    /// <returns>Whose each place is; none where there are no backends.</returns>
    public static int[] Fill(IReadOnlyList<string> names, IReadOnlyList<int> weights, int size)
    {
        if (names.Count == 0) return [];
        var order = Enumerable.Range(0, names.Count).OrderBy(i => names[i], StringComparer.Ordinal).ToArray();
        var next = names.Select(name => Order(name, size)).ToArray();
        var places = new int[size];
        Array.Fill(places, -1);
        for (var filled = 0; ;)
            foreach (var i in order)
                for (var turn = 0; turn < weights[i]; turn++)
                {
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

    private static (int Place, int Skip) Order(string name, int size)
    {
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(name), hash);
        return ((int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (uint)size),
            (int)(BinaryPrimitives.ReadUInt64BigEndian(hash[8..]) % (uint)(size - 1)) + 1);
    }
}
