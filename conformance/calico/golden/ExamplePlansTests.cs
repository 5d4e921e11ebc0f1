using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Golden;

/// <summary>The examples that Calico's resources go with: they plan without a problem, and to what their READMEs say.</summary>
public sealed partial class ExamplePlansTests
{
    private static string Examples => Project.PathOf("examples");

    public static TheoryData<string> Names => [.. WithResources];

    public static TheoryData<string> Probed => [.. WithResources.Where(name => File.Exists(Path.Combine(Examples, name, "probes.json")))];

    private static IEnumerable<string> WithResources => Directory.GetDirectories(Examples).Select(folder => Path.GetFileName(folder))
        .Where(name => Directory.Exists(Path.Combine(Examples, name, "resources"))).Order(StringComparer.Ordinal);

    [NeedsTheory(Needs.Bgpctl)]
    [MemberData(nameof(Names))]
    public async Task An_example_plans_to_what_its_README_says(string name)
    {
        var plan = PlanJson.Read<PlanAnswer>(await RunAsync(name));
        Assert.Equal([], plan.Problems);
        Assert.Equal([], plan.Peers.Where(peer => peer.Problem != null));
        var readme = await File.ReadAllTextAsync(Path.Combine(Examples, name, "README.md"));
        Assert.Equal([], PeerName().Matches(readme).Select(match => match.Value).Except(plan.Peers.Select(peer => peer.Name)));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [MemberData(nameof(Probed))]
    public async Task An_examples_probes_are_answered(string name) =>
        Assert.NotEmpty(PlanJson.Read<ProbeAnswers>(await RunAsync(name, "--probe", Path.Combine(Examples, name, "probes.json"))).Results);

    private static Task<string> RunAsync(string name, params string[] more) =>
        Plan.RunAsync(Path.Combine(Examples, name, "bgpd.yaml"), [], more);

    [GeneratedRegex(@"\b(?:Mesh|Global|Node)_\w+")]
    private static partial Regex PeerName();
}
