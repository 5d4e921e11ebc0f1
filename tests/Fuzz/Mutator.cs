namespace Calico.Bgp.Fuzz;

/// <summary>Damages seeds, the same way for the same seed number: bits, octets that lengths like to be, cuts, repeats, splices.</summary>
/// <remarks>Of a few sound seeds at the front half of all inputs come: what is damaged already ends at the first check, mostly.</remarks>
public sealed class Mutator(IReadOnlyList<byte[]> seeds, int sound, int seed)
{
    private const int MaxOctets = 8192;
    private static readonly byte[] Telling = [0, 1, 2, 3, 4, 14, 15, 16, 32, 33, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xe0, 0xfe, 0xff];
    private readonly Random random = new(seed);

    public byte[] Next()
    {
        var octets = new List<byte>(sound > 0 && random.Next(2) == 0 ? seeds[random.Next(sound)] : Pick(seeds));
        for (var i = random.Next(1, 5); i > 0; i--) Damage(octets);
        if (octets.Count > MaxOctets) octets.RemoveRange(MaxOctets, octets.Count - MaxOctets);
        return [.. octets];
    }

    private void Damage(List<byte> octets)
    {
        var at = random.Next(octets.Count + 1);
        var count = Math.Min(random.Next(1, 24), octets.Count - at);
        switch (random.Next(7))
        {
            case 0 when at < octets.Count: octets[at] ^= (byte)(1 << random.Next(8)); break;
            case 1 when at < octets.Count: octets[at] = Pick(Telling); break;
            case 2 when at < octets.Count: octets[at] = (byte)random.Next(256); break;
            case 3: octets.RemoveRange(at, count); break;
            case 4: octets.InsertRange(at, octets.GetRange(at, count)); break;
            case 5: octets.Insert(at, Pick(Telling)); break;
            default: Splice(octets, at); break;
        }
    }

    private void Splice(List<byte> octets, int at)
    {
        var other = Pick(seeds);
        var from = random.Next(other.Length + 1);
        octets.InsertRange(at, other.AsSpan(from, Math.Min(random.Next(64), other.Length - from)).ToArray());
    }

    private T Pick<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];
}
