using System.Collections.Immutable;
using System.Text.Json;
using Calico.Bgp.Dataplane;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/policy/lint</c>: traps that policies stand in. An empty list: none was found.</summary>
/// <param name="Ssh">The connection that was asked about, as SSH_CONNECTION says it; null: none is known, and none was asked about.</param>
public sealed record PolicyLintAnswer(IReadOnlyList<PolicyFindingAnswer> Findings, string? Ssh)
{
    public static PolicyLintAnswer Of(ImmutableArray<PolicyFinding> findings, SshConnection? ssh) => new(
        [
            .. findings.Select(one => new PolicyFindingAnswer(
                JsonNamingPolicy.CamelCase.ConvertName(one.Trap.ToString()), one.Object, one.Reason)),
        ],
        ssh?.ToString());
}

/// <param name="Trap">locksOut, refused, preDnatWithoutDeny, neverReached, neverAsked, selectsNothing, noRules, noWayBack, hostClosed,
/// unknown, noInterface, unknownInterface.</param>
/// <param name="Object">Whose it is, with the rule where it is one's.</param>
public sealed record PolicyFindingAnswer(string Trap, string Object, string Reason);
