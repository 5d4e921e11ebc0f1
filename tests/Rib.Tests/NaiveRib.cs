using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>
/// The slow reference: knows only what each peer that is up or kept has announced, and computes everything else from scratch by the
/// letter of RFC 4271 section 9.1.2.2, as successive elimination over sets rather than by comparing pairs.
/// </summary>
internal sealed class NaiveRib(DecisionSettings settings)
{
    /// <summary>Those that are up.</summary>
    public Dictionary<ushort, RibPeer> Peers { get; } = [];
    /// <summary>As each was when it was last up.</summary>
    private readonly Dictionary<ushort, RibPeer> sources = [];
    public Dictionary<(ushort Peer, Prefix Prefix), byte[]> Received { get; } = [];
    private readonly HashSet<(ushort Peer, Prefix Prefix)> unconfirmed = [], stale = [], longStale = [];
    private readonly HashSet<(ushort Peer, IpFamily Family)> refreshing = [];
    public FlatNetwork Network { get; set; } = new();

    public void Up(RibPeer peer) => Peers[peer.Index] = sources[peer.Index] = peer;

    public void Down(ushort peer, FamilySet kept, FamilySet staleToo)
    {
        Peers.Remove(peer);
        refreshing.RemoveWhere(those => those.Peer == peer);
        foreach (var key in Received.Keys.Where(key => key.Peer == peer).ToArray())
        {
            unconfirmed.Remove(key);
            if (!kept.Has(key.Prefix.Family) || !(stale.Add(key) || staleToo.Has(key.Prefix.Family))) Remove(key);
        }
    }

    public void Announce(ushort peer, Prefix prefix, byte[] attributes)
    {
        Received[(peer, prefix)] = attributes;
        unconfirmed.Remove((peer, prefix));
        stale.Remove((peer, prefix));
        longStale.Remove((peer, prefix));
    }

    public void Withdraw(ushort peer, Prefix prefix) => Remove((peer, prefix));

    public void BeginRefresh(ushort peer, IpFamily family)
    {
        refreshing.Add((peer, family));
        unconfirmed.UnionWith(Received.Keys.Where(key => key.Peer == peer && key.Prefix.Family == family));
    }

    public void EndRefresh(ushort peer, IpFamily family)
    {
        if (refreshing.Remove((peer, family))) RemoveAll(unconfirmed, peer, family);
    }

    public void EndStale(ushort peer, IpFamily family) => RemoveAll(stale, peer, family);

    public void BeginLongStale(ushort peer, IpFamily family) =>
        longStale.UnionWith(stale.Where(key => key.Peer == peer && key.Prefix.Family == family));

    private void RemoveAll(HashSet<(ushort Peer, Prefix Prefix)> marked, ushort peer, IpFamily family)
    {
        foreach (var key in marked.Where(key => key.Peer == peer && key.Prefix.Family == family).ToArray()) Remove(key);
    }

    private void Remove((ushort, Prefix) key)
    {
        Received.Remove(key);
        unconfirmed.Remove(key);
        stale.Remove(key);
        longStale.Remove(key);
    }

    /// <summary>Whose paths to which prefixes there are, and how they are marked.</summary>
    public IEnumerable<(ushort Peer, Prefix Prefix, PathState Marks)> Paths() => Received.Keys.Select(key => (
        key.Peer, key.Prefix, stale.Contains(key) ? PathState.Stale : unconfirmed.Contains(key) ? PathState.Unconfirmed : PathState.None));

    private sealed record Path(RibPeer Peer, byte[] Attributes, AttributeSummary Summary, NextHopState NextHop);

    /// <summary>What each peer should hold: prefixes and canonical octets.</summary>
    public IEnumerable<(Prefix Prefix, string Attributes)> HeldBy(RibPeer receiver) =>
        from prefix in Received.Keys.Select(key => key.Prefix).Distinct()
        from path in Told(Ranked(prefix), !receiver.Encode.AddPath.Has(prefix.Family) ? PathsTold.Best
            : prefix.Family == IpFamily.IPv4 ? receiver.PathsIPv4 : receiver.PathsIPv6)
        where path.Peer.Index != receiver.Index
        let octets = Leaving(path, prefix, receiver)
        where octets != null
        select (prefix, Convert.ToHexStringLower(octets));

    public (ushort Peer, string Attributes)? BestOf(Prefix prefix) =>
        Ranked(prefix).FirstOrDefault() is { } best ? (best.Peer.Index, Convert.ToHexStringLower(best.Attributes)) : null;

    private IEnumerable<Path> Told(IEnumerable<Path> ranked, PathsTold which)
    {
        if (!which.OnlyShared) return ranked.Take(which.Most);
        var all = ranked.ToList();
        return all.Where(path => path == all[0] || Ties(all[0], path));
    }

