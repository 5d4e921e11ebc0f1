using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Nftables;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Kernel.Tests.Packets;

/// <summary>
/// Small rulesets of every kind of statement, and packets that meet them: from the namespace of a client through a router, or from the
/// router itself, to a server beyond it or to the router. Chains of type nat ask for places where the kernel does not have them.
/// </summary>
internal static class AnyRules
{
    public const string In = "cali1", Out = "eth0", OutAddress = "10.2.0.1";

    private static readonly string[] Own = ["10.1.0.1", OutAddress], Sources = ["10.1.0.2", "10.1.0.77", "192.168.1.1", "192.168.1.200"],
        Destinations = ["10.9.0.1", "10.9.1.1", "10.9.200.1"];

    /// <summary>Another table sends on what goes there to port 53, as kube-proxy does with a service's address.</summary>
    public const string Service = "10.9.77.77", Backend = "10.9.0.1";

    public const ushort ServicePort = 53, BackendPort = 5353;

    public static readonly string Others = $$"""
        table ip others {
         chain pre {
          type nat hook prerouting priority -130; policy accept;
          ip daddr {{Service}} udp dport {{ServicePort}} dnat to {{Backend}}:{{BackendPort}}
         }
         chain out {
          type nat hook output priority -130; policy accept;
          ip daddr {{Service}} udp dport {{ServicePort}} dnat to {{Backend}}:{{BackendPort}}
         }
        }

        """;

    public static PacketRedirect RedirectOf(string destination, IpProtocol protocol, ushort port) =>
        (destination, protocol, port) == (Service, IpProtocol.Udp, ServicePort)
            ? new(Address.Parse(Backend), BackendPort) : PacketRedirect.None;

    private static readonly MatchFamily Four = new(IpFamily.IPv4);

    /// <summary>The router's.</summary>
    public sealed class Facts : IHostFacts
    {
        public bool? IsLocal(Address address) => Own.Contains(address.ToString());
        public bool? ComesBackBy(Address source, uint mark, string link) =>
            link == source.ToString()[..5] switch { "10.1." => In, "10.2." or "10.9." => Out, _ => null };
        public bool? IsLocalOn(Address address, string link) =>
            address.ToString() == (link == Out ? OutAddress : link == In ? "10.1.0.1" : "");
    }

    private static NftElement Host(string address, NftValue? value = null) => NftElement.Of(NftOctets.Of(Address.Parse(address)), value);

    private static NftElement Pair(string from, string to)
    {
        var (a, b) = (NftElement.Of(Prefix.Parse(from)), NftElement.Of(Prefix.Parse(to)));
        return new(NftOctets.Of(a.From, b.From), NftOctets.Of(a.To, b.To));
    }

    private static NftElement Leading(string link, NftVerdict to) => NftElement.Of(NftOctets.OfInterface(link), to);

    private static NftElement Numbered(string link, uint number) =>
        NftElement.Of(NftOctets.OfInterface(link), ActDecideByInterface.Value(number));

    private static readonly Gen<NftVerdict> AnyEnd = Gen.Elements(
        new NftVerdict(NftVerdictCode.Accept), new NftVerdict(NftVerdictCode.Return), new NftVerdict(NftVerdictCode.Drop),
        new NftVerdict(NftVerdictCode.Jump, "sub2"), new NftVerdict(NftVerdictCode.Goto, "sub2"));

    private static readonly NftOctets[] Named = [.. new[] { Backend, "10.9.1.1", "10.9.200.1", "10.1.0.2" }.SelectMany(address =>
        new (byte Protocol, ushort Port)[] { (6, 80), (17, 80), (17, 150), (17, BackendPort) }.Select(one =>
            MatchAddressPort.Key(Address.Parse(address), one.Protocol, one.Port)))];

    private static readonly ImmutableArray<NftType> ServiceKey = [NftType.Ipv4Address, NftType.Protocol, NftType.Port];

    private const uint Sides = 3;

    private static readonly (Address Address, byte Protocol, ushort Port)[] ServiceNames =
        [.. from address in (string[])["10.9.0.1", "10.9.200.1", Service]
            from port in (ushort[])[80, 53, 150]
            from protocol in (byte[])[6, 17]
            select (Address.Parse(address), protocol, port)];

    private static readonly NftOctets[] Services =
        [.. ServiceNames.Select(one => MatchAddressPort.Key(one.Address, one.Protocol, one.Port))];

