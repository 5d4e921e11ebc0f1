using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// A number for each of some words, which it keeps while it is in use. After a restart it is the same again, as it follows from the words;
/// but for those, few among thousands of numbers, that another has had the same for.
/// </summary>
internal sealed class EgressNumbers
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, int> All => numbers;

    /// <param name="most">They are from 1 to this.</param>
    /// <returns>Those that there was no number for.</returns>
    public IReadOnlySet<string> Keep(IEnumerable<string> words, int most)
    {
        var wanted = words.ToHashSet(StringComparer.Ordinal);
        foreach (var gone in numbers.Where(one => !wanted.Contains(one.Key) || one.Value > most).Select(one => one.Key).ToArray())
            numbers.Remove(gone);
        var taken = numbers.Values.ToHashSet();
        var without = new HashSet<string>(StringComparer.Ordinal);
        foreach (var one in wanted.Where(one => !numbers.ContainsKey(one)).Order(StringComparer.Ordinal))
            if (taken.Count >= most) without.Add(one);
            else taken.Add(numbers[one] = Free(one, taken, most));
        return without;
    }

    private static int Free(string words, HashSet<int> taken, int most)
    {
        Span<byte> hash = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.UTF8.GetBytes(words), hash);
        var number = (int)(BitConverter.ToUInt32(hash) % (uint)most);
        while (taken.Contains(number + 1)) number = (number + 1) % most;
        return number + 1;
    }
}
