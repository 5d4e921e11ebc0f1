using System.Text.Json.Nodes;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary><c>bgpctl policy try</c> with packets: in force at once, taken back by itself or by order, over an upgrade the same.</summary>
public sealed class TrialTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a")];

    private PolicySite site = null!;
    private int? heir;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.Write(site.Town.Objects());
        await site.StartAsync();
        await site.InForceAsync();
        await File.WriteAllTextAsync(site.PathOf("closed.yaml"),
            Namespaced("red", "closed", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
                + "{ action: Deny, protocol: UDP }, { action: Allow }]"));
    }

    /// <summary>The process that has taken over is no child of ours: it is not there any more when the site goes.</summary>
    public async Task DisposeAsync()
    {
        if (heir is { } last) Signals.Send(last, "KILL");
        if (site != null) await site.DisposeAsync();
    }

    private async Task<JsonNode> BgpctlAsync(params string[] words)
    {
        var said = await Shell.RunAsync(Project.Bgpctl, ["--socket", site.PathOf("http1"), "--json", .. words]);
        Assert.True(said.Good, $"bgpctl {string.Join(' ', words)}: {said.Errors}\n{await site.LogAsync()}");
        return JsonNode.Parse(said.Output)!;
    }

    private async Task<bool> IsOpenAsync(int protocol = Protocols.Udp)
    {
        var (from, to) = (Place.Outside, site.Town["red/a"]);
        var outcomes = await site.Prober.RunAsync(
            [new Probe(from, from.Address(false), to.Address(false), protocol) { Port = 80 }], Prober.Moment);
        return outcomes[0].Arrival != null;
    }

    private Task BecomesAsync(bool isOpen, int protocol = Protocols.Udp) => Until.TrueAsync($"the pod is {(isOpen ? "open" : "closed")}",
        async () => await IsOpenAsync(protocol) == isOpen, PolicySite.Patience, site.LogAsync);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_nobody_confirms_is_taken_back_and_the_packets_pass_again()
    {
        await BecomesAsync(isOpen: true);
        await BgpctlAsync("policy", "try", site.PathOf("closed.yaml"), "--confirm-within", "2s");
        // Open it is before it is closed, too.
        await Until.TrueAsync("nothing is tried any more", async () => (await BgpctlAsync("status"))["trial"] == null,
            PolicySite.Patience, site.LogAsync);
        await BecomesAsync(isOpen: true);
        await BgpctlAsync("policy", "try", site.PathOf("closed.yaml"), "--confirm-within", "10m");
        await BecomesAsync(isOpen: false);
        await BecomesAsync(isOpen: true, Protocols.Tcp);
        await BgpctlAsync("policy", "confirm");
        Assert.False(await IsOpenAsync());
        await BgpctlAsync("policy", "revert");
        await BecomesAsync(isOpen: true);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_trial_goes_over_in_an_upgrade_and_no_packet_that_it_denies_passes_meanwhile()
    {
        var tried = await BgpctlAsync("policy", "try", site.PathOf("closed.yaml"), "--confirm-within", "10m");
        await BecomesAsync(isOpen: false);
        var sender = Task.Run(async () =>
        {
            var passed = 0;
            for (var n = 0; heir == null; n++) passed += await IsOpenAsync() ? 1 : 0;
            return passed;
        });
        heir = (await BgpctlAsync("upgrade"))["process"]!.GetValue<int>();
        Assert.Equal(0, await sender);
        Assert.False(await IsOpenAsync());
        var trial = (await BgpctlAsync("status"))["trial"]!;
        Assert.Equal((tried["until"]!.ToString(), "NetworkPolicy/red/closed"),
            (trial["until"]!.ToString(), trial["objects"]![0]!["object"]!.ToString()));
        await BgpctlAsync("policy", "revert");
        await BecomesAsync(isOpen: true);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Who_ends_the_daemon_has_the_rules_as_they_were_before_the_trial()
    {
        await BgpctlAsync("policy", "try", site.PathOf("closed.yaml"), "--confirm-within", "10m");
        await BecomesAsync(isOpen: false);
        site.Daemon.Signal("TERM");
        await site.Daemon.EndedAsync();
        Assert.Equal(0, site.Daemon.ExitCode);
        Assert.True(await IsOpenAsync());
        Assert.Contains("bgpd ends before anybody has confirmed what was tried, and it is taken back: NetworkPolicy/red/closed",
            site.Daemon.Said, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Nothing_is_confirmed_while_no_policy_is_in_force()
    {
        await BgpctlAsync("policy", "try", site.PathOf("closed.yaml"), "--confirm-within", "10m");
        site.Configuration = "";
        await site.ReloadAsync();
        var said = await Shell.RunAsync(Project.Bgpctl, ["--socket", site.PathOf("http1"), "policy", "confirm"]);
        Assert.False(said.Good);
        Assert.Contains("network policy is off: bgpd.yaml has no section policy", said.Errors, StringComparison.Ordinal);
        await BgpctlAsync("policy", "revert");
    }
}
