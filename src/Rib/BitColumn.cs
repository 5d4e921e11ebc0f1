namespace Calico.Bgp.Rib;

/// <summary>One bit for each handle of a table.</summary>
internal sealed class BitColumn
{
    private ulong[] words = new ulong[64];

    public bool this[uint handle] => handle >> 6 < (uint)words.Length && (words[handle >> 6] >> (int)(handle & 63) & 1) != 0;

    /// <summary>True where the bit was not set before.</summary>
    public bool Set(uint handle)
    {
        if (handle >> 6 >= (uint)words.Length) Array.Resize(ref words, Math.Max(words.Length * 2, (int)(handle >> 6) + 1));
        ref var word = ref words[handle >> 6];
        var bit = 1ul << (int)(handle & 63);
        if ((word & bit) != 0) return false;
        word |= bit;
        return true;
    }

    public void Clear(uint handle)
    {
        if (handle >> 6 < (uint)words.Length) words[handle >> 6] &= ~(1ul << (int)(handle & 63));
    }
}

/// <summary>Handles that somebody still has to look at, each at most once, oldest first.</summary>
internal sealed class DirtyQueue
{
    private readonly BitColumn members = new();
    private uint[] handles = new uint[256];
    private int first, count;

    public int Count => count;
    public bool Contains(uint handle) => members[handle];

    public void Add(uint handle)
    {
        if (!members.Set(handle)) return;
        if (first + count == handles.Length) MakeRoom();
        handles[first + count++] = handle;
    }

    /// <summary>The next ones, at most <paramref name="most"/>; taken out. Valid until the next <see cref="Add"/>.</summary>
    public ReadOnlySpan<uint> Take(int most)
    {
        var taken = handles.AsSpan(first, Math.Min(most, count));
        foreach (var handle in taken) members.Clear(handle);
        first += taken.Length;
        count -= taken.Length;
        if (count == 0) first = 0;
        return taken;
    }

    private void MakeRoom()
    {
        var into = count * 2 > handles.Length ? new uint[handles.Length * 2] : handles;
        handles.AsSpan(first, count).CopyTo(into);
        (handles, first) = (into, 0);
    }
}
