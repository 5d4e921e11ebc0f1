using System.ComponentModel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bfd;

/// <summary>The sockets on which is heard: of a family and a kind only where somebody of them is watched.</summary>
internal sealed class BfdReceivers : IDisposable
{
    private readonly Dictionary<(IpFamily Family, bool Multihop), string> refused = [];

    public List<BfdReceiver> All { get; } = [];
    public bool AnyRefused => refused.Count > 0;

    /// <summary>Why nothing is heard of such a neighbour; null: it is.</summary>
    public string? ProblemOf(BfdKey key) => refused.Count == 0 ? null : refused.GetValueOrDefault((key.Peer.Family, key.Multihop));

    /// <summary>Opens what is missing, and closes what nobody needs.</summary>
    /// <param name="isShared">A process that we go on for may have them yet.</param>
    /// <returns>What was refused now, and was not before.</returns>
    public string? Open(HashSet<(IpFamily Family, bool Multihop)> needed, bool isShared)
    {
        foreach (var idle in All.Where(receiver => !needed.Contains(receiver.Hears)).ToArray())
        {
            All.Remove(idle);
            idle.Dispose();
        }
        foreach (var kind in refused.Keys.Where(kind => !needed.Contains(kind)).ToArray()) refused.Remove(kind);
        string? news = null;
        foreach (var kind in needed.Where(kind => !All.Exists(receiver => receiver.Hears == kind))) news = TryOpen(kind, isShared) ?? news;
        return news;
    }

    private string? TryOpen((IpFamily Family, bool Multihop) kind, bool isShared)
    {
        try
        {
            All.Add(new(kind.Family, kind.Multihop, isShared));
            refused.Remove(kind);
            return null;
        }
        catch (Win32Exception problem)
        {
            return refused.TryAdd(kind, problem.Message) ? problem.Message : null;
        }
    }

    public void Dispose() => All.ForEach(receiver => receiver.Dispose());
}