    private static readonly (Address Address, ushort Port)[] Backends =
        [(Address.Parse("10.9.1.1"), 5000), (Address.Parse("10.9.0.1"), 80), (Address.Parse("10.9.200.1"), 150)];

    private static readonly NftElement[] Ends =
        [.. from service in ServiceNames
            from side in Enumerable.Range(0, (int)Sides)
            let to = Backends[side]
            select NftElement.Of(ActSpread.Key(service.Address, service.Protocol, service.Port, (uint)side),
                new NftData(NftOctets.Of(NftOctets.Of(to.Address), NftOctets.Of(to.Port))))];

    private static readonly NftElement[] NewSources =
        [.. from service in ServiceNames
            from to in Backends
            select NftElement.Of(ActSourceNatByService.Key(service.Address, service.Protocol, service.Port, to.Address, to.Port),
                new NftData(NftOctets.Of(Address.Parse("10.2.0.70"))))];

    private static readonly Gen<FlowField[]> AnyFields = Gen.SubListOf(
        FlowField.Source, FlowField.Destination, FlowField.SourcePort, FlowField.DestinationPort, FlowField.Protocol)
        .Where(some => some.Count > 0).Select(some => some.ToArray());

    private static readonly Gen<NftSet[]> AnySets =
        from hosts in Gen.SubListOf([.. Sources, .. Destinations])
        from nets in Gen.SubListOf("10.9.0.0/24", "10.9.1.0/25", "192.168.1.0/25", "10.1.0.0/24", "10.2.0.0/16")
        from pairs in Gen.SubListOf(
            Pair("10.1.0.0/24", "10.9.0.0/23"), Pair("192.168.1.0/24", "10.9.1.0/24"), Pair("192.168.1.128/25", "10.9.200.0/24"))
        from services in Gen.SubListOf(Services)
        from ends in Gen.SubListOf(Ends)
        from sources in Gen.SubListOf(NewSources)
        from first in AnyEnd
        from second in AnyEnd
        from named in Gen.SubListOf(Named)
        from leading in Gen.SubListOf(Leading(In, first), Leading("eth9", second))
        from numbered in Gen.SubListOf(Numbered(In, (uint)Math.Min(hosts.Count, 3)), Numbered("eth9", 2))
        from links in Gen.SubListOf(In, Out, "eth9")
        from asked in Gen.SubListOf([.. from link in (string?[])[null, In, Out] from to in Destinations select (Link: link, Address: to)])
        select (NftSet[])[
            new("hosts", [NftType.Ipv4Address], false, [.. hosts.Select(host => Host(host))]),
            Tables.Prefixes("nets", nets),
            new("pairs", [NftType.Ipv4Address, NftType.Ipv4Address], true, [.. pairs]),
            new("named", [NftType.Ipv4Address, NftType.Protocol, NftType.Port], false,
                [.. named.Select(key => NftElement.Of(key))]),
            new("services", ServiceKey, false,
                [.. services.Select(key => NftElement.Of(key, new NftVerdict(NftVerdictCode.Goto, "spread")))], [NftType.Verdict]),
            new("ends", [.. ServiceKey, NftType.Mark], false, [.. ends], [NftType.Ipv4Address, NftType.Port]),
            new("sources", [.. ServiceKey, NftType.Ipv4Address, NftType.Port], false, [.. sources], [NftType.Ipv4Address]),
            new("leads", [NftType.InterfaceName], false, [.. leading], [NftType.Verdict]),
            new("numbers", [NftType.InterfaceName], false, [.. numbered], ActDecideByInterface.ValueType),
            new("numbered", ActDecideByInterface.KeyType, false,
                [NftElement.Of(ActDecideByInterface.Key(1), first), NftElement.Of(ActDecideByInterface.Key(2), second)], [NftType.Verdict]),
            new("links", [NftType.InterfaceName], false, [.. links.Select(link => NftElement.Of(NftOctets.OfInterface(link)))]),
            new("asked", [NftType.InterfaceName, NftType.Ipv4Address], false, [.. asked.Select(one =>
                NftElement.Of(MatchInterfaceAddress.Key(one.Link, Address.Parse(one.Address))))]),
            new("originals", ServiceKey, false, [.. services.Select(key => NftElement.Of(key))]),
            new("sends", [NftType.Ipv4Address], false, [.. hosts.Select((host, at) => Host(host, at % 2 == 0 ? first : second))],
                [NftType.Verdict]),
        ];

