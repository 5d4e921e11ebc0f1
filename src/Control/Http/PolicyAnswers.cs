// From what the dataplane knows of policies, and its explanation of a packet, to what /v1/policy says.

using System.Collections.Immutable;
using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class PolicyAnswers
{
    private const string Ingress = "ingress", Egress = "egress";

    public static async Task ExplainAsync(HttpContext http, IDataplane? dataplane, IDaemon daemon)
    {
        string Said(string key) => http.Request.Query[key].ToString();
        var wrong = PolicyQuestion.Read(Said("src"), Said("dst"), Said("protocol"), Said("from"), out var question);
        if (wrong != null)
        {
            await RefuseAsync(http, wrong).ConfigureAwait(false);
            return;
        }
        var explanation = dataplane == null ? null
            : await dataplane.ExplainPolicyAsync(question!, http.RequestAborted).ConfigureAwait(false);
        await (explanation switch
        {
            null => RefuseOffAsync(http, dataplane),
            { Problem: { } problem } => RefuseAsync(http, problem),
            _ => Answer.JsonAsync(
                http, PolicyExplanationAnswer.Of(explanation with
                {
                    Notes = [.. explanation.Notes, .. new RefusedObjects(daemon).Of(explanation)],
                }), Answer.Json.PolicyExplanationAnswer),
        }).ConfigureAwait(false);
    }

    /// <summary>GET /v1/policy/denied. What is not in force has nothing to tell, whatever bgpd.yaml says of telling.</summary>
    public static Task DeniedAsync(HttpContext http, IDataplane? dataplane) => dataplane is { Policy.Enabled: true, View.Problem: null }
        ? Answer.JsonAsync(http, Of(dataplane.Denied), Answer.Json.DeniedAnswer) : RefuseOffAsync(http, dataplane);

    private static DeniedAnswer Of(DeniedView view) => new(view.IsLogged, view.Problem, view.Lost, Of(view.Flows));

    public static IReadOnlyList<DeniedFlowAnswer> Of(IEnumerable<PolicyFlow> flows) => [.. flows.Select(Of)];

    private static DeniedFlowAnswer Of(PolicyFlow flow) => new(flow.Number, flow.First, flow.Last, flow.Packets, flow.Ends.ProtocolWord)
    {
        Source = flow.Ends.Source.ToString(),
        SourcePort = flow.SourcePort,
        Destination = flow.Ends.Destination.ToString(),
        AskedFor = flow.Ends.Asked?.To.ToString(),
        AskedPort = flow.Ends.Asked?.Port,
        Port = flow.Ends.IsIcmp ? null : flow.Ends.Port,
        IcmpType = flow.Ends.IsIcmp ? flow.Ends.Port : null,
        In = flow.Ends.In,
        Out = flow.Ends.Out,
        Program = flow.By.Program,
        Endpoint = flow.By.Endpoint,
        Direction = flow.By.Direction,
        Tier = flow.By.Tier,
        Policy = flow.By.Policy,
        Rule = flow.By.Rule,
        Reason = flow.By.Reason,
    };

    private static Task RefuseAsync(HttpContext http, string problem) =>
        Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadQuery, problem, "src, dst, protocol"));

    public const string Beginning = "its objects have not all been read yet: what was in force before is so still";

    private static Task RefuseOffAsync(HttpContext http, IDataplane? dataplane) => dataplane?.Policy.IsBeginning == true
        ? Answer.ErrorAsync(http, AnswerCode.Starting, $"network policy is not in force: {Beginning}")
        : Answer.ErrorAsync(http, AnswerCode.PolicyOff, dataplane?.View.Problem is { } why ? $"network policy is not in force: {why}"
            : "network policy is off: bgpd.yaml has no section policy, or policy.enabled is false");

    /// <summary>Nothing of a policy that is off could be in force by an order.</summary>
    public static Task IfInForceAsync(HttpContext http, IDataplane? dataplane, Func<HttpContext, Task> answer) =>
        dataplane is { Policy.Enabled: true } ? answer(http) : RefuseOffAsync(http, dataplane);

    /// <summary>GET /v1/policy/list.</summary>
    public static Task ListAsync(HttpContext http, IDataplane? dataplane, IDaemon daemon) => OfPictureAsync(http, dataplane, picture =>
    {
        var (tried, refused) = (daemon.Trials?.State, new RefusedObjects(daemon));
        return Answer.JsonAsync(
            http, new([.. picture.Policies.Select(one => Summary(one, tried, refused))])
            {
                Uncounted = picture.Uncounted,
                Tried = Beside(tried) is { Length: > 0 } beside ? beside : null,
            }, Answer.Json.PolicyListAnswer);
    });

    /// <summary>What is tried without being a policy: it decides all the same.</summary>
    private static TriedObjectAnswer[] Beside(TrialState? tried) => [.. (tried?.Objects ?? [])
        .Where(one => !RefusedObjects.IsPolicy(one.Id.Kind.Word))
        .Select(one => one.IsConfirmed ? new TriedObjectAnswer(one.Id.ToString(), Confirmed, UntilStart)
            : new TriedObjectAnswer(one.Id.ToString(), Tried, UntilTime(tried!)))];

    private const string Confirmed = "confirmed", Tried = "tried", UntilStart = "until the next start";

    private static string UntilTime(TrialState tried) => string.Create(CultureInfo.InvariantCulture, $"until {tried.Until:HH:mm:ss} UTC");

    /// <summary>GET /v1/policy/show?name=[KIND/][NAMESPACE/]NAME: all that are called so.</summary>
    public static Task ShowAsync(HttpContext http, IDataplane? dataplane, IDaemon daemon) => OfPictureAsync(http, dataplane, picture =>
    {
        var (tried, refused) = (daemon.Trials?.State, new RefusedObjects(daemon));
        var name = http.Request.Query["name"].ToString();
        PolicyEntry[] called = [.. picture.Policies.Where(one => IsCalled(one, name))];
        if (called.Length == 0)
            return Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.UnknownPolicy, refused.WithoutEffect(RefusedObjects.IsPolicy, name)
                ?? $"expected the [KIND/][NAMESPACE/]NAME of a policy, got {name}, which is not there; `bgpctl policy list` shows them",
                "name"));
        return Answer.JsonAsync(
            http, new([.. called.Select(one => Detail(one, tried, refused))]) { Uncounted = picture.Uncounted },
            Answer.Json.PolicyDetailsAnswer);
    });

    /// <summary>GET /v1/policy/endpoints[?name=NAME]: by its object's name, with or without the namespace, or by the interface.</summary>
    public static Task EndpointsAsync(HttpContext http, IDataplane? dataplane) => OfPictureAsync(http, dataplane, picture =>
    {
        var name = http.Request.Query["name"].ToString();
        EndpointEntry[] called = [.. picture.Endpoints.Where(one => name.Length == 0 || IsCalled(one, name))];
        if (called.Length == 0 && name.Length > 0)
            return Answer.ErrorAsync(http, new ErrorAnswer(
                AnswerCode.UnknownEndpoint,
                $"expected the name or the interface of an endpoint of this node, got {name}, which is not here; `bgpctl policy endpoints` "
                + "shows them", "name"));
        return Answer.JsonAsync(http, [.. called.Select(Endpoint)], Answer.Json.IReadOnlyListPolicyEndpointAnswer);
    });

    /// <summary>GET /v1/policy/lint[?ssh=CLIENT PORT SERVER PORT].</summary>
    public static async Task LintAsync(HttpContext http, IDataplane? dataplane)
    {
        var said = http.Request.Query["ssh"].ToString();
        var ssh = SshConnection.Parse(said);
        if (said.Length > 0 && ssh == null)
        {
            var problem = $"expected an SSH_CONNECTION (CLIENT PORT SERVER PORT), got \"{said}\"";
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadQuery, problem, "ssh")).ConfigureAwait(false);
            return;
        }
        var found = dataplane == null ? null : await dataplane.LintPolicyAsync(ssh, http.RequestAborted).ConfigureAwait(false);
        await (found is { } findings
            ? Answer.JsonAsync(http, PolicyLintAnswer.Of(findings, ssh), Answer.Json.PolicyLintAnswer)
            : RefuseOffAsync(http, dataplane)).ConfigureAwait(false);
    }

    private static async Task OfPictureAsync(HttpContext http, IDataplane? dataplane, Func<PolicyPicture, Task> answer)
    {
        if (dataplane != null && await dataplane.PolicyPictureAsync(http.RequestAborted).ConfigureAwait(false) is { } picture)
            await answer(picture).ConfigureAwait(false);
        else await RefuseOffAsync(http, dataplane).ConfigureAwait(false);
    }

    private static bool IsCalled(PolicyEntry entry, string name) =>
        entry.Policy.Name == name || entry.Policy.Key.ToString() == name || entry.Policy.Id.ToString() == name;

    private static bool IsCalled(EndpointEntry entry, string name) =>
        entry.Interface == name || (entry.Id is { } id && (id.Key.Name == name || id.Key.ToString() == name || id.ToString() == name));

    private static PolicySummaryAnswer Summary(PolicyEntry entry, TrialState? tried, RefusedObjects refused)
    {
        var policy = entry.Policy;
        var trial = tried?.Objects.FirstOrDefault(one => one.Id == policy.Id);
        var (state, reason) = entry switch
        {
            { Closed: { } words } => ("closed", $"the kernel refused a rule of it: {words}"),
            { Policy: AnyStagedPolicy staged } => ("staged", staged.StagedAction.ToString()),
            _ when trial is { IsConfirmed: true } => (Confirmed, UntilStart),
            _ when trial != null => (Tried, UntilTime(tried!)),
            _ => ("enforced", null),
        };
        return new(
            policy.Spec.Tier, policy.Spec.Order, policy.Name, policy.Metadata.Namespace is { Length: > 0 } space ? space : null,
            policy.Kind.Word, [.. Directions(policy.Spec.Types).Select(direction => Direction(direction, entry.Counts))],
            entry.Selected.Length, state, reason)
        {
            Refused = refused.Of(policy.Id.ToString()),
        };
    }

    private static IEnumerable<PolicyTypes> Directions(PolicyTypes types) =>
        ((PolicyTypes[])[PolicyTypes.Ingress, PolicyTypes.Egress]).Where(one => types.HasFlag(one));

    private static string Word(PolicyTypes direction) => direction == PolicyTypes.Ingress ? Ingress : Egress;

    private static PolicyDirectionAnswer Direction(PolicyTypes direction, ImmutableArray<PolicyCount> counts)
    {
        var count = counts.FirstOrDefault(one => one.Direction == direction);
        return new(Word(direction), count == null ? null : Count(count.Allowed), count == null ? null : Count(count.Denied));
    }

    private static PacketCountAnswer Count(PacketCount count) => new(count.Packets, count.Octets);

    private static PolicyDetailAnswer Detail(PolicyEntry entry, TrialState? tried, RefusedObjects refused)
    {
        var spec = entry.Policy.Spec;
        string?[] applies =
            [spec.PreDnat ? "preDNAT" : null, spec.DoNotTrack ? "doNotTrack" : null, spec.ApplyOnForward ? "applyOnForward" : null];
        return new(
            Summary(entry, tried, refused), entry.Tier.Order, entry.Tier.DefaultAction == TierDefault.Deny,
            entry.Place > 0 ? entry.Place : null,
            entry.InTier, [.. applies.OfType<string>()], spec.AppliesTo.ToString(), [.. entry.Selected.Select(id => id.Key.ToString())],
            [.. Rules(PolicyTypes.Ingress, spec.Ingress), .. Rules(PolicyTypes.Egress, spec.Egress)]);
    }

    private static IEnumerable<PolicyRuleAnswer> Rules(PolicyTypes direction, IEnumerable<PolicyRule> rules) =>
        rules.Select((rule, index) => new PolicyRuleAnswer(Word(direction), index, rule.Action.ToString(), RuleWords.Of(rule)));

    private static PolicyEndpointAnswer Endpoint(EndpointEntry entry) => new(
        entry.Id?.Key.ToString(), entry.Id?.Kind.Word, entry.Interface, entry.Addresses, entry.Labels,
        entry.Profiles, [.. entry.Programs.Select(Program)])
    {
        Problem = entry.Problem,
    };

    private static EndpointProgramAnswer Program(EndpointProgram program) => new(
        program.Program, Word(program.Direction),
        [.. program.Tiers.Select(tier => new EndpointTierAnswer(tier.Name, tier.Denies, [.. tier.Policies.Select(id => id.ToString())]))],
        program.Otherwise);
}
