using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Golden;

/// <summary>
/// Calico's own cases: from the same resources, bgpctl plan comes to what confd wrote for BIRD. Sessions by their settings, routes by their
/// prefixes, filters by their answers to routes that do not exist.
/// </summary>
public class GoldenTests
{
    [NeedsTheory(Needs.Shared + GoldenCase.Data, Needs.Bgpctl)]
    [MemberData(nameof(GoldenCase.Names), MemberType = typeof(GoldenCase))]
    public async Task The_plan_is_what_Calico_makes_of_the_same_resources(string name)
    {
        var golden = new GoldenCase(name);
        using var plan = new Plan(golden.Node, golden.Cluster().Objects, golden.Environment, golden.EndpointStatuses);
        var comparison = new Comparison(name);
        comparison.Sessions(golden.IPv4, golden.IPv6, await plan.AskAsync());
        var words = golden.Words.ToArray();
        await comparison.FiltersAsync(plan, (golden.IPv4, Probes.For(golden.IPv4, AddressFamily.InterNetwork, words)),
            (golden.IPv6, Probes.For(golden.IPv6, AddressFamily.InterNetworkV6, words)));
        comparison.Close();
    }
}
