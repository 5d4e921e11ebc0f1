// From the dataplane's view to what /v1/nat says.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;

namespace Calico.Bgp.Control.Http;

internal static class NatAnswers
{
    public static NatAnswer Of(NatView nat) => new()
    {
        Enabled = nat.Enabled,
        Ready = nat.Ready,
        Pools = [.. nat.Plan.Pools.Select(Pool)],
        Peers = [.. nat.Peers.Select(peer => new NatPeerAnswer(peer.Name, peer.Established, peer.IsUpstream))],
        Table = new(nat.Table.Transactions, nat.Table.Readings, nat.Table.Repairs),
        Missing = nat.Table.Missing,
        Problems =
        [
            .. nat.Table.Problems.Select(problem =>
                new NatProblemAnswer(problem.Part, problem.Errno, problem.Words, problem.Since, problem.Attempts)),
        ],
        ConnectionsCut = nat.ConnectionsCut,
        Problem = nat.Problem,
    };

    public static NatExplanationAnswer Of(NatExplanation explanation) => new()
    {
        Translated = explanation.Translated,
        To = explanation.To,
        Address = explanation.Address?.ToString(),
        Destination = explanation.Destination,
        Dropped = explanation.Dropped,
        Interface = explanation.Interface,
        Rule = explanation.Rule,
        DependsOn = [.. explanation.DependsOn],
        Steps = [.. explanation.Steps],
        Trail = [.. explanation.Trail],
    };

    private static NatPoolAnswer Pool(PoolPlan pool) => new(
        pool.Name, pool.Cidr.ToString(), pool.NatOutgoing, pool.Disabled, pool.Asked?.ToString().ToLowerInvariant(), pool.Treatment.Word(),
        pool.Reason, [.. pool.ExceptTo.All.Select(range => range.ToString())]);
}
