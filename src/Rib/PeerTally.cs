namespace Calico.Bgp.Rib;

/// <summary>A number for each peer, by its index; zero where nothing was counted.</summary>
internal sealed class PeerTally
{
    private int[] numbers = [];

    public int this[ushort peer] => peer < numbers.Length ? numbers[peer] : 0;

    public void Add(ushort peer, int by)
    {
        if (peer >= numbers.Length) Array.Resize(ref numbers, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)peer + 1));
        numbers[peer] += by;
    }

    public void Clear() => Array.Clear(numbers);
}
