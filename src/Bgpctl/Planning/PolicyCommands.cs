// `bgpctl policy explain --config`: no daemon is asked. What the daemon would write is rendered, and the packet is walked through it.

using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;
using Calico.Bgp.Dataplane;

namespace Calico.Bgp.Bgpctl.Planning;

internal sealed class PolicyCommands(Screen screen, TimeProvider time, bool json)
{
    /// <returns>Whether all that the resources say is in force.</returns>
    public async Task<bool> ExplainAsync(
        string path, (string Source, string Destination, string Protocol, string? From) asked, CancellationToken stop)
    {
        var wrong = PolicyQuestion.Read(asked.Source, asked.Destination, asked.Protocol, asked.From, out var question);
        if (wrong != null) throw new Refusal(wrong);
        var plan = await OfflinePlan.ReadAsync(path, time, screen.Errors, stop).ConfigureAwait(false);
        if (plan.File.Policy is not { Enabled: true }) throw new Refusal($"expected policy.enabled: true in {path}, it is off");
        var policy = new OfflinePolicy(plan.File.Dataplane, (plan.Planner?.Resources ?? Resources.ResourceSnapshot.Empty).Begin());
        var explanation = policy.Explain(question!);
        if (explanation.Problem is { } problem) throw new Refusal(problem);
        var answer = PolicyExplanationAnswer.Of(explanation);
        if (json) await screen.Output.WriteLineAsync(JsonSerializer.Serialize(answer, AnswersJson.Legible.PolicyExplanationAnswer))
            .ConfigureAwait(false);
        else screen.Write(PolicyExplainView.Of(answer));
        return !plan.IsRefused;
    }
}
