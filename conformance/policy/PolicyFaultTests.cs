using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>The daemon dies, others change its table, its objects are out of reach, endpoints come and go: and packets?</summary>
public sealed class PolicyFaultTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "far", 2)];

    /// <summary>Pods of red are asked on port 80 by everybody and on 443 by those with a label; eth0 is closed but for the same.</summary>
    private static readonly string Policies = HostEndpoint("eth0", "host: here", "interfaceName: eth0")
        + Set("friends", "set: friends", "203.0.113.0/24, \"2001:db8:1::/64\"")
        + Namespaced("red", "web", "selector: all(), types: [Ingress], "
            + "ingress: [{ action: Allow, protocol: TCP, destination: { ports: [80] } }]")
        + Global("friends", "selector: \"projectcalico.org/namespace == 'red' || has(host)\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, source: { selector: \"set == 'friends'\" }, destination: { ports: [443] } }]");

    private const string Verdicts = """
        outside red/a tcp/80 arrives
        blue/c red/b tcp/80 arrives
        customer red/a tcp/443 arrives
        customer node1 tcp/443 arrives
        outside red/a tcp/443 nothing
        outside red/b udp/80 nothing
        blue/c red/a tcp/81 nothing
        outside node1 tcp/443 nothing
        outside node1 udp/8080 nothing
        """;

    private PolicySite site = null!;
    private string objects = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        objects = site.Town.Objects() + Policies;
        site.Write(objects);
        await site.StartAsync();
        await site.InForceAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>From outside, from node 2 and between pods, in both families.</summary>
    private Task<Flows> FlowsAsync(int rounds) => Flows.BeginAsync(Enumerable.Range(0, rounds)
        .SelectMany(_ => Ways.SelectMany(way => new[] { false, true }
            .Select(isIPv6 => Flow.BeginAsync(site, way.From, way.To, 80, isIPv6)))));

    private static readonly (string From, string To)[] Ways =
        [("outside", "red/a"), ("customer", "red/b"), ("blue/far", "red/a"), ("blue/c", "red/b"), ("red/a", "outside")];

    private Task ClosedAgainAsync() => Until.TrueAsync("what is denied is dropped again", async () =>
    {
        var probe = new Probe(Place.Outside, Place.Outside.Address(false), site.Town["red/a"].Address(false), Protocols.Sctp) { Port = 80 };
        return (await site.Prober.RunAsync([probe], TimeSpan.FromMilliseconds(50)))[0].Arrival == null;
    }, PolicySite.Patience, site.LogAsync);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_killed_daemon_leaves_its_rules_and_a_new_one_takes_up_what_was_edited_meanwhile()
    {
        await using var flows = await FlowsAsync(5);
        await site.Daemon.KillAsync();
        await Rows.HoldAsync(site, objects, Verdicts);
        var edited = objects.Replace("ports: [80]", "ports: [81]", StringComparison.Ordinal);
        site.Write(edited);
        await Rows.HoldAsync(site, objects, Verdicts);
        await site.StartAsync();
        await site.InForceAsync();
        await Rows.HoldAsync(site, edited, """
            outside red/a tcp/80 nothing
            blue/c red/b tcp/80 nothing
            outside red/a tcp/81 arrives
            customer red/a tcp/443 arrives
            outside node1 udp/8080 nothing
            """);
        Wrong.None(await flows.EndAsync());
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_killed_daemon_that_starts_again_lets_nothing_through_and_stops_nothing_meanwhile()
    {
        await using var flows = await FlowsAsync(1);
        await site.Daemon.KillAsync();
        await site.StartAsync();
        // All the while it reads, compares and takes over.
        for (var look = 0; look < 5; look++) await Rows.HoldAsync(site, objects, Verdicts);
        await site.PutAsync(objects);
        await Rows.HoldAsync(site, objects, Verdicts);
        Wrong.None(await flows.EndAsync());
    }

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData("delete table inet bgpd")]
    [InlineData("flush table inet bgpd")]
    public async Task What_others_do_to_the_table_is_put_right_and_no_flow_is_cut(string command)
    {
        await using var flows = await FlowsAsync(1);
        for (var time = 1; time <= 3; time++)
        {
            await site.Node.DoAsync("nft", command.Split(' '));
            await ClosedAgainAsync();
            await HoldsAgainAsync();
        }
        Wrong.None(await flows.EndAsync());
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Sets_that_others_empty_and_chains_that_they_flush_are_put_right_one_by_one()
    {
        var listed = await site.Node.DoAsync("nft", "list", "table", "inet", "bgpd");
        var parts = listed.Split('\n').Select(line => line.Trim().Split(' ')).Where(words => words is ["set" or "chain" or "map", _, "{"])
            .Select(words => (Kind: words[0], Name: words[1])).ToArray();
        Assert.Contains(parts, part => part.Kind == "set");
        Assert.Contains(parts, part => part.Kind == "chain");
        await using var flows = await FlowsAsync(1);
        foreach (var (kind, name) in parts)
        {
            await site.Node.DoAsync("nft", "flush", kind, "inet", "bgpd", name);
            await HoldsAgainAsync();
        }
        Wrong.None(await flows.EndAsync());
    }

    /// <summary>Nothing tells that a repair has been made but packets.</summary>
    private Task HoldsAgainAsync() => Until.TrueAsync("all verdicts are right again", async () =>
    {
        var trial = new Trial(site);
        return (await trial.WrongAsync(objects, Rows.Probes(site.Town, Verdicts))).Count == 0;
    }, PolicySite.Patience, site.LogAsync);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Objects_that_cannot_be_read_stay_in_force_as_they_were()
    {
        Directory.Move(site.Resources, site.Resources + "-gone");
        await Until.StaysAsync("verdicts", async () =>
        {
            await Rows.HoldAsync(site, objects, Verdicts);
            return true;
        }, 3);
        Directory.Move(site.Resources + "-gone", site.Resources);
        var edited = objects.Replace("ports: [80]", "ports: [81]", StringComparison.Ordinal);
        await site.PutAsync(edited);
        await Rows.HoldAsync(site, edited, """
            outside red/a tcp/80 nothing
            outside red/a tcp/81 arrives
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_pod_is_closed_until_it_is_known_and_again_when_it_is_gone()
    {
        const string Open = """
            outside red/new tcp/80 arrives
            red/new outside udp/80 arrives
            red/new blue/c tcp/81 arrives
            outside red/new tcp/81 nothing
            """;
        await site.AddAsync(new("red", "new"));
        for (var round = 0; round < 5; round++)
        {
            await Rows.HoldAsync(site, objects, string.Join('\n', Open.Split('\n').Select(row => row.Replace("arrives", "nothing"))));
            await site.PutAsync(site.Town.Objects() + Policies);
            await Rows.HoldAsync(site, site.Town.Objects() + Policies, Open);
            await site.PutAsync(objects);
        }
    }
}
