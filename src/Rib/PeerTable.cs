using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>The peers that one shard knows, by their index, with their counts and the cycles of their tables per family.</summary>
internal sealed class PeerTable
{
    private RibPeer?[] peers = new RibPeer?[16];
    private PeerCounts?[] counts = new PeerCounts?[32];
    private TableCycle?[] cycles = new TableCycle?[32];

    public RibPeer this[ushort index] => peers[index] ?? throw new InvalidOperationException($"peer {index} is not known to this shard");
    public RibPeer? Find(ushort index) => index < peers.Length ? peers[index] : null;

    public IEnumerable<RibPeer> All => peers.OfType<RibPeer>();

    public PeerCounts Counts(ushort index, IpFamily family) => counts[index * 2 + (int)family]!;
    public TableCycle Cycle(ushort index, IpFamily family) => cycles[index * 2 + (int)family]!;

    public void Set(RibPeer peer, Func<IpFamily, PeerCounts> count)
    {
        if (peer.Index >= peers.Length)
        {
            var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)peer.Index + 1);
            Array.Resize(ref peers, size);
            Array.Resize(ref counts, size * 2);
            Array.Resize(ref cycles, size * 2);
        }
        peers[peer.Index] = peer;
        counts[peer.Index * 2] ??= count(IpFamily.IPv4);
        counts[peer.Index * 2 + 1] ??= count(IpFamily.IPv6);
        cycles[peer.Index * 2] ??= new();
        cycles[peer.Index * 2 + 1] ??= new();
    }
}