    /// <summary>Nothing says that one is better; and packets to one neighbouring AS do not leave by another.</summary>
    private bool Ties(Path best, Path other)
    {
        var sameNeighbour = Neighbour(best) == Neighbour(other);
        return Goodness(best) == Goodness(other) && (best.Peer.Internal || sameNeighbour)
            && (Med(best) == Med(other) || !(settings.AlwaysCompareMed || sameNeighbour));
    }

    private static (uint, uint, int, Origin, bool, uint) Goodness(Path path) => (
        path.Peer.Preference, path.Summary.Has(AttributeMarks.HasLocalPref) ? path.Summary.LocalPref : 100, path.Summary.AsPathLength,
        path.Summary.Origin, path.Peer.Internal, path.NextHop.Metric);

    /// <summary>The best one, the best without that one, and so on.</summary>
    private IEnumerable<Path> Ranked(Prefix prefix)
    {
        var rest = Received.Where(entry => entry.Key.Prefix == prefix)
            .Select(entry => Accept(sources[entry.Key.Peer], prefix, entry.Value)).OfType<Path>().Where(Reachable).ToList();
        while (Best(rest) is { } best)
        {
            yield return best;
            rest.Remove(best);
        }
    }

    private Path? Best(List<Path> paths)
    {
        paths = Keep(paths, path => -(long)path.Peer.Preference);
        paths = Keep(paths, path => path.Summary.Has(AttributeMarks.LlgrStale) ? 1 : 0);
        paths = Keep(paths, path => -(long)(path.Summary.Has(AttributeMarks.HasLocalPref) ? path.Summary.LocalPref : 100));
        paths = Keep(paths, path => path.Summary.AsPathLength);
        paths = Keep(paths, path => (long)path.Summary.Origin);
        paths = paths.FindAll(path => !paths.Exists(other => (settings.AlwaysCompareMed || Neighbour(other) == Neighbour(path))
            && Med(other) < Med(path)));
        paths = Keep(paths, path => path.Peer.Internal ? 1 : 0);
        paths = Keep(paths, path => path.NextHop.Metric);
        paths = Keep(paths, path => path.Summary.Has(AttributeMarks.HasOriginatorId) ? path.Summary.OriginatorId : path.Peer.PeerId.Value);
        paths = Keep(paths, path => path.Summary.ClusterListLength);
        paths = Keep(paths, path => path.Peer.PeerAddress.IPv4Bits);
        return paths.Count == 0 ? null : Assert.Single(paths);
    }

    private static List<Path> Keep(List<Path> paths, Func<Path, long> cost) => paths.FindAll(path => cost(path) == paths.Min(cost));
    private static uint Neighbour(Path path) => path.Summary.NeighborAs;
    private static uint Med(Path path) => path.Summary.Has(AttributeMarks.HasMed) ? path.Summary.Med : 0;
    private static bool Reachable(Path path) => path.NextHop is { OwnAddress: false, Connected: true };

    private Path? Accept(RibPeer peer, Prefix prefix, byte[] attributes)
    {
        var summary = new AttributeView(attributes).Summarize();
        if (ImportDoor.Refuses(peer, attributes, summary) != null) return null;
        var editor = new AttributeEditor();
        var result = peer.Import.Run(Input(peer, prefix, attributes, summary), editor);
        if (result.Verdict == FilterVerdict.Reject) return null;
        var isLongStale = longStale.Contains((peer.Index, prefix));
        if (isLongStale && summary.Has(AttributeMarks.NoLlgr)) return null;
        var octets = result.Verdict == FilterVerdict.AcceptChanged ? editor.Finish(out summary).ToArray() : attributes;
        if (isLongStale)
        {
            editor.Load(octets);
            editor.AddCommunity(Community.LlgrStale);
            octets = editor.Finish(out summary).ToArray();
        }
        return new(peer, octets, summary, Network.Resolve(summary.NextHop, 0));
    }

    private static byte[]? Leaving(Path path, Prefix prefix, RibPeer to)
    {
        if (ExportDoor.Refuses(to.Treatment, path.Peer, path.Summary) != null) return null;
        var editor = new AttributeEditor();
        var result = to.Export.Run(Input(path.Peer, prefix, path.Attributes, path.Summary), editor);
        if (result.Verdict == FilterVerdict.Reject) return null;
        if (result.Verdict == FilterVerdict.Accept) editor.Load(path.Attributes);
        editor.Finish(out var summary);
        ExportDoor.Dress(editor, to.Treatment, path.Peer, prefix.Family, summary, result);
        return editor.Finish(out _).ToArray();
    }

    private static FilterInput Input(RibPeer peer, Prefix prefix, byte[] attributes, AttributeSummary summary) => new()
    {
        Prefix = prefix,
        Family = prefix.Family,
        Origin = peer.Origin,
        FromPeer = peer.Name,
        Interface = "eth0",
        Attributes = attributes,
        Summary = summary,
    };
}
