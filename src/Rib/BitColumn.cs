using System.Runtime.CompilerServices;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>One bit for each handle of a table.</summary>
internal sealed class BitColumn
{
    private ulong[] words = new ulong[64];

    public bool this[uint handle] => handle >> 6 < (uint)words.Length && (words[handle >> 6] >> (int)(handle & 63) & 1) != 0;

    /// <summary>True where the bit was not set before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Set(uint handle)
    {
        if (handle >> 6 >= (uint)words.Length) Grow(handle);
        ref var word = ref words[handle >> 6];
        var bit = 1ul << (int)(handle & 63);
        if ((word & bit) != 0) return false;
        word |= bit;
        return true;
    }

    public void Clear(ReadOnlySpan<uint> handles)
    {
        var own = words;
        foreach (var handle in handles)
            if (handle >> 6 < (uint)own.Length) own[handle >> 6] &= ~(1ul << (int)(handle & 63));
    }

    private void Grow(uint handle) => Array.Resize(ref words, Math.Max(words.Length * 2, (int)(handle >> 6) + 1));
}

/// <summary>Handles that somebody still has to look at, each at most once, oldest first.</summary>
internal sealed class DirtyQueue
{
    private readonly BitColumn members = new();
    private readonly ChunkedQueue<uint> handles = new();

    public int Count => handles.Count;
    public bool Contains(uint handle) => members[handle];

    public void Add(uint handle)
    {
        if (members.Set(handle)) handles.Enqueue(handle);
    }

    public void Add(ReadOnlySpan<uint> some)
    {
        foreach (var handle in some) Add(handle);
    }

    /// <summary>The next ones, at most <paramref name="most"/> and perhaps fewer than there are; taken out. Valid until the next
    /// <see cref="Add(uint)"/>.</summary>
    public ReadOnlySpan<uint> Take(int most)
    {
        var taken = handles.Take(most);
        members.Clear(taken);
        return taken;
    }
}
