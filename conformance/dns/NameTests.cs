using Calico.Bgp.Conformance.Policy;
using static Calico.Bgp.Conformance.Dns.NameSite;

namespace Calico.Bgp.Conformance.Dns;

/// <summary>Rules by names (reference/calico-policy-nat.md, 4.1, 4.2 and C.4's rows 23 to 27), with servers that can lie.</summary>
public sealed class NameTests : IAsyncLifetime
{
    private NameSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await NameSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static readonly string Wildcard = Egress("names", Names("*.example.org"));

    /// <summary>Every name of a server has these, of the type that is asked for.</summary>
    private static Func<Asked, byte[]> All(uint ttl, params string[] addresses) => asked => Message.Answer(asked,
        [.. addresses.Select(address => Record.Of(address, ttl)).Where(record => record.Type == asked.Type)]);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task The_first_packet_to_a_name_passes_each_time()
    {
        const int lookups = 200;
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of($"10.77.1.{asked.Name[1..].Split('.')[0]}"));
        site.TrustedOf6.Answers = asked => Message.Answer(asked, Record.Of($"fd77::{asked.Name[1..].Split('.')[0]}"));
        await site.StartAsync(site.Objects() + Wildcard);
        Assert.False(await site.IsOpenAsync("red/a", "10.77.1.1"));
        var denied = await site.DeniedAsync();
        Assert.NotEqual(0, denied);
        for (var i = 1; i <= lookups; i++)
        {
            await site.AskAsync("red/a", Trusted4, $"n{i}.example.org");
            Assert.True(await site.IsOpenAsync("red/a", $"10.77.1.{i}"), $"{i}, {await site.HeardAsync()}");
            await site.AskAsync("red/a", Trusted6, $"n{i}.example.org", Record.Aaaa);
            Assert.True(await site.IsOpenAsync("red/a", $"fd77::{i}"), $"{i}");
        }
        Assert.Equal(denied, await site.DeniedAsync());
        // Who has not asked has nothing of it.
        Assert.False(await site.IsOpenAsync("red/b", "10.77.1.1"));
        Assert.False(await site.IsOpenAsync("red/b", "fd77::1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task With_isolation_by_node_what_one_looks_up_is_open_to_all_that_have_a_rule_for_it()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        await site.StartAsync(site.Objects() + Wildcard, $"policy: {{ dns: {{ isolation: node, {Patient} }} }}");
        Assert.False(await site.IsOpenAsync("red/b", "10.77.0.1"));
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        Assert.True(await site.IsOpenAsync("red/b", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Patterns_match_as_Calico_says_and_case_and_trailing_dots_do_not_matter()
    {
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of(asked.Name.ToLowerInvariant() switch
        {
            "example.org" => "10.77.0.1",
            "a.b.example.org" => "10.77.0.2",
            "www.x.com" => "10.77.0.3",
            "update.eu.x.com" => "10.77.0.4",
            "one.test" => "10.77.0.5",
            "two.one.test" => "10.77.0.6",
            _ => "10.77.0.99",
        }));
        await site.StartAsync(site.Objects() + Egress("names", Names("*.example.org", "update.*.x.com", "One.Test.")));
        foreach (var (name, address, isOpen) in ((string, string, bool)[])
            [
                ("example.org", "10.77.0.1", false), ("A.b.EXAMPLE.org", "10.77.0.2", true), ("www.x.com", "10.77.0.3", false),
                ("update.eu.x.com", "10.77.0.4", true), ("ONE.test", "10.77.0.5", true), ("two.one.test", "10.77.0.6", false),
            ])
        {
            await site.AskAsync("red/a", Trusted4, name);
            Assert.True(isOpen == await site.IsOpenAsync("red/a", address), name);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Aliases_lead_to_addresses_within_a_response_and_across_several()
    {
        site.Trusted.Answers = asked => asked.Name switch
        {
            "www.example.org" => Message.Answer(asked, Record.Alias("cdn.example.net"), Record.Of("10.77.0.1", owner: "cdn.example.net")),
            "far.example.org" => Message.Answer(asked, Record.Alias("far.example.net")),
            "far.example.net" => Message.Answer(asked, Record.Of("10.77.0.2")),
            _ => Message.Answer(asked),
        };
        await site.StartAsync(site.Objects() + Wildcard);
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        var explained = await site.Site.HttpAsync("/v1/policy/explain?src=red/a&dst=10.77.0.1&protocol=tcp:7000");
        Assert.Contains("10.77.0.1 is open by www.example.org, which is cdn.example.net: 198.51.100.53 has told", explained,
            StringComparison.Ordinal);
        Assert.Contains("\"verdict\":\"allow\"", explained, StringComparison.Ordinal);
        Assert.Contains("\"verdict\":\"deny\"",
            await site.Site.HttpAsync("/v1/policy/explain?src=red/b&dst=10.77.0.1&protocol=tcp:7000"), StringComparison.Ordinal);
        await site.AskAsync("red/a", Trusted4, "far.example.org");
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.2"));
        await site.AskAsync("red/a", Trusted4, "far.example.net");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.2"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Ports_count_beside_names()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        string At(int port) => site.Objects() + Egress("names",
            $"{{ action: Allow, protocol: TCP, destination: {{ domains: [\"*.example.org\"], ports: [{port}] }} }}");
        await site.StartAsync(At(443));
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
        await site.Site.PutAsync(At(NameSite.Port));
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Over_TCP_a_name_opens_as_over_UDP()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        site.TrustedOf6.Answers = All(300, "fd77::1");
        await site.StartAsync(site.Objects() + Wildcard);
        await site.AskAsync("red/a", Trusted4, "www.example.org", tcp: true);
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        await site.AskAsync("red/a", Trusted6, "www.example.org", Record.Aaaa, tcp: true);
        Assert.True(await site.IsOpenAsync("red/a", "fd77::1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_nobody_asked_for_and_what_another_server_says_opens_nothing_and_passes()
    {
        await site.StartAsync(site.Objects() + Wildcard);
        site.Trusted.Answers = asked => Message.WithId(All(300, "10.77.0.1")(asked), 1);
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        site.Trusted.Answers = asked => All(300, "10.77.0.1")(Message.Read(Message.Query(asked.Id, "other.example.org", Record.A)));
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        site.Other.Answers = All(300, "10.77.0.1");
        await site.AskAsync("red/a", Other4, "www.example.org");
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
        site.Trusted.Answers = All(300, "10.77.0.1");
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task After_its_time_no_new_connection_is_let_through_and_one_that_stands_goes_on()
    {
        site.Trusted.Answers = All(1, "10.77.0.1");
        await site.StartAsync(site.Objects() + Wildcard, $"policy: {{ dns: {{ minTTL: 0s, {Patient} }} }}");
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        using var standing = await site.ConnectAsync("red/a", "10.77.0.1");
        Assert.NotNull(standing);
        await Until.TrueAsync("its time is over", async () => !await site.IsOpenAsync("red/a", "10.77.0.1"), PolicySite.Patience,
            site.Site.LogAsync);
        Assert.True(await GoesOnAsync(standing));
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Without_the_daemon_the_DNS_answers_what_was_open_stays_so_and_nothing_else_opens()
    {
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of(asked.Name == "www.example.org" ? "10.77.0.1" : "10.77.0.2"));
        await site.StartAsync(site.Objects() + Wildcard);
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        await site.Site.Daemon.KillAsync();
        await site.AskAsync("red/a", Trusted4, "new.example.org");
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.2"));
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        await site.StartAsync(site.Objects() + Wildcard);
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.2"));
        await site.AskAsync("red/a", Trusted4, "new.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.2"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_was_looked_up_outlives_a_restart_and_an_edit_while_nobody_was_there()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        var policy = $"policy: {{ dns: {{ cacheFile: {site.Site.PathOf("dns.json")}, {Patient} }} }}";
        await site.StartAsync(site.Objects() + Egress("names", Names("something.else")), policy);
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        site.Site.Daemon.Signal("TERM");
        await site.Site.Daemon.EndedAsync();
        await site.StartAsync(site.Objects() + Wildcard, policy);
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        Assert.False(await site.IsOpenAsync("red/b", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task Whoever_watches_sees_who_asks_what_is_answered_and_what_that_opens()
    {
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of(asked.Name == "www.example.org" ? "10.77.0.1" : "10.77.0.2"));
        await site.StartAsync(site.Objects() + Wildcard);
        var told = site.Site.PathOf("watched");
        await using var watching = Background.Start(
            site.Site.Node, told, null, Project.Bgpctl, "--socket", site.Site.PathOf("http1"), "dns", "watch", "--json");
        // Until it is watched, nothing is kept.
        Task SeenAsync(string name, string what) => Until.TrueAsync($"{name} is told", async () =>
        {
            await site.AskAsync("red/a", Trusted4, name);
            return File.Exists(told) && File.ReadAllLines(told).Any(line => line.Contains(what, StringComparison.Ordinal)
                && line.Contains($"\"endpoint\":\"red/a\",\"name\":\"{name}\",\"type\":\"A\",\"server\":\"{Trusted4}\"",
                    StringComparison.Ordinal));
        }, PolicySite.Patience, site.Site.LogAsync);
        await SeenAsync("www.example.org", "\"address\":\"10.77.0.1\",\"by\":\"*.example.org\"");
        await SeenAsync("other.example.net",
            "\"result\":\"nothing\",\"heldMicroseconds\":0,\"addresses\":[\"10.77.0.2\"],\"opened\":[]");
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_cache_file_that_is_damaged_is_said_at_the_start_and_set_aside()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        var file = site.Site.PathOf("dns.json");
        await File.WriteAllTextAsync(file, "{ \"version\": 1,");
        await site.StartAsync(site.Objects() + Wildcard, $"policy: {{ dns: {{ cacheFile: {file}, {Patient} }} }}");
        Assert.Contains($"{file} cannot be read, and nothing of what was looked up is known: line 1, octet ", await site.Site.LogAsync(),
            StringComparison.Ordinal);
        Assert.Equal("{ \"version\": 1,", await File.ReadAllTextAsync(file + ".unreadable"));
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        site.Site.Daemon.Signal("TERM");
        await site.Site.Daemon.EndedAsync();
        Assert.Contains("www.example.org", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_somebody_flushes_is_open_again_at_once()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        await site.StartAsync(site.Objects() + Wildcard);
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        var listing = await site.Site.Node.DoAsync("nft", "list", "sets", "table", "inet", "bgpd");
        var set = System.Text.RegularExpressions.Regex.Match(listing, "set (pol-dns4-[0-9a-f]+) ").Groups[1].Value;
        await site.Site.Node.DoAsync("nft", "flush", "set", "inet", "bgpd", set);
        await Until.TrueAsync("it is open again", () => site.IsOpenAsync("red/a", "10.77.0.1"), PolicySite.Patience, site.Site.LogAsync);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_name_that_an_edit_allows_is_open_as_far_as_it_was_looked_up()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        await site.StartAsync(site.Objects() + Egress("names", Names("something.else")));
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
        await site.Site.PutAsync(site.Objects() + Egress("names", Names("something.else", "www.example.org")));
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        Assert.False(await site.IsOpenAsync("red/b", "10.77.0.1"));
        await site.Site.PutAsync(site.Objects() + Egress("names", Names("something.else")));
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Names_of_network_sets_that_a_destination_selects_are_allowed_beside_their_networks()
    {
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of(asked.Name == "www.example.org" ? "10.77.0.1" : "10.77.0.2"));
        const string rule = "{ action: Allow, protocol: TCP, destination: { selector: partner == 'yes' } }";
        const string network = """
            ---
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkSet
            metadata: { name: partners, labels: { partner: "yes" } }
            spec: { nets: [10.77.5.0/24], allowedEgressDomains: [NAMES] }

            """;
        await site.StartAsync(site.Objects() + Egress("names", rule) + network.Replace("NAMES", "www.example.org"));
        foreach (var name in (string[])["www.example.org", "two.example.org"]) await site.AskAsync("red/a", Trusted4, name);
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        Assert.True(await site.IsOpenAsync("red/a", "10.77.5.1"));
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.2"));
        await site.Site.PutAsync(site.Objects() + Egress("names", rule) + network.Replace("NAMES", "two.example.org"));
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.2"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_service_in_front_of_the_server_is_trusted_and_followed()
    {
        using var behind = site.Serve("198.51.100.1", 5353);
        behind.Answers = All(300, "10.77.0.1", "fd77::1");
        using var behindOf6 = site.Serve("fd98::1", 5353);
        behindOf6.Answers = behind.Answers;
        const string service = """
            ---
            apiVersion: v1
            kind: Service
            metadata: { name: kube-dns, namespace: kube-system }
            spec:
              clusterIP: 10.96.0.10
              clusterIPs: [10.96.0.10, "fd96::10"]
              ports: [{ name: dns, protocol: UDP, port: 53, targetPort: 5353 }]

            """;
        site.Site.Town.Services.Add(new Service("dns", "10.96.0.10", "fd96::10", 53, Place.Outside, 5353));
        site.Site.WriteServices();
        await site.StartAsync(site.Objects("\"k8s-service:kube-system/kube-dns\"") + Wildcard
            .Replace("ports: [53]", "ports: [53, 5353]", StringComparison.Ordinal) + service);
        await site.AskAsync("red/a", "10.96.0.10", "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        await site.AskAsync("red/a", "fd96::10", "www.example.org", Record.Aaaa, tcp: true);
        Assert.True(await site.IsOpenAsync("red/a", "fd77::1"));
        // Whoever stands behind it is believed as the service alone.
        Assert.False(await site.IsOpenAsync("red/b", "10.77.0.1"));
        await site.AskAsync("red/b", "198.51.100.1", "www.example.org", port: 5353);
        Assert.False(await site.IsOpenAsync("red/b", "10.77.0.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_host_endpoint_goes_by_names_that_the_host_itself_looks_up()
    {
        site.Trusted.Answers = All(300, "10.77.0.1");
        await site.StartAsync(site.Objects() + Yaml.HostEndpoint("eth0", "host: here", "interfaceName: eth0")
            + Egress("names", Names("*.example.org"), "host == 'here'"));
        Assert.False(await site.IsOpenAsync("node1", "10.77.0.1"));
        await site.AskAsync("node1", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("node1", "10.77.0.1"));
    }
}
