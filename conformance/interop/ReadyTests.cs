using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>A table is complete without an End-of-RIB where nobody has promised one.</summary>
public sealed class ReadyTests
{
    /// <summary>All announce graceful restart for no family; FRR sends End-of-RIB only to those that announce it, too.</summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task It_is_ready_without_an_end_of_rib_that_was_never_promised(string peer)
    {
        await using var us = await Netns.MakeAsync("us");
        await using var them = await Netns.MakeAsync("them");
        await Netns.JoinAsync(us, "eth0", ["10.99.0.1/24"], them, "eth0", ["10.99.0.2/24"]);
        await using var ours = (BgpdRouter)Router.Make(
            Project.Subject, us, new(65001, "10.99.0.1", [new("tor", "10.99.0.1", "10.99.0.2", 65002)], ["192.0.2.0/24"], Hold: 90));
        await using var theirs = Router.Make(
            peer, them, new(65002, "10.99.0.2", [new("node", "10.99.0.2", "10.99.0.1", 65001)], ["198.51.100.0/24"], Hold: 90));
        await ours.StartAsync();
        await Until.TrueAsync("it names whom it waits for", async () => (await ours.ReadyAsync()).Contains("waiting for tor ("));
        await theirs.StartAsync();
        await Until.TrueAsync("it is ready", async () => (await ours.ReadyAsync()).Contains("\"ready\":true"), 45, () => ours.Said);
    }
}