    private static readonly Prefix[] SomeNets = [.. new[]
        {
            "10.9.0.0/24", "10.9.0.0/16", "10.9.1.1/32", "10.1.0.0/25", "192.168.1.128/25", "192.168.0.0/15", "10.0.0.0/8", "0.0.0.0/0",
            "10.2.0.0/15",
        }.Select(Prefix.Parse)];

    private static readonly PortRange[] SomePorts =
        [new(80, 80), new(53, 53), new(50, 160), new(81, 150), new(5000, 5353), new(1024, 30000)];

    /// <summary>What asks by values that stand in the rule, and what asks the connection and the routes.</summary>
    private static readonly Gen<NftStatement[]> AnyLiteral =
        from end in Gen.Elements(NftEnd.Source, NftEnd.Destination)
        from not in Gen.Elements(true, false)
        from nets in Gen.SubListOf(SomeNets).Where(some => some.Count > 0)
        from ports in Gen.SubListOf(SomePorts).Where(some => some.Count > 0)
        from protocols in Gen.SubListOf<byte>(1, 4, 6, 17).Where(some => some.Count > 0)
        from protocol in Gen.Elements<byte>(6, 17)
        from type in Gen.Elements<byte>(0, 8, 13)
        from code in Gen.Elements<byte?>(null, 0, 1)
        from statements in Gen.Elements<NftStatement[]>(
            [new MatchNets(IpFamily.IPv4, end, [.. nets], not)], [new MatchNets(IpFamily.IPv4, end, [nets[0]], not)],
            [new MatchProtocols([.. protocols], not)], [new MatchProtocols([protocol]), new MatchPorts(end, [.. ports], not)],
            [new MatchProtocols([6, 17]), new MatchPorts(end, [ports[0]], not)], [new MatchProtocols(IpProtocol.Tcp), new MatchSyn(not)],
            [new MatchProtocols(IpProtocol.Icmp), new MatchIcmp(IpFamily.IPv4, type, code, not)],
            [new MatchProtocols(IpProtocol.Icmp), new MatchIcmp(IpFamily.IPv4, type, null, not) { LastType = 13 }],
            [new MatchAddressPort(IpFamily.IPv4, end, "named", not)],
            [new MatchAddressPort(IpFamily.IPv4, NftEnd.Destination, "named", not)],
            [new MatchTranslated(Destination: true), new MatchBegunTo(IpFamily.IPv4, "named")],
            [new MatchTranslated(end == NftEnd.Destination, not)], [new MatchTranslated(Destination: true, not)],
            [new MatchInterfaceAddress(IpFamily.IPv4, "asked")], [new MatchInterfaceIn(not, "links")], [new MatchDirection(not)],
            [new MatchProtocols([protocol]), new MatchOriginalService(IpFamily.IPv4, "originals")],
            [new MatchLocalDestination(not)])
        select statements;

    private static readonly Gen<NftStatement[]> AnyMatch =
        from end in Gen.Elements(NftEnd.Source, NftEnd.Destination)
        from not in Gen.Elements(true, false)
        from protocol in Gen.Elements(IpProtocol.Tcp, IpProtocol.Udp)
        from ports in Gen.Elements(new PortRange(80, 80), new PortRange(50, 160), new PortRange(1024, 30000))
        from bits in Gen.Choose(0, 3)
        from set in Gen.Elements("hosts", "nets")
        from link in Gen.Elements(In, "cali*", Out, "e*", "eth9")
        from states in Gen.Elements(ConnectionStates.New, ConnectionStates.Invalid, ConnectionStates.Untracked | ConnectionStates.Related,
            ConnectionStates.Established)
        from literal in AnyLiteral
        from statements in Gen.Elements<NftStatement[]>(
            literal, literal, literal,
            [new MatchProtocols(protocol)], [new MatchProtocols(protocol), new MatchPorts(end, [ports], not)],
            [new MatchAddress(IpFamily.IPv4, end, set, not)], [new MatchAddress(IpFamily.IPv4, end, set, not)],
            [new MatchAddressPair(IpFamily.IPv4, "pairs", not)], [new MatchInterface(not, link)], [new MatchInterface(not, link)],
            [new MatchMark(3, (uint)bits)], [new MatchMark(3, (uint)bits)], [new MatchMark((uint)bits, 0)],
            [new MatchConnectionMark(3, (uint)bits, not)], [new MatchLocalSource(false, not)],
            [new MatchState(states)], [new MatchSourceShare(IpFamily.IPv4, 4, (uint)bits)], [new MatchChance(2, 1)], [], [], [], [])
        select statements;

