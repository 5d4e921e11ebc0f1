// From the dataplane's explanation of a packet to what /v1/policy/explain says.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class PolicyAnswers
{
    public static async Task ExplainAsync(HttpContext http, IDataplane? dataplane)
    {
        string Said(string key) => http.Request.Query[key].ToString();
        var wrong = PolicyQuestion.Read(Said("src"), Said("dst"), Said("protocol"), Said("from"), out var question);
        if (wrong != null) await RefuseAsync(http, wrong).ConfigureAwait(false);
        else if (dataplane == null)
            await RefuseAsync(http, "expected policy to be on (policy.enabled in bgpd.yaml), it is off").ConfigureAwait(false);
        else
        {
            var explanation = await dataplane.ExplainPolicyAsync(question!, http.RequestAborted).ConfigureAwait(false);
            if (explanation.Problem is { } problem) await RefuseAsync(http, problem).ConfigureAwait(false);
            else await Answer.JsonAsync(http, Of(explanation), Answer.Json.PolicyExplanationAnswer).ConfigureAwait(false);
        }
    }

    private static Task RefuseAsync(HttpContext http, string problem) =>
        Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadQuery, problem, "src, dst, protocol"));

    private static PolicyExplanationAnswer Of(PolicyExplanation of) => new(
        of.Verdict,
        [.. of.Programs.Select(one => new PolicyProgramAnswer(
            one.Program, one.Endpoint, one.Verdict, one.Tier, one.Policy, one.Rule, one.Reason))],
        new(of.Destination, of.Source, of.Why))
    {
        DependsOn = of.DependsOn.IsEmpty ? null : [.. of.DependsOn],
    };
}
