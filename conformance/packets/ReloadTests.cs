
namespace Calico.Bgp.Conformance.Packets;

/// <summary>The section <c>nat</c> of bgpd.yaml comes, changes and goes while the daemon runs.</summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private const string Source = "192.168.1.2";
    private Site site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await Site.MakeAsync();
        site.Write(Site.Pools(felix: ", natOutgoingAddress: \"172.20.0.9,172.20.0.10\""));
        foreach (var address in (string[])["172.20.0.9", "172.20.0.10"]) await site.Node.IpAsync($"addr add {address}/32 dev eth0");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task<string?> SeenAsync() =>
        (await Echo.SeenAsync(site["nat"], Source, Site.Outside4, Transport.Tcp))?.Address.ToString();

    private Task<string> RulesetAsync() => site.Node.DoAsync("nft", "list", "ruleset");

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task The_section_takes_effect_when_it_comes_when_it_changes_and_when_it_goes()
    {
        site.Configuration = "";
        await site.StartAsync(withTable: false);
        await site.AnsweringAsync();
        Assert.Equal((Source, ""), (await SeenAsync(), await RulesetAsync()));

        site.Configuration = "nat: { enabled: true }\n";
        await site.ReloadAsync();
        await site.TableAsync(table => table.Contains("numgen random"), "NAT has begun");
        Assert.StartsWith("172.20.0.", await SeenAsync(), StringComparison.Ordinal);

        site.Configuration = "nat: { persistent: true }\n";
        await site.ReloadAsync();
        await site.TableAsync(table => table.Contains("jhash"), "sources have their shares");

        site.Configuration = "";
        await site.ReloadAsync();
        await Until.TrueAsync("the table is gone", async () => await RulesetAsync() == "", Site.Patience, site.LogAsync);
        Assert.Equal(Source, await SeenAsync());
        Assert.Contains("bgpd.yaml asks for nothing in table inet bgpd any more", await site.LogAsync());
        Assert.Contains("\"enabled\":false", await site.HttpAsync("/v1/nat"));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Switched_off_it_leaves_nothing_and_switched_on_it_is_back()
    {
        await site.StartAsync();
        site.Configuration = "nat: { enabled: false }\n";
        await site.ReloadAsync();
        await Until.TrueAsync("the table is gone", async () => await RulesetAsync() == "", Site.Patience, site.LogAsync);
        site.Configuration = "nat: { enabled: true }\n";
        await site.ReloadAsync();
        await site.TableAsync(table => table.Contains("@nat-masq4"), "NAT has begun again");
    }
}