    /// <summary>What a rule may do before it has asked everything.</summary>
    private static readonly NftStatement[][] Between =
    [
        [], [], [new ActMark(0xfffffffd, 2), new MatchMark(2, 2)], [new ActConnectionMark(0xfffffffd, 2), new MatchConnectionMark(2, 2)],
        [new ActCount()], [new MatchRate(10_000, 10_000)],
    ];

    private static Gen<NftRule> Rules(params NftStatement[] acts) =>
        from first in AnyMatch
        from second in AnyMatch
        from act in Gen.Elements(acts)
        from before in Gen.Elements(Between)
        select new NftRule([Four, .. first, .. before, .. second, act]);

    private static Gen<NftChain> Chain(string name, string type, NftHookPoint point, int priority, params NftStatement[] acts) =>
        from rules in Rules(acts).ListOf(0, 4)
        select new NftChain(name, new(type, point, priority), [.. rules]);

    private static Gen<NftRule[]> ListOf(this Gen<NftRule> rule, int from, int to) =>
        Gen.Choose(from, to).SelectMany(count => rule.ArrayOf(count));

    private static readonly NftStatement[] Marks =
        [new ActMark(0xfffffffe, 1), new ActMark(0xffffffff, 3), new ActConnectionMark(0xfffffffe, 1), new ActConnectionMark(0xffffffff, 3),
        new ActCount(), new ActCountBy("seen"), new ActTimeout("timed"), new ActLog(9, "seen"), new ActQueue(9, QueueWay.Target)];

    private static ActDecide Goto(string chain) => new(new NftVerdict(NftVerdictCode.Goto, chain));

    private static readonly NftStatement[] Filters =
    [
        .. Marks, ActDecide.Accept, ActDecide.Accept, ActDecide.Return, ActDecide.Return, ActDecide.Jump("sub1"), ActDecide.Jump("sub2"),
        Goto("sub1"), Goto("sub1"), Goto("sub2"), Goto("sub2"), new ActDecideByInterface(false, "leads"),
        new ActDecideByInterface(false, "numbered", "numbers"), ActDecide.Drop, ActDecide.Drop,
        new ActDecideByAddress(IpFamily.IPv4, NftEnd.Source, "sends"), new ActDecideByAddress(IpFamily.IPv4, NftEnd.Destination, "sends"),
    ];

    /// <summary>Where the kernel rejects.</summary>
    private static readonly NftStatement[] Rejecting = [.. Filters, new ActReject(), new ActReject()];

    private static readonly Address Fifty = Address.Parse("10.2.0.50"), Sixty = Address.Parse("10.2.0.60");

    /// <summary>Ports are given where the protocol has been asked; here all have some.</summary>
    private static readonly NftStatement[] SourceNats =
    [
        new ActMasquerade(), new ActSourceNat(Fifty, Fifty), new ActSourceNat(Fifty, Sixty),
        new ActSourceNat(Fifty, Fifty, null, Persistent: true), new ActSourceNatByService(IpFamily.IPv4, "sources"),
        ActDecide.Accept, ActDecide.Return, new ActMark(0xfffffffc, 1),
    ];

    private static readonly NftStatement[] DestinationNats =
        [new ActDecideByService(IpFamily.IPv4, "services"), new ActDecideByService(IpFamily.IPv4, "services"), ActDecide.Accept, Marks[0]];

    /// <summary>A match of the protocol stands before ports that are given.</summary>
    private static readonly Gen<NftChain> AnyPorts =
        from protocol in Gen.Elements(IpProtocol.Tcp, IpProtocol.Udp)
        from match in AnyMatch
        select new NftChain("natpost2", new("nat", NftHookPoint.Postrouting, 110),
            [new([Four, .. match, new MatchProtocols(protocol), new ActMasquerade(new(40000, 40100))])]);

    private static WholeTable WithCounter(WholeTable table) => table with
    {
        Counters = ["seen"],
        Timeouts = [new("timed", IpProtocol.Tcp, [(3, 60)])],
    };

