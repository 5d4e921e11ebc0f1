using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// What translations were found by that are gone: where their connections may live on (onBackendRemoval: keep, or drain for its time),
/// these are shown, and ended when somebody asks for it. The newest of them: clusters make and lose Services for years.
/// </summary>
internal sealed class GoneFronts
{
    private const int Most = 10_000;

    private readonly Queue<(string Map, NftOctets Key)> inOrder = new();
    private readonly HashSet<(string Map, NftOctets Key)> all = [];

    public void Add((string Map, NftOctets Key) front)
    {
        if (!all.Add(front)) return;
        inOrder.Enqueue(front);
        if (inOrder.Count > Most) all.Remove(inOrder.Dequeue());
    }

    /// <summary>Without those that somebody has again.</summary>
    public HashSet<(string Map, NftOctets Key)> Of<T>(Dictionary<(string Map, NftOctets Key), T> taken) =>
        [.. all.Where(front => !taken.ContainsKey(front))];
}
