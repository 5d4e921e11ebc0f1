using Calico.Bgp.Bfd;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// How BFD watches the peers whose BGPPeer asks for it (<c>failureDetectionMode</c>): as the BFDConfiguration says that selects this node.
/// Of several the first by name counts, and the others are told; without one, and on links that it does not name, the kind's defaults do.
/// </summary>
internal sealed class BfdPlan
{
    private const string Any = "*";

    private readonly PeerBfd watched;

    public BfdPlan(NodeView view, List<PlanProblem> problems)
    {
        var ours = view.Resources.Of(Kinds.BfdConfiguration).Where(one => one.NodeSelector.Matches(view.Self.Labels)).ToArray();
        foreach (var other in ours.Skip(1))
            problems.Add(new(other.Id.ToString(), "spec.nodeSelector", $"{ours[0].Id} selects this node too, and counts"));
        // The more a pattern says, the sooner it counts.
        var links = ours.Take(1).SelectMany(first => first.Interfaces).OrderByDescending(link => Weight(link.MatchPattern));
        watched = new(TimesOf(new(Any)), OnlyDirect: true, [.. links.Select(link => new LinkTimes(link.MatchPattern, TimesOf(link)))]);
    }

    public PeerBfd? Of(BgpPeer peer) => peer.FailureDetectionMode == FailureDetectionMode.BFDIfDirectlyConnected ? watched : null;

    private static (bool IsName, int Length) Weight(string pattern) =>
        (!pattern.Contains(Any, StringComparison.Ordinal), pattern.Length);

    private static BfdTimes TimesOf(BfdInterface link) =>
        new(link.MinimumSend, link.MinimumReceive, link.Multiplier) { Idle = link.IdleSend };
}
