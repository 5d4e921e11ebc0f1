// Holds one plan against one golden configuration, and keeps what differs until the end, so that a failure tells all of it.
using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

internal sealed class Comparison(string name)
{
    private const int Shown = 40;
    private readonly List<string> differences = [];

    public void Close() => Assert.True(differences.Count == 0,
        $"{differences.Count} differences (golden | plan):\n{string.Join('\n', differences.Take(Shown))}");

    public void Sessions(BirdConfig v4, BirdConfig v6, PlanAnswer plan)
    {
        Same("router id", $"{v4.RouterId}", plan.RouterId);
        Same("listen port", v4.ListenPort, (uint)plan.ListenPort);
        if ((v4.LocalAs ?? v6.LocalAs) is { } asn) Same("AS", asn, plan.AsNumber);
        Same("peers", string.Join(' ', v4.Peers.Concat(v6.Peers).Select(peer => peer.Name).Order(StringComparer.Ordinal)),
            string.Join(' ', plan.Peers.Select(peer => peer.Name).Order(StringComparer.Ordinal)));
        foreach (var peer in v4.Peers.Concat(v6.Peers))
            if (plan.Peers.SingleOrDefault(one => one.Name == peer.Name) is { } ours)
                Session(peer, ours, plan.AsNumber);
        Routes([.. v4.Routes, .. v6.Routes], plan);
        Same("kept from the kernel", string.Join(' ', ServiceRanges(v4).Concat(ServiceRanges(v6)).Order(StringComparer.Ordinal)),
            string.Join(' ', plan.RejectedFromKernel.Order(StringComparer.Ordinal)));
    }

    private void Session(Peer golden, PeerAnswer plan, uint asNumber)
    {
        var v4 = golden.Address.AddressFamily == AddressFamily.InterNetwork;
        Same($"peer {golden.Name}", PeerSettings.Of(golden), PeerSettings.Of(plan, asNumber, v4));
        Same($"peer {golden.Name}: a problem", KnownDifferences.HasProblem(name, golden.Name), plan.Problem != null);
    }

    /// <summary>Blocks are blackholes in both; a host's gateway is told in the reason only.</summary>
    private void Routes(StaticRoute[] golden, PlanAnswer plan)
    {
        var ours = plan.Routes.ToLookup(route => route.Prefix);
        Same("routes", string.Join(' ', golden.Select(route => $"{route.Prefix}").Order(StringComparer.Ordinal)),
            string.Join(' ', plan.Routes.Select(route => route.Prefix).Order(StringComparer.Ordinal)));
        foreach (var route in golden)
            Same($"type of {route.Prefix}", KnownDifferences.TypeOf(route), ours[$"{route.Prefix}"].FirstOrDefault()?.Type);
    }

    /// <summary>The rejections with which the kernel's filter begins.</summary>
    private static IEnumerable<string> ServiceRanges(BirdConfig config) =>
        config.Kernel.Export is Block { Statements: [Block { Statements: var statements }] }
            ? statements.TakeWhile(one => RejectedNet(one) != null).Select(one => RejectedNet(one)!) : [];

    private static string? RejectedNet(Statement statement) => statement is If
    {
        Condition: Binary { Sign: "~", Left: Variable { Name: "net" }, Right: Constant { Value: System.Net.IPNetwork prefix } },
        Then: Block { Statements: [Verdict { Flow: Flow.Reject }] },
    } ? $"{prefix}" : null;

    /// <summary>All probes are asked at once, and each judged by the configuration of its family.</summary>
    public async Task FiltersAsync(Plan plan, params (BirdConfig Config, Probe[] Probes)[] families)
    {
        var results = (await plan.ProbeAsync(families.SelectMany(family => family.Probes))).Results;
        var answers = results.ToDictionary(one => (one.Probe, one.Target));
        var first = 0;
        foreach (var (config, probes) in families)
        {
            Filters(config, probes, first, answers);
            first += probes.Length;
        }
    }

    private void Filters(BirdConfig config, Probe[] probes, int first, Dictionary<(int, string), ProbeAnswer> answers)
    {
        var expected = new Expected(config);
        foreach (var (number, probe) in probes.Index())
            foreach (var expectation in expected.Of(first + number, probe))
                Answer(probe, expectation, answers.GetValueOrDefault((expectation.Probe, expectation.Target)));
        // A peer of the other family has nothing to do with these routes.
        foreach (var stranger in answers.Values.Where(one => one.Probe >= first && one.Probe < first + probes.Length
            && one.Verdict == "accept"))
            if (stranger.Target != "kernel" && config.Peers.All(peer => peer.Name != stranger.Target))
                differences.Add($"{probes[stranger.Probe - first]} reaches {stranger.Target}, which is no peer of this family");
    }

    private void Answer(Probe probe, Expectation expectation, ProbeAnswer? answer)
    {
        var what = $"{probe} → {expectation.Target}";
        var golden = Text(expectation);
        var ours = answer == null ? "no answer" : answer.Verdict == "reject" ? "reject" : Text(answer.Attributes!, expectation);
        if (golden != ours)
            differences.Add($"{what}: {golden} | {ours} ({answer?.Rule})");
    }

    /// <summary>What counts of an accepted route: to a neighbour what it is told, to the kernel how it is installed.</summary>
    private static string Text(Expectation expectation)
    {
        if (expectation.Route is not { } route) return "reject";
        if (expectation.Peer is not { } peer) return Kernel(route["krt_metric"], route["krt_tunnel"]);
        var communities = route.Get<ImmutableArray<Community>>("bgp_community").Select(one => $"{one}")
            .Concat(route.Get<ImmutableArray<LargeCommunity>>("bgp_large_community").Select(one => $"{one}"));
        return Neighbour(route["bgp_local_pref"], peer, communities, route.Get<ImmutableArray<uint>>("bgp_path"));
    }

    private static string Text(AttributesAnswer route, Expectation expectation) => expectation.Peer is { } peer
        ? Neighbour(route.LocalPref, peer, route.Communities, route.AsPath)
        : Kernel(route.Metric, route.Tunnel);

    private static string Kernel(object? metric, object? tunnel) =>
        $"accept metric {metric ?? "-"} tunnel {(tunnel is string { Length: > 0 } ? tunnel : "-")}";

    /// <summary>An external neighbour is told no local preference; an internal one 100 where there is none (RFC 4271 section
    /// 5.1.5).</summary>
    private static string Neighbour(object? localPref, Peer peer, IEnumerable<string> communities, IEnumerable<uint> path) =>
        $"accept local preference {(peer.Internal ? localPref ?? 100u : "-")}"
            + $" communities {string.Join(' ', communities.Order(StringComparer.Ordinal))} path {string.Join(' ', path)}";

    private void Same<T>(string what, T golden, T plan)
    {
        if (!Equals(golden, plan)) differences.Add($"{what}:\n    {golden}\n    {plan}");
    }
}
