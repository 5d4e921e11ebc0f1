// One router and as many scripted neighbours as a rule needs: .2, .3, .4 … are theirs, .1 is ours, AS 65001.
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Rfc;

internal sealed class Stage : IAsyncDisposable
{
    public const uint OurAs = 65001;
    private readonly List<ScriptedPeer> peers = [];
    private Netns ours = null!, feeder = null!;

    public BgpdRouter Router { get; private set; } = null!;

    public static async Task<Stage> MakeAsync(params Neighbour[] neighbours)
    {
        var stage = new Stage { ours = await Netns.MakeAsync("us"), feeder = await Netns.MakeAsync("feed") };
        await Netns.JoinAsync(stage.ours, "eth0", ["10.99.0.1/24"], stage.feeder, "eth0", [.. neighbours.Select(n => n.Remote + "/24")]);
        stage.Router = new BgpdRouter(stage.ours, new(OurAs, "10.99.0.1", neighbours, [], 90));
        await stage.Router.StartAsync();
        return stage;
    }

    public static Neighbour External(string name, int host, uint asn = 65002) =>
        new(name, "10.99.0.1", $"10.99.0.{host}", asn, Passive: true);
    public static Neighbour Internal(string name, int host) => new(name, "10.99.0.1", $"10.99.0.{host}", OurAs, Passive: true);

    /// <summary>This neighbour's session, established.</summary>
    public async Task<ScriptedPeer> JoinAsync(Neighbour neighbour, string? identifier = null)
    {
        var peer = await ScriptedPeer.EstablishAsync(feeder, neighbour.Remote, neighbour.Local, neighbour.RemoteAs,
            identifier ?? neighbour.Remote);
        peers.Add(peer);
        return peer;
    }

    public static Task HasAsync(ScriptedPeer peer, string prefix) =>
        Until.TrueAsync($"the neighbour is told {prefix}", () => peer.Route(prefix) != null, 10);

    public static Task LosesAsync(ScriptedPeer peer, string prefix) =>
        Until.TrueAsync($"{prefix} is withdrawn", () => peer.Route(prefix) == null, 10);

    /// <summary>ORIGIN IGP, a path, and what else is said.</summary>
    public static byte[] Attributes(uint[] path, params byte[] more) =>
        [.. Octets.Attribute(0x40, 1, 0), .. Path(path), .. more];

    public static byte[] Path(params uint[] path) =>
        Octets.Attribute(0x40, 2, path.Length == 0 ? [] : [2, (byte)path.Length, .. path.SelectMany(Octets.U32)]);

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in peers) await peer.DisposeAsync();
        if (Router != null) await Router.DisposeAsync();
        await ours.RemoveAsync();
        await feeder.RemoveAsync();
    }
}
