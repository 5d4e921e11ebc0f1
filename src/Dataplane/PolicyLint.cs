using System.Collections.Immutable;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Policies.Lint;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// The traps of network policy, found in what the objects say: on all nodes alike, and without a packet. What is asked in which order is
/// what the enforced programs ask; whether a connection is let through is never decided here (<see cref="OfSshAsync"/> asks who explains
/// it).
/// </summary>
public sealed class PolicyLint
{
    private readonly PolicyObjects objects = new();
    private readonly Population population;
    private readonly HashSet<string> tiers = [];
    private readonly HashSet<ResourceKey> services = [];
    private readonly Dictionary<ResourceId, LocalEndpoint[]> selected = [];
    private readonly Dictionary<ProgramKey, LocalEndpoint> programs = [];
    private readonly Reach reach;
    private readonly List<PolicyFinding> found = [];

    private PolicyLint(DataplaneSettings settings, IEnumerable<ResourceChange> resources)
    {
        population = new(settings.Policy?.AutomaticHostEndpoints == true);
        reach = new(objects);
        foreach (var change in resources) Apply(change);
    }

    /// <param name="resources">All that there are, the built-in ones among them.</param>
    /// <param name="problems">What the sources say that is not in force as it is written.</param>
    public static ImmutableArray<PolicyFinding> Find(
        DataplaneSettings settings, IEnumerable<ResourceChange> resources, IEnumerable<ResourceProblem> problems)
    {
        var lint = new PolicyLint(settings, resources);
        foreach (var problem in problems) lint.OfProblem(problem);
        lint.MakePrograms();
        foreach (var policy in lint.objects.Policies.OrderBy(policy => policy.Id)) lint.OfPolicy(policy);
        lint.OfHosts();
        lint.OfReach();
        return [.. lint.found.Distinct()];
    }

    /// <summary>Whether another connection of the client would be let in, as who explains packets says.</summary>
    /// <param name="explain">Null: nobody knows.</param>
    public static async Task<ImmutableArray<PolicyFinding>> OfSshAsync(
        SshConnection ssh, Func<PolicyQuestion, Task<PolicyExplanation?>> explain)
    {
        if (await explain(ssh.Question).ConfigureAwait(false) is not { Problem: null } told) return [];
        if (Denied(told) is { } by)
            return [new(PolicyTrap.LocksOut, by.Object, $"a new SSH connection {ssh} is denied: {by.Reason}{Through(told)}")];
        if (told.Destination is { } taken)
            return [new(PolicyTrap.LocksOut, told.Service ?? "services",
                $"a new SSH connection {ssh} does not come to this host, it is sent to {taken}: {told.Why}")];
        var isUntracked = told.Programs.Any(program => program is { Program: "untracked in", Verdict: "allow" });
        if (!isUntracked || await explain(ssh.Answer).ConfigureAwait(false) is not { Problem: null } answer) return [];
        if (Denied(answer) is not { } back) return [];
        var reason = $"a new SSH connection {ssh} is let in untracked, and its answers are denied: {back.Reason}";
        return [new(PolicyTrap.LocksOut, back.Object, reason)];
    }

    /// <summary>Who is denied as a service's backend did not mean to get there.</summary>
    private static string Through(PolicyExplanation told) => told.SentTo is not { } taken ? ""
        : $"; it does not come to this host, {(told.Service is { } service ? $"{service} sends it" : "it is sent")} to {taken}: {told.Why}";

    private static (string Object, string Reason)? Denied(PolicyExplanation told)
    {
        if (told.Verdict != "deny" || told.Programs.IsEmpty) return null;
        var last = told.Programs[^1];
        return (last.Policy ?? last.Endpoint ?? last.Program, $"{last.Program}: {last.Reason}");
    }

    private void Apply(ResourceChange change)
    {
        population.Apply(change);
        switch (change.After)
        {
            case AnyNetworkPolicy policy: objects.Put(policy.Id, policy); break;
            case Tier tier:
                objects.Put(tier.Name, tier);
                tiers.Add(tier.Name);
                break;
            case EndpointSlice { Endpoints.Count: > 0, Service: { } service }: services.Add(service); break;
        }
    }

