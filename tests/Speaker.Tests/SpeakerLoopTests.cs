using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Two speakers of ours with real sessions over loopback; only their kernels are fakes.</summary>
public class SpeakerLoopTests
{
    private const string Four = "203.0.113.0/24", Six = "2001:db8::/32";

    [Fact]
    public async Task Own_routes_of_both_families_reach_the_peer_and_its_kernel()
    {
        await using var pair = await new Pair(config => config.Routes(Four, Six)).UpAsync();
        // Each kernel is told by a loop of its own.
        await Until.TrueAsync(() => pair.A.Kernel.Holds.Count == 2 && pair.B.Kernel.Holds.Count == 2);
        Assert.Equal([Four, Six], await pair.B.RoutesAsync());
        Assert.Equal("via 10.0.0.200 dev 2", pair.B.Kernel.Holds[Prefix.Parse(Four)].ToString());
        Assert.Equal(RouteType.Blackhole, pair.A.Kernel.Holds[Prefix.Parse(Four)].Type);
    }

    [Fact]
    public async Task Sockets_that_cannot_be_had_are_answered_and_asked_for_again_by_the_next_reload()
    {
        await using var pair = await new Pair().UpAsync();
        using var other = new TcpListener(IPAddress.Parse("127.0.0.99"), pair.ConfigA.ListenPort);
        other.Start();
        var newer = pair.ConfigA with { Listen = [Address.Parse("127.0.0.99")] };
        for (var time = 0; time < 2; time++)
        {
            var changes = await pair.A.Loop.ConfigureAsync(newer);
            Assert.Equal("router.listen: changed", changes[0]);
            Assert.StartsWith("router.listen: stays as it was", changes[1], StringComparison.Ordinal);
        }
        Assert.Empty(await pair.A.Loop.ConfigureAsync(pair.ConfigA));
    }

    [Fact]
    public async Task An_address_to_listen_on_that_this_host_does_not_have_is_taken_and_waited_for()
    {
        await using var pair = await new Pair().UpAsync();
        var missing = Address.Parse("198.51.100.99");
        var newer = pair.ConfigA with { Listen = pair.ConfigA.Listen.Add(missing) };
        Assert.Equal("router.listen: changed", Assert.Single(await pair.A.Loop.ConfigureAsync(newer)));
        Assert.Equal(missing, Assert.Single(pair.A.View.Router.ListenWaits));
        await pair.A.Loop.ConfigureAsync(pair.ConfigA);
        Assert.Empty(pair.A.View.Router.ListenWaits);
    }

    [Fact]
    public async Task A_family_that_the_neighbour_does_not_speak_is_down_and_has_no_next_hop()
    {
        await using var pair = await new Pair(changeB: config => config.Peer(
            peer => peer with { Session = peer.Session with { Families = FamilySet.IPv4 } })).UpAsync();
        await Until.TrueAsync(() => pair.A.View.Protocols.Single(protocol => protocol.Name == "b").Channels[0].NextHop != null);
        var channels = pair.A.View.Protocols.Single(protocol => protocol.Name == "b").Channels;
        Assert.Equal([(IpFamily.IPv4, true), (IpFamily.IPv6, false)], channels.Select(channel => (channel.Family, channel.Up)));
        Assert.Null(channels[1].NextHop);
    }

