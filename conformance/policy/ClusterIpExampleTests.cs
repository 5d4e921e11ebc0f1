namespace Calico.Bgp.Conformance.Policy;

/// <summary>examples/15-cluster-ip-policy, as it stands there, on both nodes: packets fare as its README says.</summary>
public sealed class ClusterIpExampleTests
{
    private static readonly string Example = Project.PathOf("examples", "15-cluster-ip-policy");

    private static async Task<PolicySite> MakeAsync()
    {
        var site = await PolicySite.MakeAsync(new PodPlace("shop", "near"), new("shop", "far", 2));
        var (near, far) = (site.Town["shop/near"], site.Town["shop/far"]);
        site.Town.Services.AddRange([
            new("far", "10.96.0.10", "fd96::10", 80, far, 8080), new("near", "10.96.0.11", "fd96::11", 80, near, 8080),
            new("local", "10.96.0.12", "fd96::12", 80, near, 8080) { IsLocal = true },
        ]);
        site.WriteServices();
        return site;
    }

    /// <summary>Nothing but packets tells that all is in force: what is to be dropped is, at last, and what is to arrive does (until the
    /// objects have been read all pods are closed); then all rows hold.</summary>
    private static async Task HoldAsync(PolicySite site, string configuration, string closed, string rows)
    {
        foreach (var node in (int[])[1, 2]) await site.StartAsync(Example, configuration, node);
        var (dropped, open) = (Rows.Probes(site.Town, closed).ToArray(), Rows.Probes(site.Town, Arriving(rows)).ToArray());
        await Until.TrueAsync("policy is in force", async () =>
        {
            var outcomes = await site.Prober.RunAsync([.. dropped, .. open], Prober.Moment);
            return outcomes.Take(dropped.Length).All(outcome => outcome.Arrival == null)
                && outcomes.Skip(dropped.Length).All(outcome => outcome.Arrival != null);
        }, PolicySite.Patience, site.LogAsync);
        await Rows.HoldAsync(site, Objects(configuration), rows);
    }

    private static string Arriving(string rows) =>
        string.Join('\n', rows.Split('\n').Where(row => row.Contains(" arrives", StringComparison.Ordinal)));

    private static string Objects(string configuration) => string.Join("\n---\n", Directory.EnumerateFiles(
        Path.Combine(Example, "resources"), "*.yaml", SearchOption.AllDirectories)
        .Where(file => !file.Contains(configuration == "bgpd.yaml" ? "local-mode" : "cluster-mode", StringComparison.Ordinal))
        .Select(File.ReadAllText));

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task In_cluster_mode_listed_clients_reach_the_service_and_all_its_traps_are_there()
    {
        await using var site = await MakeAsync();
        await HoldAsync(site, "bgpd.yaml", "4 outside service:far tcp/80 nothing\n4 outside node2 udp/8080 nothing", """
            4 customer service:far tcp/80 arrives as node1
            4 outside service:far tcp/80 nothing
            4 customer service:near tcp/80 nothing
            4 customer service:local tcp/80 nothing
            4 outside node1 tcp/8080 arrives
            4 outside node1 udp/8080 nothing
            4 outside node1 tcp/30080 nothing
            4 outside node1 tcp/22 arrives
            4 shop/far shop/near tcp/8080 nothing
            4 node1 shop/near tcp/8080 arrives
            4 shop/near outside tcp/80 arrives
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task In_local_mode_the_pods_policy_names_the_clients()
    {
        await using var site = await MakeAsync();
        await HoldAsync(site, Path.Combine("local", "bgpd.yaml"), "4 outside service:local tcp/80 nothing", """
            4 customer service:local tcp/80 arrives as customer
            4 outside service:local tcp/80 nothing
            4 customer shop/near tcp/8080 arrives
            4 outside shop/near tcp/8080 nothing
            4 outside node1 udp/8080 arrives
            """);
    }
}