    private void Tell(PolicyTrap trap, string of, string reason) => found.Add(new(trap, of, reason));

    private void OfProblem(ResourceProblem problem)
    {
        if (problem.Severity == ProblemSeverity.Error ? !IsOfPolicy(problem.Object) : !IsOfNoKind(problem.Object)) return;
        var place = problem.Line > 0 ? $"{problem.File}:{problem.Line}" : problem.File;
        var left = problem.Severity != ProblemSeverity.Error ? "" : problem.IsWithoutEffect
            ? "; no good version of it is known: it has no effect" : "; its last good version is in force";
        Tell(PolicyTrap.Refused, problem.Object, $"{problem.Field}: {problem.Reason} ({place}){left}");
    }

    /// <summary>Its kind is misspelt: whatever was meant is not there.</summary>
    private static bool IsOfNoKind(string problem) =>
        problem.Length > 0 && Kinds.All.All(kind => !problem.StartsWith(kind.Word + "/", StringComparison.Ordinal));

    private static bool IsOfPolicy(string problem) => Kinds.All.Any(kind =>
        kind.IsFor(Concern.Policy) && problem.StartsWith(kind.Word + "/", StringComparison.Ordinal));

    /// <summary>What every endpoint's packets are asked, by the very function that says so where it is enforced.</summary>
    private void MakePrograms()
    {
        foreach (var policy in objects.Policies) selected[policy.Id] = [.. population.Selected(policy.Spec)];
        var policiesOf = selected.SelectMany(one => one.Value.Select(endpoint => (endpoint.Id, Policy: objects.Policy(one.Key)!)))
            .ToLookup(one => one.Id, one => one.Policy);
        foreach (var endpoint in population.Endpoints)
            foreach (var (_, key) in EndpointPrograms.Of(endpoint, [.. objects.InOrder(policiesOf[endpoint.Id])], rejects: false))
                if (programs.TryAdd(key, endpoint)) reach.Walk(key);
    }

    private void OfPolicy(AnyNetworkPolicy policy)
    {
        var (of, spec, by) = (policy.Id.ToString(), policy.Spec, selected[policy.Id]);
        if (!tiers.Contains(spec.Tier))
            Tell(PolicyTrap.Unknown, of, $"nobody says what tier {spec.Tier} is: it comes last, and what its policies leave is denied");
        if (by.Length == 0) Tell(PolicyTrap.SelectsNothing, of, $"no endpoint that is known matches its selector {spec.AppliesTo}");
        else if (!policy.IsStaged && (spec.PreDnat || spec.DoNotTrack)) OfHostsAlone(policy, by);
        foreach (var direction in (PolicyTypes[])[PolicyTypes.Ingress, PolicyTypes.Egress])
            if (spec.Types.HasFlag(direction)) OfRules(policy, direction, by);
    }

    private void OfHostsAlone(AnyNetworkPolicy policy, LocalEndpoint[] by)
    {
        var kind = policy.Spec.PreDnat ? "preDNAT" : "doNotTrack";
        if (by.All(one => one.IsWorkload))
            Tell(PolicyTrap.NeverAsked, policy.Id.ToString(), $"{kind} policies are asked of host endpoints alone, and it selects none");
        else if (policy.Spec.DoNotTrack && by.All(one => one.IsWorkload || one.Interface == LocalEndpoint.EveryInterface))
            Tell(PolicyTrap.NeverAsked, policy.Id.ToString(), "doNotTrack policies are not asked of a host endpoint of all interfaces");
    }

