using System.Collections.Immutable;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>What another plan changes beside the speaker's configuration: the addresses of services.</summary>
public static class PlanDifferences
{
    public static ImmutableArray<string> Between(
        IEnumerable<PlannedRoute> before, IEnumerable<PlannedRoute> after, bool weighedBefore, bool weighedAfter) =>
        weighedBefore == weighedAfter ? Between(before, after)
            : [$"weighServices: {(weighedAfter ? "true" : "false")}; services' addresses are announced anew", .. Between(before, after)];

    private static ImmutableArray<string> Between(IEnumerable<PlannedRoute> before, IEnumerable<PlannedRoute> after)
    {
        var (old, now) = (before.ToDictionary(route => route.Prefix), after.ToDictionary(route => route.Prefix));
        return
        [
            .. now.Values.Where(route => !old.ContainsKey(route.Prefix)).OrderBy(route => route.Prefix)
                .Select(route => $"service address {route.Prefix}: added ({route.Reason})"),
            .. old.Values.Where(route => !now.ContainsKey(route.Prefix)).OrderBy(route => route.Prefix)
                .Select(route => $"service address {route.Prefix}: removed"),
        ];
    }
}
