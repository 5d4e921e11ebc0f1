using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>The way in: door, then the operator's filter. Answers with the attribute set that the Loc-RIB may choose.</summary>
/// <param name="tell">Who hears of verdicts of rules that want to be told of.</param>
internal sealed class ImportFilter(AttributeInterner attributes, NextHops nextHops, Action<RibPeer, Prefix, FilterResult> tell)
{
    private readonly AttributeEditor editor = new();
    private readonly FilterInputs inputs = new(attributes, nextHops);

    /// <returns>A handle with one reference for the caller; 0: refused.</returns>
    public uint Run(RibPeer peer, uint received, Prefix prefix, IpFamily family)
    {
        if (Bar(peer, received) != null) return 0;
        if (!ImportDoor.Dresses(peer, attributes[received].Summary)) return Filtered(peer, received, prefix, family);
        var dressed = Dressed(peer, received);
        var accepted = Filtered(peer, dressed, prefix, family);
        attributes.Release(dressed);
        return accepted;
    }

    /// <summary>What they say, and by which rule.</summary>
    public Verdict Judge(RibPeer peer, uint received, Prefix prefix, IpFamily family)
    {
        if (Bar(peer, received) is { } rule) return Verdict.Against(rule);
        if (!ImportDoor.Dresses(peer, attributes[received].Summary)) return Verdict.Of(Ask(peer, received, prefix, family));
        var dressed = Dressed(peer, received);
        var verdict = Verdict.Of(Ask(peer, dressed, prefix, family));
        attributes.Release(dressed);
        return verdict;
    }

    private RouteRule? Bar(RibPeer peer, uint received) =>
        ImportDoor.Refuses(peer, attributes.OctetsOf(received), attributes[received].Summary);

    /// <summary>As the filter shall see it; a handle with one reference for the caller.</summary>
    private uint Dressed(RibPeer peer, uint received)
    {
        ref var row = ref attributes[received];
        editor.Load(attributes.OctetsOf(received));
        ImportDoor.Dress(editor, peer, row.Summary);
        var dressed = editor.Finish(out var summary);
        return attributes.Intern(dressed, summary, row.Marks);
    }

    private uint Filtered(RibPeer peer, uint dressed, Prefix prefix, IpFamily family)
    {
        var result = Ask(peer, dressed, prefix, family);
        if (result.IsTold) tell(peer, prefix, result);
        if (result.Verdict == FilterVerdict.Reject) return 0;
        ref var row = ref attributes[dressed];
        if (result.Verdict == FilterVerdict.Accept && result.Hints == row.Marks.Hints)
        {
            attributes.Hold(dressed);
            return dressed;
        }
        if (result.Verdict == FilterVerdict.Accept) editor.Load(attributes.OctetsOf(dressed));
        var accepted = editor.Finish(out var summary);
        return attributes.Intern(accepted, summary, row.Marks with { Hints = result.Hints });
    }

    /// <summary>The same for a route that has been stale for long (RFC 9494 section 4.3).</summary>
    public uint RunLongStale(RibPeer peer, uint received, Prefix prefix, IpFamily family)
    {
        var fresh = Run(peer, received, prefix, family);
        if (fresh == 0) return 0;
        var stale = ImportDoor.ForbidsLongStale(attributes[received].Summary) ? 0 : Marked(fresh);
        attributes.Release(fresh);
        return stale;
    }

    private uint Marked(uint fresh)
    {
        editor.Load(attributes.OctetsOf(fresh));
        editor.AddCommunity(Community.LlgrStale);
        var octets = editor.Finish(out var summary);
        return attributes.Intern(octets, summary, attributes[fresh].Marks);
    }

    /// <summary>The filter alone; the editor holds what it has changed.</summary>
    private FilterResult Ask(RibPeer peer, uint received, Prefix prefix, IpFamily family) => peer.Import is AcceptAll
        ? new(FilterVerdict.Accept, attributes[received].Marks.Hints, AcceptAll.Label)
        : peer.Import.Run(inputs.Of(received, peer, family, prefix, peer.Self(family)), editor);
}
