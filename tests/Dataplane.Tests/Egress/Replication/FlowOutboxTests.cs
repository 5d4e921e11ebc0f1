using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Egress.Replication;

public class FlowOutboxTests
{
    private static Flow Of(ushort port, byte tcp, byte protocol = 6) => new(
        new(protocol, Address.Parse("192.168.1.2"), port, Address.Parse("198.51.100.1"), 443, Address.Parse("10.10.10.0"), port),
        tcp, tcp > 2, tcp > 2, 100, 0);

    private static FlowOutbox Told(int most = 100)
    {
        var outbox = new FlowOutbox(most);
        outbox.Begin();
        Assert.True(outbox.Take(out _, out _));
        return outbox;
    }

    [Fact]
    public void Of_each_flow_the_latest_waits()
    {
        var outbox = Told();
        outbox.Tell(new(FlowTurn.Changed, Of(1, tcp: 3)));
        outbox.Tell(new(FlowTurn.Changed, Of(2, tcp: 3)));
        outbox.Tell(new(FlowTurn.Changed, Of(1, tcp: 4)));
        Assert.True(outbox.Take(out var gone, out var flows));
        Assert.Equal([Of(1, tcp: 4), Of(2, tcp: 3)], flows.OrderBy(one => one.Key.SourcePort));
        Assert.Empty(gone);
        Assert.True(outbox.Take(out _, out flows));
        Assert.Empty(flows);
    }

    [Fact]
    public void A_flow_that_has_come_and_gone_before_it_was_told_is_told_to_nobody()
    {
        var outbox = Told();
        outbox.Tell(new(FlowTurn.Changed, Of(1, tcp: 3)));
        outbox.Tell(new(FlowTurn.Changed, Of(1, tcp: Flow.TcpTimeWait)));
        outbox.Tell(new(FlowTurn.Begun, Of(2, tcp: 0, protocol: 17)));
        outbox.Tell(new(FlowTurn.Ended, Of(2, tcp: 0, protocol: 17)));
        Assert.True(outbox.Take(out var gone, out var flows));
        Assert.Equal((0, 0), (gone.Length, flows.Length));
        // One that they know of is.
        outbox.Tell(new(FlowTurn.Ended, Of(3, tcp: 0)));
        outbox.Tell(new(FlowTurn.Changed, Of(4, tcp: 4)));
        outbox.Tell(new(FlowTurn.Ended, Of(4, tcp: 0)));
        Assert.True(outbox.Take(out gone, out flows));
        Assert.Equal([3, 4], gone.Select(one => (int)one.SourcePort).Order());
        Assert.Empty(flows);
    }

    /// <summary>The list may have it.</summary>
    [Fact]
    public void While_all_flows_are_read_an_end_is_told_whatever_was_before()
    {
        var outbox = new FlowOutbox();
        outbox.Begin();
        outbox.Tell(new(FlowTurn.Changed, Of(1, tcp: 3)));
        outbox.Tell(new(FlowTurn.Ended, Of(1, tcp: 0)));
        Assert.True(outbox.Take(out var gone, out _));
        Assert.Single(gone);
    }

    [Fact]
    public void Of_TCP_those_are_told_that_are_established_and_not_over()
    {
        FlowTurn?[] worth = [.. Enumerable.Range(0, 10).Select(tcp => FlowOutbox.Worth(new(FlowTurn.Changed, Of(1, (byte)tcp)))?.Turn)];
        Assert.Equal([null, null, null, FlowTurn.Changed, FlowTurn.Changed, FlowTurn.Changed, FlowTurn.Changed, FlowTurn.Ended,
            FlowTurn.Ended, null], worth);
        Assert.Equal(FlowTurn.Begun, FlowOutbox.Worth(new(FlowTurn.Begun, Of(1, 0, protocol: 17)))?.Turn);
    }

    [Fact]
    public void Where_there_is_no_room_all_is_told_anew()
    {
        var outbox = Told(most: 3);
        for (ushort port = 1; port <= 4; port++) outbox.Tell(new(FlowTurn.Changed, Of(port, tcp: 3)));
        Assert.Equal(0, outbox.Waiting);
        Assert.False(outbox.Take(out _, out _));
        outbox.Tell(new(FlowTurn.Changed, Of(5, tcp: 3)));
        Assert.False(outbox.Take(out _, out _));
        outbox.Begin();
        outbox.Tell(new(FlowTurn.Changed, Of(6, tcp: 3)));
        Assert.True(outbox.Take(out _, out var flows));
        Assert.Equal(Of(6, tcp: 3), Assert.Single(flows));
        outbox.Overrun();
        Assert.False(outbox.Take(out _, out _));
    }
}