    [Fact]
    public async Task What_import_rejects_is_kept_and_not_used()
    {
        await using var pair = await new Pair(
            config => config.Routes(Four),
            config => config.Peer(peer => peer with { Import = RejectAll.Instance, ImportDefaulted = true })).UpAsync();
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.Filtered)).Contains(Four));
        Assert.Empty(await pair.B.RoutesAsync());
        Assert.Empty(pair.B.Kernel.Wishes);
        Assert.True(pair.B.View.Protocols.Single(protocol => protocol.Name == "a").Channels[0].Import.IsDefault);
    }

    [Fact]
    public async Task A_reload_that_opens_the_import_needs_no_new_session()
    {
        await using var pair = await new Pair(
            config => config.Routes(Four), config => config.Peer(peer => peer with { Import = RejectAll.Instance })).UpAsync();
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.Filtered)).Contains(Four));
        var changes = await pair.B.Loop.ConfigureAsync(pair.ConfigB.Peer(peer => peer with { Import = AcceptAll.Instance }));
        Assert.Equal<string>(["peer a: changed, the session stays up"], changes);
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        Assert.Equal(1, pair.B.Session("a").EstablishedTransitions);
    }

    [Fact]
    public async Task A_peer_whose_line_has_moved_keeps_its_session_and_is_of_the_new_line_from_then_on()
    {
        await using var pair = await new Pair(config => config.Peer(peer => peer with { Origin = PeerOrigin.Of("bgpd.yaml", 3) }))
            .UpAsync();
        Assert.Equal("bgpd.yaml:3", pair.A.View.Explain("b")!.Origin.ToString());
        Assert.Empty(await pair.A.Loop.ConfigureAsync(pair.ConfigA.Peer(peer => peer with { Origin = PeerOrigin.Of("bgpd.yaml", 30) })));
        Assert.Equal("bgpd.yaml:30", pair.A.View.Explain("b")!.Origin.ToString());
        Assert.Equal(1, pair.A.Session("b").EstablishedTransitions);
    }

    /// <summary>
    /// The RIB is told of a session by the configuration of one moment; a reload between that and the speaker's hearing of it must not be
    /// lost. So many addresses make that moment last for milliseconds, and the reloads come at ever other times.
    /// </summary>
    [Fact]
    public async Task A_reload_in_the_middle_of_Established_is_in_force_afterwards()
    {
        await using var pair = await new Pair(Impatient, Impatient).UpAsync();
        var many = Enumerable.Repeat(new LinkAddress(0, Address.Parse("192.0.2.1"), 24, null, 0, false), 300_000);
        pair.B.Kernel.Become(FakeKernel.Node() with { Addresses = [.. FakeKernel.Node().Addresses, .. many] });
        for (var time = 0; time < 40; time++)
        {
            pair.B.View.Restart("a", null);
            await Until.TrueAsync(
                "a session half open", () => pair.B.Session("a").Phase is Phase.OpenSent or Phase.OpenConfirm or Phase.Established);
            await Task.Delay(time / 2);
            IFilter wanted = time % 2 == 0 ? RejectAll.Instance : AcceptAll.Instance;
            await pair.B.Loop.ConfigureAsync(pair.ConfigB.Peer(peer => peer with { Import = wanted }));
            await Until.TrueAsync("the new filter", () => Equals(pair.B.Loop.PeerNamed("a")!.Up?.Told.Import, wanted));
        }
    }

    private static SpeakerConfig Impatient(SpeakerConfig config)
    {
        var soon = TimeSpan.FromMilliseconds(10);
        return config.Peer(peer => peer with
        {
            Session = peer.Session with { IdleHoldTime = soon, MaxIdleHoldTime = soon, ConnectRetryTime = soon },
        });
    }

    [Fact]
    public async Task A_reload_that_adds_and_removes_peers_leaves_the_others_alone()
    {
        await using var pair = await new Pair().UpAsync();
        var since = pair.A.Session("b").Since;
        await pair.A.Loop.ConfigureAsync(pair.ConfigA with { Peers = [.. pair.ConfigA.Peers, pair.Absent("ghost")] });
        Assert.True(pair.A.Session("ghost").Enabled);
        await pair.A.Loop.ConfigureAsync(pair.ConfigA);
        Assert.DoesNotContain(pair.A.View.Protocols, protocol => protocol.Name == "ghost");
        Assert.Equal((Phase.Established, since), (pair.A.Session("b").Phase, pair.A.Session("b").Since));
    }

    [Fact]
    public async Task A_changed_session_is_reset_and_comes_back()
    {
        await using var pair = await new Pair().UpAsync();
        var changes = await pair.A.Loop.ConfigureAsync(
            pair.ConfigA.Peer(peer => peer with { Session = peer.Session with { HoldTime = TimeSpan.FromSeconds(30) } }));
        Assert.Equal<string>(["peer b: session settings changed, the session is reset"], changes);
        await Until.TrueAsync(() => pair.A.Session("b") is { Phase: Phase.Established, Negotiated.HoldTime: 30 });
    }

    [Fact]
    public async Task A_shutdown_by_a_reload_tells_its_words_and_both_sides_show_them()
    {
        await using var pair = await new Pair().UpAsync();
        var changes = await pair.A.Loop.ConfigureAsync(
            pair.ConfigA.Peer(peer => peer with { Session = peer.Session with { Shutdown = true, ShutdownText = "new fan" } }));
        Assert.Equal<string>(["peer b: shut down"], changes);
        // Which of the two shows it first is chance: it is sent before it is noted here.
        await Until.TrueAsync(() => pair.B.Session("a").Faults.Received != null && pair.A.Session("b").Faults.Sent != null);
        Assert.Equal(
            new Notification(ErrorCode.Cease, 9, (byte[])[6, 2, 7, .. "new fan"u8]), pair.B.Session("a").Faults.Received!.Notification);
        Assert.Equal(("new fan", "new fan"), (Message(pair.A, "b"), Message(pair.B, "a")));
        Assert.Equal("Hard reset: Administrative shutdown: new fan", pair.A.Session("b").Faults.Sent!.Text);
        Assert.False(pair.A.Session("b").Enabled);

        static string? Message(TestSpeaker speaker, string peer) =>
            speaker.View.Protocols.Single(protocol => protocol.Name == peer).Message;
    }

    [Fact]
    public async Task Any_other_setting_that_changes_keeps_its_subcode()
    {
        await using var pair = await new Pair().UpAsync();
        await pair.A.Loop.ConfigureAsync(
            pair.ConfigA.Peer(peer => peer with { Session = peer.Session with { HoldTime = TimeSpan.FromSeconds(30) } }));
        await Until.TrueAsync(() => pair.B.Session("a").Faults.Received != null);
        Assert.Equal(Notification.Cease(CeaseSubcode.OtherConfigurationChange), pair.B.Session("a").Faults.Received!.Notification);
    }

    [Fact]
    public async Task Too_many_prefixes_end_the_session_until_it_is_enabled()
    {
        await using var pair = new Pair(
            config => config.Routes(Four, "198.51.100.0/24"),
            config => config.Peer(peer => peer with { PrefixLimit = 1 }));
        await pair.B.Loop.StartAsync();
        await pair.A.Loop.StartAsync();
        await Until.TrueAsync(() => pair.A.Session("b").Faults.Why is { Kind: FaultKind.Received, Notification.Inner.Subcode: 1 });
        await Until.TrueAsync(() => !pair.B.Session("a").Enabled);
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).IsEmpty);
        pair.B.View.Enable("a");
        await Until.TrueAsync(() => pair.A.Session("b").EstablishedTransitions == 2);
        await Until.TrueAsync(() => !pair.B.Session("a").Enabled);
    }

    [Fact]
    public async Task A_session_ends_with_its_link_and_comes_back_with_it()
    {
        await using var pair = new Pair();
        var own = pair.ConfigA.Listen[0];
        pair.A.Kernel.Become(Linked(up: true));
        await pair.UpAsync();
        pair.A.Kernel.Become(Linked(up: false));
        await Until.TrueAsync(() => pair.A.Session("b").Faults.Why.Kind == FaultKind.Way);
        Assert.Equal(("Link down", "eth0 is down"), (pair.A.Session("b").Faults.Why.Text, pair.A.Session("b").Faults.Why.Detail));
        await Until.TrueAsync(() => pair.B.Session("a").Phase != Phase.Established);
        pair.A.Kernel.Become(Linked(up: true));
        await Until.TrueAsync(() => pair.A.Session("b") is { Phase: Phase.Established, EstablishedTransitions: 2 });

        KernelSnapshot Linked(bool up) =>
            FakeKernel.Node(eth0Up: up) is var node ? node with { Addresses = node.Addresses.Add(new(2, own, 24, null, 0, false)) } : node;
    }

    [Theory]
    [InlineData(2)]
    [InlineData(null)]
    public async Task A_limit_that_is_raised_brings_the_peer_back(int? limit)
    {
        await using var pair = new Pair(
            config => config.Routes(Four, "198.51.100.0/24"),
            config => config.Peer(peer => peer with { PrefixLimit = 1 }));
        await pair.B.Loop.StartAsync();
        await pair.A.Loop.StartAsync();
        await Until.TrueAsync(() => !pair.B.Session("a").Enabled);
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Peer(peer => peer with { PrefixLimit = limit }));
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Count == 2);
        Assert.True(pair.B.Session("a").Enabled);
    }

    [Fact]
    public async Task A_limit_that_is_raised_does_not_enable_whom_the_operator_has_disabled()
    {
        await using var pair = new Pair(
            config => config.Routes(Four, "198.51.100.0/24"),
            config => config.Peer(peer => peer with { PrefixLimit = 1 }));
        await pair.B.Loop.StartAsync();
        await pair.A.Loop.StartAsync();
        await Until.TrueAsync(() => !pair.B.Session("a").Enabled);
        pair.B.View.Disable("a", "not now");
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Peer(peer => peer with { PrefixLimit = null }));
        Assert.False(pair.B.Session("a").Enabled);
    }

    [Fact]
    public async Task A_limit_that_is_lowered_counts_at_once()
    {
        await using var pair = await new Pair(config => config.Routes(Four, "198.51.100.0/24")).UpAsync();
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Count == 2);
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Peer(peer => peer with { PrefixLimit = 1 }));
        await Until.TrueAsync(() => pair.B.Session("a") is { Enabled: false, Faults.Sent: not null });
        Assert.Equal("Hard reset: Maximum number of prefixes reached", pair.B.Session("a").Faults.Sent!.Text);
    }

    [Fact]
    public async Task The_kernel_is_swept_once_the_peers_tables_are_here()
    {
        await using var pair = await new Pair().UpAsync();
        await Until.TrueAsync(() => pair.A.Kernel.Sweeps == 1 && pair.B.Kernel.Sweeps == 1);
        Assert.True(pair.A.Loop.HasSettled && pair.B.Loop.HasSettled);
    }

    [Fact]
    public async Task A_next_hop_that_is_lost_takes_the_route_out_of_the_kernel_and_back()
    {
        await using var pair = await new Pair(config => config.Routes(Four)).UpAsync();
        await Until.TrueAsync(() => pair.B.Kernel.Holds.Count == 1);
        pair.B.Kernel.Become(FakeKernel.Node(eth0Up: false));
        await Until.TrueAsync(() => pair.B.Kernel.Holds.IsEmpty);
        pair.B.Kernel.Become(FakeKernel.Node());
        await Until.TrueAsync(() => pair.B.Kernel.Holds.Count == 1);
    }

    [Fact]
    public async Task An_own_route_whose_gateway_is_lost_is_withdrawn_from_the_peer()
    {
        var route = new OwnRouteConfig(Prefix.Parse(Four), RouteType.Unicast, [new(Address.Parse("10.0.0.9"), 0)]);
        await using var pair = await new Pair(config => config with { Routes = [route] }).UpAsync();
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        pair.A.Kernel.Become(FakeKernel.Node(eth0Up: false));
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).IsEmpty);
    }

    [Fact]
    public async Task Disable_enable_and_reload_do_what_they_say()
    {
        await using var pair = await new Pair(config => config.Routes(Four)).UpAsync();
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        pair.A.View.Disable("b", "for a test");
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).IsEmpty);
        Assert.Equal("for a test", pair.A.View.Protocols.Single(protocol => protocol.Name == "b").Message);
        pair.A.View.Enable("b");
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        pair.A.View.Reload("b", ReloadDirection.Both);
        pair.A.View.Disable("static1", null);
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).IsEmpty);
        Assert.Throws<KeyNotFoundException>(() => pair.A.View.Enable("nobody"));
    }

    [Fact]
    public async Task The_end_of_the_daemon_leaves_the_routes_in_the_kernel()
    {
        await using var pair = await new Pair(config => config.Routes(Four)).UpAsync();
        await Until.TrueAsync(() => pair.B.Kernel.Holds.Count == 1);
        await pair.B.DisposeAsync();
        Assert.Single(pair.B.Kernel.Holds);
    }

    [Fact]
    public async Task A_listening_address_that_cannot_be_had_leaves_the_old_ones_open()
    {
        await using var pair = await new Pair().UpAsync();
        await pair.B.Loop.ConfigureAsync(pair.ConfigB with { Listen = [.. pair.ConfigB.Listen, Address.Parse("192.0.2.1")] });
        pair.A.View.Restart("b", null);
        await Until.TrueAsync(() => pair.A.Session("b") is { Phase: Phase.Established, EstablishedTransitions: 2 });
    }
}
