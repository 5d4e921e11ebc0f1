// `bgpctl policy explain` and `lint` with --config: no daemon is asked. What the daemon would write is rendered, and packets are walked
// through it.

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Bgpctl.Planning;

internal sealed class PolicyCommands(Screen screen, TimeProvider time, bool json)
{
    /// <returns>Whether all that the resources say is in force.</returns>
    public async Task<bool> ExplainAsync(
        string path, (string Source, string Destination, string Protocol, string? From) asked, CancellationToken stop)
    {
        var wrong = PolicyQuestion.Read(asked.Source, asked.Destination, asked.Protocol, asked.From, out var question);
        if (wrong != null) throw new Refusal(wrong);
        var (plan, policy) = await ReadAsync(path, stop).ConfigureAwait(false);
        var explanation = policy.Explain(question!);
        if (explanation.Problem is { } problem) throw new Refusal(problem);
        var answer = PolicyExplanationAnswer.Of(explanation);
        Say(answer, AnswersJson.Legible.PolicyExplanationAnswer, PolicyExplainView.Of);
        return !plan.IsRefused;
    }

    /// <returns>False: a trap was found.</returns>
    public async Task<bool> LintAsync(string path, CancellationToken stop)
    {
        var (plan, policy) = await ReadAsync(path, stop).ConfigureAwait(false);
        var resources = ResourcesOf(plan);
        var found = PolicyLint.Find(plan.File.Dataplane, resources.Begin(), resources.Problems);
        var ssh = SshSession.Find() is { } session && policy.Knows(session) ? session : null;
        if (ssh != null)
            found = [.. await PolicyLint.OfSshAsync(ssh, question => Task.FromResult<PolicyExplanation?>(policy.Explain(question)))
                .ConfigureAwait(false), .. found];
        Say(PolicyLintAnswer.Of(found, ssh), AnswersJson.Legible.PolicyLintAnswer,
            answer => PolicyLintView.Of(answer, SshSession.Misunderstood));
        return found.IsEmpty;
    }

    private static ResourceSnapshot ResourcesOf(OfflinePlan plan) => plan.Planner?.Resources ?? ResourceSnapshot.Empty;

    private async Task<(OfflinePlan Plan, OfflinePolicy Policy)> ReadAsync(string path, CancellationToken stop)
    {
        var plan = await OfflinePlan.ReadAsync(path, time, screen.Errors, stop).ConfigureAwait(false);
        if (plan.File.Policy is not { Enabled: true }) throw new Refusal($"expected policy.enabled: true in {path}, it is off");
        return (plan, new(plan.File.Dataplane, ResourcesOf(plan).Begin()));
    }

    private void Say<T>(T answer, JsonTypeInfo<T> type, Func<T, Page> view)
    {
        if (json) screen.Output.WriteLine(JsonSerializer.Serialize(answer, type));
        else screen.Write(view(answer));
    }
}
