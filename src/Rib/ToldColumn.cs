using System.Runtime.InteropServices;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>What the members of a group were told under a key; 0 attributes: nothing. 6 octets.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 2)]
internal struct Told(Best best)
{
    public uint Attributes = best.Attributes;
    public ushort Peer = best.Peer;
    public readonly Best Best => new(Attributes, Peer);
}

/// <summary>
/// The Adj-RIB-Out of one group: for each key (a prefix, or a path of it) what was told, with a reference on its attributes, and counts of
/// it.
/// </summary>
internal sealed class ToldColumn(AttributeInterner attributes) : IDisposable
{
    private readonly Slab<Told> rows = new();
    private readonly PeerTally bySource = new();

    public int Count { get; private set; }
    public long Octets => rows.Octets;
    /// <summary>How many came from this peer.</summary>
    public int CountFrom(ushort peer) => bySource[peer];
    public Best this[uint key] => rows.Peek(key).Best;

    /// <summary>The row of a key, for <see cref="Record"/>.</summary>
    public ref Told At(uint key) => ref rows.Column(key);

    public void Record(ref Told told, Best before, Best now)
    {
        if (now.Attributes != 0)
        {
            attributes.Hold(now.Attributes);
            bySource.Add(now.Peer, 1);
            Count++;
        }
        if (before.Attributes != 0)
        {
            attributes.Release(before.Attributes);
            bySource.Add(before.Peer, -1);
            Count--;
        }
        told = new(now);
    }

    /// <summary>Gives back the references of some keys; they are not asked for again.</summary>
    public void Release(uint from, uint end)
    {
        for (var key = from; key < end; key++) attributes.Release(rows.Peek(key).Attributes);
    }

    public void Dispose() => rows.Dispose();
}
