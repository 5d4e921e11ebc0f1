using System.Diagnostics;
using Calico.Bgp.Conformance.Policy;
using static Calico.Bgp.Conformance.Dns.NameSite;

namespace Calico.Bgp.Conformance.Dns;

/// <summary>How long a name is open, whatever happens to policies and to the daemon meanwhile.</summary>
public sealed class NameLifeTests : IAsyncLifetime
{
    private const int Ttl = 25;

    private NameSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await NameSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>Connections one after the other, to the end of its time: one that is refused before has had its name closed too
    /// early.</summary>
    private async Task<List<TimeSpan>> RefusedAsync(long asked, CancellationToken stop)
    {
        var refused = new List<TimeSpan>();
        while (!stop.IsCancellationRequested)
        {
            var isOpen = await site.IsOpenAsync("red/a", "10.77.0.1");
            if (!isOpen) refused.Add(Stopwatch.GetElapsedTime(asked));
            await Task.Delay(20, CancellationToken.None);
        }
        return refused;
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_is_open_stays_so_over_edits_a_restart_and_a_kill_and_is_closed_after_its_time()
    {
        site.Trusted.Answers = asked => Message.Answer(asked, Record.Of("10.77.0.1", Ttl));
        var file = site.Site.PathOf("dns.json");
        var policy = $"policy: {{ dns: {{ cacheFile: {file}, {Patient} }} }}";
        var objects = site.Objects(more: ", dnsCacheSaveInterval: 1s");
        string Edited(int edit) => objects + Egress("names", Names("*.example.org", $"edit{edit}.test"));
        await site.StartAsync(Edited(0), policy);
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
        var asked = Stopwatch.GetTimestamp();
        await site.AskAsync("red/a", Trusted4, "www.example.org");
        Assert.True(await site.IsOpenAsync("red/a", "10.77.0.1"));
        using var over = new CancellationTokenSource();
        var refused = RefusedAsync(asked, over.Token);

        await site.Site.PutAsync(Edited(1));
        site.Site.Daemon.Signal("TERM");
        await site.Site.Daemon.EndedAsync();
        await site.StartAsync(Edited(2), policy);
        await site.Site.PutAsync(Edited(3));
        // Where all this takes longer than the name has, nothing is left to be lost.
        await Until.TrueAsync("what is known is written down", async () => Stopwatch.GetElapsedTime(asked) > TimeSpan.FromSeconds(Ttl)
            || (await File.ReadAllTextAsync(file)).Contains("www.example.org", StringComparison.Ordinal), PolicySite.Patience);
        await site.Site.Daemon.KillAsync();
        await site.StartAsync(Edited(3), policy);
        await site.Site.PutAsync(Edited(4));

        await Until.TrueAsync("its time is over", async () => !await site.IsOpenAsync("red/a", "10.77.0.1"), PolicySite.Patience,
            site.Site.LogAsync);
        await over.CancelAsync();
        Assert.DoesNotContain(await refused, at => at < TimeSpan.FromSeconds(Ttl));
        // Nor does an edit bring it back.
        await site.Site.PutAsync(Edited(5));
        Assert.False(await site.IsOpenAsync("red/a", "10.77.0.1"));
    }
}
