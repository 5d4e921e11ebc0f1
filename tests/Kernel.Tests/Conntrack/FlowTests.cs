using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Kernel.Tests.Conntrack;

/// <summary>Flows of another node's are written into this kernel's table, and are read back as they were.</summary>
public class FlowTests
{
    internal static Flow Flow(
        string source, ushort port, string leaving, ushort leavingPort, IpProtocol protocol = IpProtocol.Tcp, byte tcp = 3,
        uint left = 5000)
    {
        var (from, isEcho) = (Address.Parse(source), protocol is IpProtocol.Icmp or IpProtocol.Icmp6);
        var to = Address.Parse(from.IsIPv4 ? "198.51.100.1" : "2001:db8::1");
        return new(new((byte)protocol, from, port, to, isEcho ? (ushort)0 : (ushort)443,
            Address.Parse(leaving), leavingPort), protocol == IpProtocol.Tcp ? tcp : (byte)0, true, true, left, 0x17);
    }

    private static List<Flow> Left(ConnectionTable table)
    {
        var left = new List<Flow>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]) Assert.Equal(0, table.WalkFlows(family, left.Add));
        return left;
    }

    /// <summary>But for the time that has passed.</summary>
    private static IEnumerable<Flow> Timeless(IEnumerable<Flow> flows) =>
        flows.Select(one => one with { Left = (one.Left + 99) / 100 * 100 })
            .OrderBy(one => one.Key.Source).ThenBy(one => one.Key.SourcePort);

    public static TheoryData<string, string, IpProtocol> Kinds => new()
    {
        { "10.0.0.1", "192.0.2.9", IpProtocol.Tcp }, { "10.0.0.1", "192.0.2.9", IpProtocol.Udp },
        { "10.0.0.1", "192.0.2.9", IpProtocol.Icmp }, { "fd00::1", "2001:db8:9::9", IpProtocol.Tcp },
        { "fd00::1", "2001:db8:9::9", IpProtocol.Udp }, { "fd00::1", "2001:db8:9::9", IpProtocol.Icmp6 },
    };

    [NeedsTheory(Needs.Namespaces)]
    [MemberData(nameof(Kinds))]
    public void One_that_is_written_has_its_translation_and_its_state(string source, string leaving, IpProtocol protocol)
    {
        using var ns = new NetworkNamespace();
        using var table = ns.Inside(() => new ConnectionTable());
        // Another port than its own, and a second one of the same client's.
        Flow[] flows = [Flow(source, 1000, leaving, 40000, protocol), Flow(source, 1001, leaving, 1001, protocol)];
        Assert.Equal((0, 0), table.Put(flows, yields: false));
        Assert.Equal(flows, Timeless(Left(table)));
    }

    [NeedsFact(Needs.Namespaces)]
    public void Said_again_it_stands_as_it_is_said_to_and_once()
    {
        using var ns = new NetworkNamespace();
        using var table = ns.Inside(() => new ConnectionTable());
        var begun = Flow("10.0.0.1", 1000, "192.0.2.9", 40000, tcp: 1, left: 100) with { IsAnswered = false, IsAssured = false };
        Assert.Equal((0, 0), table.Put([begun], yields: false));
        var now = begun with { Tcp = 3, IsAnswered = true, IsAssured = true, Left = 9000, Mark = 5 };
        Assert.Equal((0, 0), table.Put([now], yields: false));
        Assert.Equal([now], Timeless(Left(table)));
        // What is younger than what is there has its time, too.
        Assert.Equal((0, 0), table.Put([now with { Left = 20000 }], yields: false));
        Assert.Equal([now with { Left = 20000 }], Timeless(Left(table)));
    }

    [NeedsFact(Needs.Namespaces)]
    public void What_has_its_place_with_another_translation_goes_unless_it_is_to_stay()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        using var table = ns.Inside(() => new ConnectionTable());
        var old = Flow("10.0.0.1", 1000, "192.0.2.9", 40001);
        table.Put([old], yields: false);
        var now = Flow("10.0.0.1", 1000, "192.0.2.9", 40000);
        table.Put([now], yields: true);
        Assert.Equal([old], Timeless(Left(table)));
        table.Put([now], yields: false);
        Assert.Equal([now], Timeless(Left(table)));
        // Another one of the past has its answers.
        var other = Flow("10.0.0.2", 2000, "192.0.2.9", 40000);
        table.Put([other], yields: false);
        Assert.Equal([other], Timeless(Left(table)));
        // And who is not translated at all.
        ConnectionTableTests.Insert(socket, "10.0.0.3", "198.51.100.7");
        var masked = new Flow(new((byte)IpProtocol.Udp, Address.Parse("10.0.0.3"), 1000, Address.Parse("198.51.100.7"), 53,
            Address.Parse("192.0.2.9"), 5), 0, true, false, 200, 0);
        table.Put([masked], yields: true);
        Assert.Equal([other], Timeless(Left(table)));
        table.Put([masked], yields: false);
        Assert.Equal([other, masked], Timeless(Left(table)));
        table.Exchange([masked with { Key = masked.Key.Untranslated() }]);
        Assert.Equal([other], Timeless(Left(table)));
        Assert.Equal(["10.0.0.3"],
            table.Read(IpFamily.IPv4, one => !one.SourceTranslated, out _).Select(one => $"{one.Connection.Source}"));
        table.Exchange([masked]);
        Assert.Equal([other, masked], Timeless(Left(table)));
    }

    /// <summary>Two that change places, and two whose servers have spoken while answers had no entry: one got another port.</summary>
    [NeedsFact(Needs.Namespaces)]
    public void Those_that_are_exchanged_are_there_whoever_has_their_place()
    {
        using var ns = new NetworkNamespace();
        using var table = ns.Inside(() => new ConnectionTable());
        Flow[] now = [Flow("10.0.0.1", 1000, "192.0.2.9", 40001), Flow("10.0.0.2", 1000, "192.0.2.9", 40000)];
        Flow[] plain = [Flow("10.0.0.3", 1000, "10.0.0.3", 1000), Flow("10.0.0.4", 1000, "10.0.0.4", 1000)];
        Assert.Equal((0, 0), table.Put([Flow("10.0.0.1", 1000, "192.0.2.9", 40000), Flow("10.0.0.2", 1000, "192.0.2.9", 40001),
            OfServer(plain[0], 443), OfServer(plain[1], 50000)], yields: false));
        table.Exchange([.. now, .. plain]);
        Assert.Equal(now, Timeless(Left(table)));
        Assert.Equal(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"],
            table.Read(IpFamily.IPv4, _ => true, out _).Select(one => $"{one.Connection.Source}").Order());
    }

    /// <param name="port">What its client sees.</param>
    private static Flow OfServer(Flow flow, ushort port) => flow with
    {
        Key = new(flow.Key.Protocol, flow.Key.Destination, flow.Key.DestinationPort, flow.Key.Source, flow.Key.SourcePort,
            flow.Key.Destination, port),
    };

    [NeedsFact(Needs.Namespaces)]
    public async Task Those_that_are_exchanged_are_away_for_no_longer_than_each_takes()
    {
        using var ns = new NetworkNamespace();
        using var table = ns.Inside(() => new ConnectionTable());
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Assert.Fail($"{loop.Name}: {defect}"));
        await using var listener = new FlowListener(loops);
        Flow one = Flow("10.0.0.1", 1000, "192.0.2.9", 40000), two = Flow("10.0.0.2", 1000, "192.0.2.9", 40001);
        // Of entries that were made while nobody listened the kernel tells nothing, not even their ends (nf_conntrack_events: 2).
        ns.Inside(() =>
        {
            listener.Start();
            return 0;
        });
        Assert.Equal((0, 0), table.Put([one, two], yields: false));
        table.Exchange([Flow("10.0.0.1", 1000, "192.0.2.9", 40002), Flow("10.0.0.2", 1000, "192.0.2.9", 40003)]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var heard = new List<string>();
        while (heard.Count < 6 && await listener.Flows.ReadAsync(patience.Token) is var news)
            heard.Add($"{news.Flow.Key.Source} {news.Turn}");
        Assert.Equal(["10.0.0.1 Begun", "10.0.0.2 Begun", "10.0.0.1 Ended", "10.0.0.1 Begun", "10.0.0.2 Ended", "10.0.0.2 Begun"], heard);
    }

    [NeedsFact(Needs.Namespaces)]
    public void Those_that_are_removed_go_and_no_other_of_the_same_client()
    {
        using var ns = new NetworkNamespace();
        using var table = ns.Inside(() => new ConnectionTable());
        Flow[] flows = [.. Enumerable.Range(1, 600).Select(n => Flow("10.0.0.1", (ushort)(1000 + n), "192.0.2.9", (ushort)(40000 + n)))];
        Assert.Equal((0, 0), table.Put(flows, yields: false));
        Assert.Equal(0, table.Remove([flows[0].Key with { LeavingPort = 39999 }, flows[0].Key.Untranslated()]));
        Assert.Equal(598, table.Remove([.. flows.Skip(2).Select(one => one.Key)]));
        Assert.Equal(flows.Take(2), Timeless(Left(table)));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_becomes_of_flows_is_heard_and_what_is_written_here_is_not_where_that_is_said()
    {
        using var ns = new NetworkNamespace();
        using var table = ns.Inside(() => new ConnectionTable());
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Assert.Fail($"{loop.Name}: {defect}"));
        await using var listener = new FlowListener(loops);
        await using var deaf = new FlowListener(loops) { NotOf = () => table.Port };
        ns.Inside(() =>
        {
            listener.Start();
            deaf.Start();
            return 0;
        });
        var flow = Flow("10.0.0.1", 1000, "192.0.2.9", 40000);
        table.Put([flow], yields: false);
        table.Put([flow with { Tcp = 4 }], yields: false);
        table.Remove([flow.Key]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var heard = new List<FlowNews>();
        while (heard.Count < 3) heard.Add(await listener.Flows.ReadAsync(patience.Token));
        Assert.Equal([FlowTurn.Begun, FlowTurn.Changed, FlowTurn.Ended], heard.Select(one => one.Turn));
        Assert.All(heard, one => Assert.Equal(flow.Key, one.Flow.Key));
        Assert.Equal(4, heard[1].Flow.Tcp);
        Assert.False(deaf.Flows.TryRead(out _));
    }
}