    private void OfRules(AnyNetworkPolicy policy, PolicyTypes direction, LocalEndpoint[] by)
    {
        var (of, spec) = (policy.Id, policy.Spec);
        var isIn = direction == PolicyTypes.Ingress;
        var (word, rules) = isIn ? ("ingress", spec.Ingress) : ("egress", spec.Egress);
        if (rules.Count == 0)
        {
            // Of pods that is how everything is denied by default, and meant.
            if (spec.PreDnat || spec.DoNotTrack)
                Tell(PolicyTrap.NoRules, of.ToString(), $"it has the type {word} and no rules below {word}: it decides nothing");
            else if (by.Any(one => !one.IsWorkload))
                Tell(PolicyTrap.NoRules, of.ToString(), $"it has the type {word} and no rules below {word}: of host endpoints all is "
                    + $"denied that no other policy of tier {spec.Tier} allows and that is no failsafe port");
        }
        for (var index = 0; index < rules.Count; index++)
        {
            var rule = new RuleId(of, direction, index).ToString();
            OfEnd(rule, "source", rules[index].Source);
            OfEnd(rule, "destination", rules[index].Destination);
        }
    }

    private void OfEnd(string rule, string end, RuleEntity of)
    {
        if (of is { Domains.Count: 0, In: { } selector } && !population.HasMembers(selector))
            Tell(PolicyTrap.SelectsNothing, rule, $"its {end} is in {selector}, which no endpoint and no network set is");
        if (of.Service is { } service && !services.Contains(service))
            Tell(PolicyTrap.SelectsNothing, rule, $"its {end} is of service {service}, which has no endpoints");
    }

    private void OfHosts()
    {
        foreach (var (key, endpoint) in programs.OrderBy(one => one.Value.Id))
        {
            if (key.Kind == ProgramKind.PreDnat) OfPreDnat(key);
            var of = endpoint.Id.ToString();
            foreach (var profile in key.Profiles.Where(profile => !population.IsProfile(profile)))
                Tell(PolicyTrap.Unknown, of, $"nobody says what profile {profile} is: it allows nothing");
            if (key is { Kind: ProgramKind.HostIn, Tiers.Count: 0 } && !key.Profiles.Any(population.IsProfile))
                Tell(PolicyTrap.HostClosed, of, "neither a policy nor a profile lets anything in: the host keeps its failsafe ports alone");
            if (key.Kind == ProgramKind.UntrackedIn) OfUntracked(key);
        }
    }

    private void OfPreDnat(ProgramKey key)
    {
        ResourceId[] asked = [.. key.Tiers.SelectMany(tier => tier.Policies).Select(policy => policy.Id)];
        var actions = asked.SelectMany(id => objects.Policy(id)!.Spec.Ingress).Select(rule => rule.Action).ToHashSet();
        if (!actions.Contains(RuleAction.Allow) || actions.Contains(RuleAction.Deny)) return;
        Tell(PolicyTrap.PreDnatWithoutDeny, string.Join(", ", asked),
            "preDNAT policies have no default deny, and none of these denies: what they do not allow goes on all the same. A policy that "
            + "denies has to come last: without an order, and late by its name");
    }

    private void OfUntracked(ProgramKey key)
    {
        foreach (var id in key.Tiers.SelectMany(tier => tier.Policies).Select(policy => policy.Id))
        {
            var ways = selected[id].Where(one => !one.IsWorkload).SelectMany(host => selected.Where(other =>
                objects.Policy(other.Key) is { IsStaged: false, Spec: { DoNotTrack: true } spec } && spec.Egress.Count > 0
                && other.Value.Any(one => one.Id == host.Id)));
            if (objects.Policy(id)!.Spec.Ingress.Any(rule => rule.Action == RuleAction.Allow) && !ways.Any())
                Tell(PolicyTrap.NoWayBack, id.ToString(),
                    "it lets in what is not tracked, and no doNotTrack policy has egress rules that let the answers out");
        }
    }

    private void OfReach()
    {
        foreach (var policy in reach.Unreached.GroupBy(one => one.Rule.Policy).OrderBy(policy => policy.Key))
        {
            if (reach.IsReached(policy.Key))
                foreach (var (rule, by) in policy.OrderBy(one => one.Rule.Direction).ThenBy(one => one.Rule.Rule))
                    Tell(PolicyTrap.NeverReached, rule.ToString(), $"no packet gets to it: before it decides {by}");
            else
                Tell(PolicyTrap.NeverReached, policy.Key.ToString(), $"no packet gets to it: before it decides {policy.First().By}");
        }
    }
}
