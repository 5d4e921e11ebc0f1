using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Policies;

public class FlowRingTests
{
    private static readonly FlowJudge By = new("pod ingress", "shop/web", "ingress", "default", null, null, "end of tier");

    private readonly ManualTimeProvider clock = new(DateTimeOffset.UnixEpoch);
    private readonly FlowRing ring;

    public FlowRingTests() => ring = new(clock);

    private LoggedPacket Packet(int client, ushort from = 40_000) => new(clock.GetUtcNow(), "", NftHookPoint.Forward,
        new(Address.FromIPv4(0x0a000000 + (uint)client), Address.Parse("10.65.0.3"))
        {
            Protocol = IpProtocol.Tcp,
            SourcePort = from,
            DestinationPort = 80,
            In = "eth0",
            Out = "calib",
        });

    [Fact]
    public void Connections_of_a_client_to_one_port_are_one_flow_that_is_the_newest_again()
    {
        ring.Add(Packet(1), By);
        ring.Add(Packet(2), By);
        ring.Add(Packet(1, from: 40_001), By);
        Assert.Equal(
            [(2, 1, 40_000), (3, 2, 40_001)], ring.Flows.Select(flow => ((int)flow.Number, (int)flow.Packets, flow.SourcePort!.Value)));
        ring.Add(Packet(1), By with { Rule = 1 });
        Assert.Equal(3, ring.Flows.Length);
    }

    /// <summary>A client that is denied knows the service's address, and not the pod's.</summary>
    [Fact]
    public void What_the_client_has_asked_for_is_part_of_the_flow()
    {
        ring.Add(Packet(1) with { Asked = new(Address.Parse("10.96.0.10"), 443) }, By);
        ring.Add(Packet(1), By);
        Assert.Equal(
            ["tcp 10.0.0.1 to 10.65.0.3:80, asked for 10.96.0.10:443", "tcp 10.0.0.1 to 10.65.0.3:80"],
            ring.Flows.Select(flow => flow.Ends.ToString()));
    }

    [Fact]
    public void Beyond_what_it_has_room_for_the_oldest_goes()
    {
        for (var client = 0; client <= FlowRing.MostFlows; client++) ring.Add(Packet(client), By);
        Assert.Equal(FlowRing.MostFlows, ring.Flows.Length);
        Assert.Equal((2, FlowRing.MostFlows + 1), ((int)ring.Flows[0].Number, (int)ring.Flows[^1].Number));
        // One that comes again begins anew.
        ring.Add(Packet(0), By);
        Assert.Equal(1, ring.Flows[^1].Packets);
    }

    [Fact]
    public void A_flow_is_written_at_once_and_while_it_goes_on_once_a_minute_with_what_came_since()
    {
        Assert.Equal(1, ring.Add(Packet(1), By)!.Value.Packets);
        for (var second = 1; second < 60; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Null(ring.Add(Packet(1), By));
        }
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(60, ring.Add(Packet(1), By)!.Value.Packets);
    }

    [Fact]
    public void Of_a_flood_so_many_lines_a_minute_are_written_and_the_rest_is_counted()
    {
        var written = 0;
        for (var client = 0; client < 10_000; client++) written += ring.Add(Packet(client), By) == null ? 0 : 1;
        Assert.Equal((FlowRing.MostLines, 0), (written, (int)ring.EndMinute()));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((10_000 - FlowRing.MostLines, 0), ((int)ring.EndMinute(), (int)ring.EndMinute()));
        Assert.NotNull(ring.Add(Packet(20_000), By));
    }
}