    public static readonly Gen<WholeTable> AnyTable =
        from sets in AnySets
        from sub1 in Rules([.. Marks, ActDecide.Accept, ActDecide.Return, ActDecide.Jump("sub2")]).ListOf(0, 3)
        from sub2 in Rules([.. Marks, ActDecide.Accept, ActDecide.Return, ActDecide.Drop]).ListOf(0, 2)
        from raw in Chain("raw", "filter", NftHookPoint.Prerouting, -300, [.. Marks, new ActNoTrack(), ActDecide.Accept])
        from rawOut in Chain("rawout", "filter", NftHookPoint.Output, -300, [.. Marks, new ActNoTrack(), ActDecide.Accept])
        from early in Chain("early", "filter", NftHookPoint.Prerouting, -150, Rejecting)
        from natPre in Chain("natpre", "nat", NftHookPoint.Prerouting, -160, DestinationNats)
        from natOut in Chain("natout", "nat", NftHookPoint.Output, -100, DestinationNats)
        from input in Chain("in", "filter", NftHookPoint.Input, 0, Rejecting)
        from forward in Chain("fwd", "filter", NftHookPoint.Forward, 0, Rejecting)
        from later in Chain("fwd2", "filter", NftHookPoint.Forward, 0, Rejecting)
        from output in Chain("out", "filter", NftHookPoint.Output, 0, Rejecting)
        from post in Chain("post", "filter", NftHookPoint.Postrouting, 50, Filters)
        from natPost in Chain("natpost", "nat", NftHookPoint.Postrouting, 20, SourceNats)
        from ports in AnyPorts
        from late in Chain("late", "filter", NftHookPoint.Postrouting, 300, [ActDecide.Drop, Marks[0], ActDecide.Accept, ActDecide.Accept])
        from fields in AnyFields
        from local in Gen.Elements(true, false)
        from back in Gen.Elements<NftStatement>(new ActMark(0xffffffff, 3), ActDecide.Drop, new ActCount())
        select WithCounter(Tables.Table(sets, [
            new("back", new("filter", NftHookPoint.Prerouting, -145), [new([Four, new MatchReversePath(Missing: local), back])]),
            new("spread", null, [new(Four, new ActSpread(IpFamily.IPv4, [.. fields], Sides, "ends"))]),
            new("sub2", null, [.. sub2]), new("sub1", null, [.. sub1]), raw, rawOut, early, natPre, natOut, input, forward, later, output,
            post, natPost, ports, late, new("tunnel", new("filter", NftHookPoint.Postrouting, 60),
                [new([Four, new MatchLocalSource(true, Not: local), new MatchLocalSource(false), new ActMark(0xffffffff, 1)])]),
        ]));

    public static readonly Gen<Packet> AnyPacket =
        from own in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
        from source in Gen.Elements(own ? Own : Sources)
        from destination in Gen.Elements<string>(own ? [.. Destinations, Service] : [.. Destinations, .. Destinations, OutAddress, Service])
        from protocol in Gen.Elements(
            IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Udp, IpProtocol.Icmp, IpProtocol.IpEncap)
        from sourcePort in Gen.Choose(1024, 65000)
        from destinationPort in Gen.Elements<ushort>(destination == Service ? [53, 53, 80] : [53, 80, 150, 5000])
        from message in Gen.Elements<(byte Type, byte Code)>((8, 0), (8, 1), (13, 0), (0, 0))
        from isSyn in Gen.Elements(true, true, false)
        let isIcmp = protocol == IpProtocol.Icmp
        let hasPorts = protocol is IpProtocol.Tcp or IpProtocol.Udp
        select new Packet(Address.Parse(source), Address.Parse(destination))
        {
            Protocol = protocol,
            SourcePort = hasPorts ? (ushort)sourcePort : null,
            DestinationPort = hasPorts ? destinationPort : null,
            IsSyn = protocol == IpProtocol.Tcp ? isSyn : null,
            IcmpType = isIcmp ? message.Type : null,
            IcmpCode = isIcmp ? message.Code : null,
            // An answer to nobody is no connection's.
            State = isIcmp && message.Type == 0 ? ConnectionStates.Invalid : ConnectionStates.New,
            Redirect = RedirectOf(destination, protocol, destinationPort),
            Mark = 0,
            In = own ? null : In,
            Out = Out,
        };
}
