using System.Diagnostics;
using Calico.Bgp.Conformance.Fabric;
using Calico.Bgp.Conformance.Golden;
using Xunit.Abstractions;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>The API server goes away, comes back, refuses, forgets: sessions and routes stay, and what changed meanwhile counts.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private static readonly Manifest[] Pods =
        [Rack.NoMesh(), .. Rack.TorPeers(), Pool("pods4", "10.65.0.0/16"), Block("node1", "10.65.1.0/26")];

    [NeedsFact(Needs.Daemon, Needs.Cluster, "bird", "birdc")]
    public async Task A_server_that_is_killed_takes_no_session_and_no_route_and_what_changed_meanwhile_counts_on_its_return()
    {
        await using var rack = await Rack.MakeAsync(ObjectPlace.Kubernetes, 1, null, Pods);
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        var (api, node) = (((ClusterObjects)rack.Objects).Api, rack.Nodes[0]);
        var (sessions, lines) = (await node.SessionsAsync(), node.LogLines);
        await using var beside = await api.BesideAsync();
        await api.KillAsync();
        await Until.StaysAsync("the ToR's sessions and routes", async () =>
            await node.SessionsAsync() + await rack.Tor.ViaAsync("10.65.1.0/26") + await node.KernelAsync("10.65.1.0/26"),
            Environment.GetEnvironmentVariable("CONFORMANCE_LONG") == "1" ? 60 : 8);
        // Whichever end of it was seen first.
        Assert.Matches(@"what it said stays: \S+: (Connection refused|Connection reset by peer|it hung up in the middle)", node.Said);
        rack.Apply(Block("node1", "10.65.1.64/26"));
        rack.Delete("BlockAffinity", "node1-10-65-1-0-26");
        var (listened, served) = await api.ReturnAsync();
        await Until.TrueAsync(
            "the kernel has the new block", async () => await node.KernelAsync("10.65.1.64/26") != "", 60, rack.Said);
        output.WriteLine($"in force {Stopwatch.GetElapsedTime(listened).TotalSeconds:0.00} s after the server listened again, "
            + $"{Stopwatch.GetElapsedTime(served).TotalSeconds:0.00} s after it served lists; looks are up to 0.2 s apart");
        await rack.HeardFromAsync("10.65.1.64/26", 1);
        await rack.HeardFromAsync("10.65.1.0/26");
        Assert.Equal(sessions, await node.SessionsAsync());
        Assert.True(node.LogLines - lines is >= 1 and < 10, node.Said);
    }

    [NeedsFact(Needs.Daemon, Needs.Cluster, "bird", "birdc")]
    public async Task Without_a_server_at_its_start_the_daemon_leaves_all_as_it_is_and_opens_no_session()
    {
        await using var rack = await Rack.MakeAsync(ObjectPlace.Kubernetes, 1, null, Pods);
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        await rack.Tor.AnnounceAsync("44.1.0.0/16");
        var (api, node) = (((ClusterObjects)rack.Objects).Api, rack.Nodes[0]);
        await Until.TrueAsync("the kernel has the ToR's route", async () => await node.KernelAsync("44.1.0.0/16") != "", 60, rack.Said);
        var (own, learned) = (await node.KernelAsync("10.65.1.0/26"), await node.KernelAsync("44.1.0.0/16"));
        await api.KillAsync();
        await node.KillAsync();
        node.Launch();
        await Until.StaysAsync("the kernel's routes", async () =>
            await node.KernelAsync("10.65.1.0/26") + await node.KernelAsync("44.1.0.0/16"), 5);
        Assert.Equal((own, learned), (await node.KernelAsync("10.65.1.0/26"), await node.KernelAsync("44.1.0.0/16")));
        Assert.False(await rack.Tor.IsUpAsync("node1_v4"));
        await api.RestartAsync();
        await rack.HeardFromAsync("10.65.1.0/26", 1);
    }
}
