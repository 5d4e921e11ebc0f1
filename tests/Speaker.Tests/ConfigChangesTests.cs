using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Tests;

public class ConfigChangesTests
{
    private static SpeakerConfig Some => new Pair().ConfigA;

    private static void Says(Func<SpeakerConfig, SpeakerConfig> change, params string[] lines)
    {
        var older = Some;
        Assert.Equal<string>(lines, ConfigChanges.Between(older, change(older)));
    }

    [Fact]
    public void Equal_configurations_change_nothing() => Says(config => config with { Peers = [config.Peers[0] with { }], Routes = [] });

    [Fact]
    public void A_session_setting_resets_and_a_filter_does_not()
    {
        Says(
            config => config.Peer(peer => peer with { Session = peer.Session with { Multihop = 2 } }),
            "peer b: session settings changed, the session is reset");
        Says(config => config.Peer(peer => peer with { Export = RejectAll.Instance }), "peer b: changed, the session stays up");
        Says(config => config with { Peers = [] }, "peer b: removed");
    }

    [Fact]
    public void Routes_are_told_by_their_prefix()
    {
        Says(config => config.Routes("10.0.0.0/8"), "route 10.0.0.0/8: added or changed");
        var older = Some.Routes("10.0.0.0/8");
        Assert.Equal<string>(["route 10.0.0.0/8: removed"], ConfigChanges.Between(older, older with { Routes = [] }));
    }

    [Fact]
    public void What_waits_for_the_next_start_is_said_so()
    {
        Says(config => config with { Shards = 4 }, "rib.shards: takes effect at the next start");
        Says(
            config => config with { Kernel = config.Kernel with { Table = 100 } },
            "kernel.installRoutes, table or protocol: takes effect at the next start");
        Says(
            config => config with { Kernel = config.Kernel with { SweepAfter = TimeSpan.FromSeconds(9) } },
            "kernel.sweepAfter: takes effect at the next start");
    }

    [Fact]
    public void Everything_else_has_its_line_too()
    {
        Says(
            config => config with { Decision = new DecisionSettings { AlwaysCompareMed = true } },
            "decision: changed; every best path is chosen again");
        Says(config => config with { Listen = [Address.AnyIPv4] }, "router.listen: changed");
        Says(config => config with { HostName = "other" }, "node: other");
        Says(
            config => config with { Kernel = config.Kernel with { Metric = 7, Learn = true, Export = RejectAll.Instance } },
            "kernel.learn: on", "kernel.metric: 7", "kernel.export: changed");
    }
}
