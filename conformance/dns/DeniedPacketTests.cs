using Calico.Bgp.Conformance.Policy;
using static Calico.Bgp.Conformance.Dns.NameSite;

namespace Calico.Bgp.Conformance.Dns;

/// <summary>
/// Where the packet that follows a response waits, and not the response: <c>mode: deny-delay</c>, Calico's DelayDeniedPacket
/// (reference/calico-policy-nat.md, 4.1).
/// </summary>
public sealed class DeniedPacketTests : IAsyncLifetime
{
    private const string Policy = $"policy: {{ dns: {{ mode: deny-delay, {Patient} }} }}";

    private static readonly string Wildcard = Egress("names", Names("*.example.org"));

    private NameSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await NameSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private void AnswerByNumber()
    {
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of($"10.77.1.{asked.Name[1..].Split('.')[0]}"));
        site.TrustedOf6.Answers = asked => Message.Answer(asked, Record.Of($"fd77::{asked.Name[1..].Split('.')[0]}"));
    }

    /// <summary>As many as there are: some of them are faster than the kernel is told, and none is lost.</summary>
    private async Task EachPassesAsync(string from, int lookups)
    {
        for (var i = 1; i <= lookups; i++)
        {
            await site.AskAsync(from, Trusted4, $"n{i}.example.org");
            Assert.True(await site.IsOpenAsync(from, $"10.77.1.{i}"), $"{i}, {await site.HeardAsync()}");
            await site.AskAsync(from, Trusted6, $"n{i}.example.org", Record.Aaaa);
            Assert.True(await site.IsOpenAsync(from, $"fd77::{i}"), $"{i}, IPv6, {await site.HeardAsync()}");
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task The_first_packet_to_a_name_passes_each_time_and_what_is_denied_is_counted_once()
    {
        AnswerByNumber();
        await site.StartAsync(site.Objects() + Wildcard, Policy);
        var before = await site.DeniedAsync();
        Assert.False(await site.IsOpenAsync("red/a", "10.77.1.1"));
        Assert.Equal(before + 1, await site.DeniedAsync());
        await EachPassesAsync("red/a", 200);
        Assert.Equal(before + 1, await site.DeniedAsync());
        // Who has not asked has nothing of it.
        Assert.False(await site.IsOpenAsync("red/b", "10.77.1.1"));
        Assert.False(await site.IsOpenAsync("red/b", "fd77::1"));
        Assert.Equal(before + 3, await site.DeniedAsync());
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task In_front_of_a_rule_that_denies_it_waits_too_as_Calicos_resource_asks_for_it()
    {
        AnswerByNumber();
        await site.StartAsync(site.Objects(more: ", nftablesDNSPolicyMode: DelayDeniedPacket")
            + Egress("names", Names("*.example.org") + ", { action: Deny }"));
        Assert.False(await site.IsOpenAsync("red/a", "10.77.1.1"));
        await EachPassesAsync("red/a", 50);
        Assert.False(await site.IsOpenAsync("red/b", "10.77.1.1"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_the_host_itself_sends_waits_too()
    {
        AnswerByNumber();
        await site.StartAsync(site.Objects() + Yaml.HostEndpoint("eth0", "host: here", "interfaceName: eth0")
            + Egress("names", Names("*.example.org"), "host == 'here'"), Policy);
        Assert.False(await site.IsOpenAsync("node1", "10.77.1.1"));
        await EachPassesAsync("node1", 50);
        Assert.False(await site.IsOpenAsync("node1", "10.77.1.99"));
    }

    /// <summary>Nobody is there to have it judged again: it is lost, and comes to whoever is there next.</summary>
    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Without_the_daemon_what_was_denied_stays_so_and_the_DNS_answers()
    {
        AnswerByNumber();
        await site.StartAsync(site.Objects() + Wildcard, Policy);
        await EachPassesAsync("red/a", 1);
        await site.Site.Daemon.KillAsync();
        await site.AskAsync("red/a", Trusted4, "n2.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.1.1"));
        var denied = site.IsOpenAsync("red/a", "10.77.1.2");
        await site.StartAsync(site.Objects() + Wildcard, Policy);
        Assert.False(await denied);
        await EachPassesAsync("red/a", 2);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_reload_has_the_response_wait_or_the_packet()
    {
        AnswerByNumber();
        await site.StartAsync(site.Objects() + Wildcard);
        foreach (var mode in (string[])["DelayDeniedPacket", "DelayDNSResponse", "DelayDeniedPacket"])
        {
            await site.Site.PutAsync(site.Objects(more: $", nftablesDNSPolicyMode: {mode}") + Wildcard);
            var chains = await site.Site.Node.DoAsync("nft", "list", "chains", "inet");
            Assert.Equal(mode == "DelayDeniedPacket", chains.Contains("chain pol-dns-denied", StringComparison.Ordinal));
            Assert.False(await site.IsOpenAsync("red/b", "10.77.1.1"));
            await EachPassesAsync("red/a", 20);
        }
    }
}
