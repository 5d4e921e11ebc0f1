// A real BIRD and our daemon in the same situation: equal addresses, equal neighbours, equal routes; and both asked the same.
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Birdc;

public sealed class Twins : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> running = [];
    private readonly List<Netns> spaces = [];
    private BirdcRouter bird = null!, ours = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "bird", "birdc") != null) return;
        bird = await MakeAsync("bird");
        ours = await MakeAsync(Project.Subject);
    }

    internal async Task<(string Bird, string Ours)> AskAsync(string words) => (await bird.AskAsync(words), await ours.AskAsync(words));

    private async Task<BirdcRouter> MakeAsync(string name)
    {
        var (router, feeder) = (await SpaceAsync("us"), await SpaceAsync("feed"));
        await Netns.JoinAsync(router, "eth0", ["10.99.0.1/24", "fd99::1/64"], feeder, "eth0",
            ["10.99.0.2/24", "10.99.0.3/24", "fd99::2/64"]);
        Neighbour[] neighbours =
        [
            new("ext4", "10.99.0.1", "10.99.0.2", 65002, Passive: true), new("int4", "10.99.0.1", "10.99.0.3", 65001, Passive: true),
            new("ext6", "fd99::1", "fd99::2", 65002, Passive: true), new("gone4", "10.99.0.1", "10.99.0.9", 65009, Passive: true),
        ];
        var made = (BirdcRouter)Router.Make(name, router,
            new(65001, "10.99.0.1", neighbours, ["192.0.2.0/24", "2001:db8:a::/48"], 240, Twin: true, AllowAsSets: true));
        running.Add(made);
        await made.StartAsync();
        await FeedAsync(feeder, "10.99.0.2", "10.99.0.1", 65002, RichRoute.IPv4, "198.51.100.0/24");
        await FeedAsync(feeder, "10.99.0.3", "10.99.0.1", 65001, "198.51.100.0/24", "100.64.0.0/10");
        await FeedAsync(feeder, "fd99::2", "fd99::1", 65002, RichRoute.IPv6, "2001:db8:c::/48");
        foreach (var prefix in new[] { RichRoute.IPv4, RichRoute.IPv6, "198.51.100.0/24", "100.64.0.0/10", "2001:db8:c::/48" })
            await Until.TrueAsync($"{name} has {prefix}", async () => (await made.AskAsync($"show route {prefix}")).Contains(prefix), 30,
                () => made.Said);
        return made;
    }

    private async Task FeedAsync(Netns feeder, string source, string target, uint asn, params string[] prefixes)
    {
        var peer = await ScriptedPeer.EstablishAsync(feeder, source, target, asn, source.Contains(':') ? "10.99.0.6" : source, 240);
        running.Add(peer);
        foreach (var prefix in prefixes)
            await peer.AnnounceAsync(prefix, source, asn == 65001 ? Plain("40020602010000fde8" + "40050400000096")
                : prefix.StartsWith("203", StringComparison.Ordinal) || prefix == RichRoute.IPv6
                ? RichRoute.From(asn) : Plain("40020602010000fdea" + "80040400000007"));
        await peer.SendAsync(Octets.Message(Octets.Update,
            target.Contains(':') ? Octets.Hex("00000006 800f03000201") : Octets.Hex("00000000")));
    }

    private static byte[] Plain(string others) => Octets.Hex("40010100" + others);

    private async Task<Netns> SpaceAsync(string role)
    {
        var made = await Netns.MakeAsync(role);
        spaces.Add(made);
        return made;
    }

    public async Task DisposeAsync()
    {
        foreach (var one in running) await one.DisposeAsync();
        foreach (var space in spaces) await space.RemoveAsync();
    }
}
