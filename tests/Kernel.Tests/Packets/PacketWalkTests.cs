using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Nftables;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Packets;

public class PacketWalkTests
{
    private static readonly NftHook Forward = new("filter", NftHookPoint.Forward, 0);
    private static readonly Packet Any = new(Address.Parse("10.1.0.2"), Address.Parse("10.9.0.1"));
    private static readonly MatchFamily Four = new(IpFamily.IPv4);

    private static PacketEnd[] Ends(Packet packet, params NftChain[] chains) =>
        [.. PacketWalk.Ends(new PacketTable([], chains), new AnyRules.Facts(), packet)];

    private static PacketEnd[] Ends(Packet packet, NftSet[] sets, params NftChain[] chains) =>
        [.. PacketWalk.Ends(new PacketTable(sets, chains), new AnyRules.Facts(), packet)];

    private static NftChain Filter(params NftRule[] rules) => new("fwd", Forward, [.. rules]);

    [Fact]
    public void The_trail_names_each_rule_with_its_comment_and_the_element_that_it_was_for()
    {
        var chain = Filter(
            Rule(Four, new MatchAddress(IpFamily.IPv4, NftEnd.Source, "nets", Outside: true), ActDecide.Accept),
            new NftRule([Four, new MatchAddress(IpFamily.IPv4, NftEnd.Source, "nets"), ActDecide.Drop], "NetworkPolicy shop/deny"));
        var end = Assert.Single(Ends(Any, [Prefixes("nets", "10.1.0.0/24")], chain));
        Assert.Equal(PacketVerdict.Drop, end.Verdict);
        Assert.Equal(
            [
                "chain fwd: meta nfproto ipv4 ip saddr != @nets accept: not held: ip saddr != @nets (10.1.0.0/24)",
                "chain fwd: meta nfproto ipv4 ip saddr @nets drop comment \"NetworkPolicy shop/deny\": done (10.1.0.0/24)",
            ], end.Trail.Select(step => step.ToString()));
        Assert.Same(end.Trail[1], end.Decided);
    }

    [Theory]
    [InlineData("10.9.0.1", 80, PacketVerdict.Accept)]
    [InlineData("10.9.0.1", 81, PacketVerdict.Drop)]
    [InlineData("10.9.0.2", 80, PacketVerdict.Drop)]
    public void What_is_sent_to_where_it_goes_anyway_is_not_translated_in_the_kernels_eyes(string to, ushort port, PacketVerdict verdict)
    {
        var packet = Any with
        {
            Protocol = IpProtocol.Tcp,
            SourcePort = 1000,
            DestinationPort = 80,
            State = ConnectionStates.New,
            In = AnyRules.In,
            Out = AnyRules.Out,
        };
        var ends = new NftSet("ends", [NftType.Ipv4Address, NftType.Protocol, NftType.Port, NftType.Mark], false,
            [NftElement.Of(ActSpread.Key(packet.Destination, 6, 80, 0), new NftData(NftOctets.Of(NftOctets.Of(Address.Parse(to)),
                NftOctets.Of(port))))], [NftType.Ipv4Address, NftType.Port]);
        var pre = new NftChain("pre", new("nat", NftHookPoint.Prerouting, -100),
            [Rule(Four, new ActSpread(IpFamily.IPv4, [FlowField.Protocol], 1, "ends"))]);
        Assert.Equal(verdict, Assert.Single(
            Ends(packet, [ends], pre, Filter(Rule(new MatchTranslated(Destination: true), ActDecide.Drop)))).Verdict);
    }

    [Fact]
    public void What_nobody_has_said_is_taken_both_ways_and_said_to_be()
    {
        var ends = Ends(Any, Filter(
            Rule(new MatchProtocols(IpProtocol.Tcp), new MatchPorts(NftEnd.Destination, 80), ActDecide.Drop)));
        Assert.Equal(
            [
                "Drop: the protocol (meta l4proto tcp), the destination port (th dport 80)",
                "Accept: the protocol (meta l4proto tcp), the destination port (not th dport 80)",
                "Accept: the protocol (not meta l4proto tcp)",
            ], ends.Select(end => $"{end.Verdict}: {string.Join(", ", end.DependsOn)}"));
    }

    [Fact]
    public void What_makes_no_difference_nothing_depends_on()
    {
        var end = Assert.Single(Ends(Any,
            [new NftSet("none", [NftType.Ipv4Address], false, [])],
            Filter(Rule(new MatchProtocols(IpProtocol.Tcp), Four, new MatchAddress(IpFamily.IPv4, NftEnd.Source, "none"), ActDecide.Drop),
                Rule(new MatchMark(1, 1), new ActCount()))));
        Assert.Equal((PacketVerdict.Accept, 0), (end.Verdict, end.DependsOn.Length));
    }

    [Fact]
    public void One_fact_is_not_taken_in_two_ways_at_once()
    {
        var ends = Ends(Any, Filter(
            Rule(new MatchInterface(true, "eth*"), new ActMark(0xffffffff, 0), ActDecide.Return),
            Rule(new MatchInterface(true, "eth0"), ActDecide.Drop)));
        Assert.DoesNotContain(ends, end => end.Verdict == PacketVerdict.Drop);
    }

    [Fact]
    public void What_was_taken_to_be_so_before_a_change_says_nothing_of_what_is_so_behind_it()
    {
        // A mark of 1 in its two low bits is 2 once both are turned.
        var ends = Ends(Any, Filter(
            Rule(new MatchMark(3, 2), ActDecide.Accept), Rule(new ActMark(0xffffffff, 3)), Rule(new MatchMark(3, 2), ActDecide.Drop)));
        Assert.Contains(ends, end => end.Verdict == PacketVerdict.Drop);
        ends = Ends(Any with { Protocol = IpProtocol.Udp, Mark = 0 },
            new NftChain("post", new("filter", NftHookPoint.Postrouting, 50),
                [Rule(new MatchPorts(NftEnd.Source, [new(80, 80)], Outside: true), ActDecide.Drop)]),
            new NftChain("nat", new("nat", NftHookPoint.Postrouting, 100), [Rule(new ActMasquerade())]),
            new NftChain("late", new("filter", NftHookPoint.Postrouting, 200),
                [Rule(new MatchPorts(NftEnd.Source, [new(80, 80)], Outside: true), ActDecide.Accept), Rule(ActDecide.Drop)]));
        Assert.Contains(ends, end => end.Verdict == PacketVerdict.Accept);
    }

    [Fact]
    public void A_connection_that_begins_has_no_mark_but_the_one_that_it_is_given()
    {
        NftChain[] chains =
        [
            Filter(Rule(new MatchConnectionMark(1, 1), ActDecide.Drop),
                Rule(new MatchState(ConnectionStates.New), new ActConnectionMark(0, 6)),
                Rule(new MatchConnectionMark(7, 6), new ActMark(0, 1)), Rule(new MatchMark(1, 0), ActDecide.Drop),
                Rule(new MatchConnectionMark(7, 6, Not: true), ActDecide.Drop)),
        ];
        var packet = Any with { Mark = 0 };
        Assert.Equal(PacketVerdict.Accept, Assert.Single(Ends(packet, chains)).Verdict);
        Assert.Equal(PacketVerdict.Drop, Assert.Single(Ends(packet with { State = ConnectionStates.Untracked }, chains)).Verdict);
        var earlier = Ends(packet with { State = ConnectionStates.Established }, chains);
        Assert.Equal(["Accept", "Drop"], earlier.Select(end => $"{end.Verdict}").Distinct().Order());
        Assert.All(earlier, end => Assert.Equal("the mark of its connection", end.DependsOn[0].Fact));
    }

    [Fact]
    public void What_begins_a_connection_of_TCP_is_a_SYN_unless_somebody_says_otherwise_and_of_all_else_it_is_asked()
    {
        NftChain[] chains = [Filter(Rule(new MatchProtocols(IpProtocol.Tcp), new MatchSyn(Not: true), ActDecide.Drop))];
        var packet = Any with { Protocol = IpProtocol.Tcp };
        Assert.Equal(PacketVerdict.Accept, Assert.Single(Ends(packet, chains)).Verdict);
        Assert.Equal(PacketVerdict.Drop, Assert.Single(Ends(packet with { IsSyn = false }, chains)).Verdict);
        var later = Ends(packet with { State = ConnectionStates.Established }, chains);
        Assert.Equal(["Accept", "Drop"], later.Select(end => $"{end.Verdict}").Order());
        Assert.All(later, end => Assert.Equal("whether the segment is a SYN", Assert.Single(end.DependsOn).Fact));
    }

    /// <summary>One has a connection.</summary>
    [Fact]
    public void A_reply_has_a_mark_or_has_another_one()
    {
        var ends = Ends(Any with { State = null }, Filter(
            Rule(new MatchDirection(Reply: true), new MatchConnectionMark(3, 1, Not: true), ActDecide.Accept),
            Rule(new MatchDirection(Reply: true), new MatchConnectionMark(3, 1), ActDecide.Accept),
            Rule(new MatchDirection(Reply: true), ActDecide.Drop)));
        Assert.All(ends, end => Assert.Equal(PacketVerdict.Accept, end.Verdict));
    }

    [Fact]
    public void What_is_in_a_dynamic_set_only_the_kernel_knows()
    {
        NftSet names = new("names", [NftType.Ipv4Address], false, [NftElement.Of(NftOctets.Of(Any.Destination))]) { Dynamic = true };
        var ends = Ends(Any, [names], Filter(Rule(Four, new MatchAddress(IpFamily.IPv4, NftEnd.Destination, "names"), ActDecide.Drop)));
        Assert.Equal([PacketVerdict.Drop, PacketVerdict.Accept], ends.Select(end => end.Verdict));
        Assert.All(ends, end => Assert.Equal("what is in the set names at the moment", Assert.Single(end.DependsOn).Fact));
    }

    [Fact]
    public void What_is_so_of_a_translation_before_it_says_nothing_of_it_behind()
    {
        NftChain early = new("early", new("filter", NftHookPoint.Prerouting, -150),
            [Rule(new MatchTranslated(Destination: true), new ActMark(0, 1))]);
        var late = Filter(Rule(new MatchTranslated(Destination: true), new MatchMark(1, 0), ActDecide.Drop));
        var packet = Any with { Mark = 0, In = "cali1", Redirect = new(Address.Parse("10.9.1.1"), null) };
        Assert.Equal(PacketVerdict.Drop, Assert.Single(Ends(packet, early, late)).Verdict);
        Assert.Contains(Ends(packet with { State = null }, early, late), end => end.Verdict == PacketVerdict.Drop);
    }

    [Fact]
    public void Of_an_interface_that_nobody_has_said_each_of_a_short_map_is_told_apart()
    {
        const string fact = PacketFact.In;
        var (leads, chain) = Leading("cali1", "cali2");
        Assert.Equal(
            [
                $"Drop: {fact} (iifname \"cali1\")",
                $"Drop: {fact} (not iifname \"cali1\"), {fact} (iifname \"cali2\")",
                $"Accept: {fact} (not iifname \"cali1\"), {fact} (not iifname \"cali2\")",
            ],
            Ends(Any, [leads], chain).OrderBy(end => end.DependsOn.Length).ThenBy(end => !end.DependsOn[^1].IsSo)
                .Select(end => $"{end.Verdict}: {string.Join(", ", end.DependsOn)}"));
        Assert.Equal((PacketVerdict.Drop, "\"cali1\" : drop"),
            (Ends(Any with { In = "cali1" }, [leads], chain)[0].Verdict, Ends(Any with { In = "cali1" }, [leads], chain)[0].Decided!.By));
        Assert.Equal(PacketVerdict.Accept, Ends(Any with { In = "cali3" }, [leads], chain)[0].Verdict);
    }

    [Fact]
    public void Of_an_interface_that_nobody_has_said_a_long_map_is_left_open_but_for_what_has_been_taken_to_be_so()
    {
        var (leads, chain) = Leading([.. Enumerable.Range(0, 300).Select(n => $"cali{n}")]);
        var open = Assert.Single(Ends(Any, [leads], chain));
        Assert.Equal((PacketVerdict.Open, PacketFact.In), (open.Verdict, Assert.Single(open.DependsOn).Fact));
        var behind = Filter(Rule(new MatchInterface(false, "cali*"), ActDecide.Return), chain.Rules[0]);
        Assert.Equal([PacketVerdict.Accept, PacketVerdict.Accept], Ends(Any, [leads], behind).Select(end => end.Verdict));
        var unknown = Filter(chain.Rules[0], Rule(new MatchInterface(false, "cali*"), ActDecide.Drop));
        Assert.Equal(PacketVerdict.Drop, Assert.Single(Ends(Any with { In = "cali999" }, [leads], unknown)).Verdict);
    }

    private static (NftSet Map, NftChain Chain) Leading(params string[] links) => (
        new("leads", [NftType.InterfaceName], false,
            [.. links.Select(link => NftElement.Of(NftOctets.OfInterface(link), new NftVerdict(NftVerdictCode.Drop)))], [NftType.Verdict]),
        Filter(Rule(new ActDecideByInterface(false, "leads"))));

    [Fact]
    public void An_interface_leads_by_its_number_to_a_verdict_and_by_one_that_leads_nowhere_on()
    {
        NftSet numbers = new("numbers", [NftType.InterfaceName], false, [.. new uint[] { 1, 2 }.Select(number =>
            NftElement.Of(NftOctets.OfInterface($"cali{number}"), ActDecideByInterface.Value(number)))], ActDecideByInterface.ValueType);
        NftSet numbered = new("numbered", ActDecideByInterface.KeyType, false,
            [NftElement.Of(ActDecideByInterface.Key(1), new NftVerdict(NftVerdictCode.Drop))], [NftType.Verdict]);
        var chain = Filter(Rule(new ActDecideByInterface(false, "numbered", "numbers")));
        PacketVerdict[] Verdicts(string? link) => [.. Ends(Any with { In = link }, [numbers, numbered], chain).Select(end => end.Verdict)];
        Assert.Equal([PacketVerdict.Drop], Verdicts("cali1"));
        Assert.Equal([PacketVerdict.Accept], Verdicts("cali2"));
        Assert.Equal([PacketVerdict.Accept], Verdicts("cali3"));
        Assert.Equal([PacketVerdict.Accept, PacketVerdict.Accept, PacketVerdict.Drop], Ends(Any, [numbers, numbered], chain)
            .Select(end => end.Verdict).Order());
    }

    [Fact]
    public void A_jump_comes_back_and_a_goto_comes_back_to_who_jumped()
    {
        NftChain inner = new("inner", null, [Rule(new ActCount())]);
        NftChain outer = new("outer", null, [Rule(Goto("inner")), Rule(ActDecide.Accept)]);
        var drop = Rule(ActDecide.Drop);
        Assert.Equal(PacketVerdict.Drop, Ends(Any, inner, Filter(Rule(ActDecide.Jump("inner")), drop))[0].Verdict);
        Assert.Equal(PacketVerdict.Accept, Ends(Any, inner, Filter(Rule(Goto("inner")), drop))[0].Verdict);
        Assert.Equal(PacketVerdict.Drop, Ends(Any, inner, outer, Filter(Rule(ActDecide.Jump("outer")), drop))[0].Verdict);
        Assert.Equal(PacketVerdict.Accept, Ends(Any, Filter(Rule(ActDecide.Return), drop))[0].Verdict);
    }

    private static ActDecide Goto(string chain) => new(new NftVerdict(NftVerdictCode.Goto, chain));

    [Fact]
    public void Rules_that_lead_in_a_circle_are_left_open_and_many_facts_come_to_an_end()
    {
        NftChain circle = new("circle", null, [Rule(ActDecide.Jump("circle"))]);
        Assert.Equal(PacketVerdict.Open, Assert.Single(Ends(Any, circle, Filter(Rule(ActDecide.Jump("circle"))))).Verdict);
        var facts = Enumerable.Range(0, 30).Select(i => Rule(new MatchChance(2, 1), new ActMark(0xffffffff, 1u << i)));
        Assert.Equal(PacketVerdict.Open, Ends(Any, Filter([.. facts]))[^1].Verdict);
    }

    [NeedsFact(Needs.Namespaces)]
    public void What_the_kernel_has_refused_no_packet_meets()
    {
        using var ns = new Live.NetworkNamespace();
        var ruleset = ns.Ruleset();
        var refused = Rule(new MatchInterface(true, "a-name-that-no-interface-can-have"), ActDecide.Drop);
        ruleset.Have(Table([], Filter(refused)));
        var end = Assert.Single(PacketWalk.Ends(ruleset.Ruleset.Table, new AnyRules.Facts(), Any));
        Assert.Equal((PacketVerdict.Accept, true, 0), (end.Verdict, Assert.Single(end.Trail).IsRefused, end.DependsOn.Length));
    }

    /// <summary>Half of them, as the kernel hashes them: what it drops of this host's own, it says to the sender.</summary>
    [NeedsTheory(Needs.Namespaces)]
    [InlineData("10.5.0.", "local 10.5.0.0/16 dev lo")]
    [InlineData("fd05::", "local fd05::/64 dev lo")]
    public void Which_sources_share_it_is_the_kernel_agrees(string start, string route)
    {
        const int sources = 40;
        using var ns = new Live.NetworkNamespace();
        ns.Ip($"route add {route}");
        ns.Inside(() =>
        {
            File.WriteAllText("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
            return true;
        });
        var (ruleset, to) = (ns.Ruleset(), Address.Parse(start + "99"));
        ruleset.Have(Table([], new NftChain("out", new("filter", NftHookPoint.Output, 0),
            [Rule(new MatchFamily(to.Family), new MatchSourceShare(to.Family, 1000, 500), ActDecide.Drop)])));
        var told = Enumerable.Range(1, sources).Select(i => new Packet(Address.Parse($"{start}{i}"), to))
            .ToDictionary(packet => packet.Source, packet => Assert.Single(
                PacketWalk.Ends(ruleset.Ruleset.Table, new Everywhere(), packet)).Verdict == PacketVerdict.Drop);
        Assert.InRange(told.Values.Count(isDropped => isDropped), 1, sources - 1);
        Assert.All(told, one => Assert.Equal((one.Key, one.Value), (one.Key, ns.Inside(() => IsDropped(one.Key, to)))));
    }

    private static bool IsDropped(Address from, Address to)
    {
        using var socket = new Socket(from.ToIPAddress().AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(from.ToIPAddress(), 0));
        try
        {
            socket.SendTo([1], new IPEndPoint(to.ToIPAddress(), 9));
            return false;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AccessDenied)
        {
            return true; // EPERM
        }
    }

    private sealed class Everywhere : IHostFacts
    {
        public bool? IsLocal(Address address) => true;
        public bool? IsLocalOn(Address address, string link) => true;
        public bool? ComesBackBy(Address source, uint mark, string link) => true;
    }

    /// <summary>More services than can be told apart of all protocols, and few of the one that the rule is for.</summary>
    [Fact]
    public void A_rule_for_one_protocol_tells_its_services_apart()
    {
        NftElement Service(IpProtocol protocol, ushort port, NftVerdictCode to) =>
            NftElement.Of(ServiceField.Key(Any.Destination, (byte)protocol, port), new NftVerdict(to));
        NftSet services = new("services", [NftType.Ipv4Address, NftType.Protocol, NftType.Port], false,
        [
            .. ((ushort[])[80, 81, 82]).Select(port => Service(IpProtocol.Tcp, port, NftVerdictCode.Accept)),
            Service(IpProtocol.Udp, 53, NftVerdictCode.Drop), Service(IpProtocol.Udp, 80, NftVerdictCode.Accept),
        ], [NftType.Verdict]);
        var ends = Ends(
            Any, [services], Filter(Rule(new MatchProtocols(IpProtocol.Udp), new ActDecideByService(IpFamily.IPv4, "services"))));
        Assert.Equal((4, 1), (ends.Length, ends.Count(end => end.Verdict == PacketVerdict.Drop)));
    }

    /// <summary>Whatever is left out of what is known of a packet, its end is one of those that it may have.</summary>
    [Fact]
    public void What_is_not_said_is_never_guessed() => Prop.ForAll(
        (from table in AnyRules.AnyTable from packet in AnyRules.AnyPacket from left in Gen.Choose(1, 255) select (table, packet, left))
            .ToArbitrary(), one =>
        {
            var (table, packet, left) = one;
            var rules = new PacketTable(table.Sets, table.Chains);
            var less = packet with
            {
                Protocol = (left & 1) == 0 ? packet.Protocol : null,
                SourcePort = (left & 2) == 0 ? packet.SourcePort : null,
                DestinationPort = (left & 4) == 0 ? packet.DestinationPort : null,
                Mark = (left & 8) == 0 ? packet.Mark : null,
                Out = (left & 16) == 0 ? packet.Out : null,
                State = (left & 32) == 0 ? packet.State : null,
                IcmpType = (left & 64) == 0 ? packet.IcmpType : null,
                IcmpCode = (left & 64) == 0 ? packet.IcmpCode : null,
                In = (left & 128) == 0 ? packet.In : null,
            };
            var mays = PacketWalk.Ends(rules, new AnyRules.Facts(), less);
            if (mays.Any(end => end.Verdict == PacketVerdict.Open)) return; // too many facts, and it says so
            Assert.All(PacketWalk.Ends(rules, new AnyRules.Facts(), packet), end => Assert.Contains(mays, end.IsLike));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static readonly Gen<NftSet> AnySet =
        from prefixes in Gen.Choose(0, 2).ArrayOf(16)
        from pairs in Gen.Elements(true, false)
        select Set(prefixes, pairs);

    private static NftSet Set(int[] kinds, bool pairs)
    {
        var prefixes = Tables.Prefixes("s", kinds.SelectMany((kind, i) => kind switch
        {
            0 => Array.Empty<string>(),
            1 => [$"255.255.255.{i * 16}/28"],
            _ => [$"255.255.255.{i * 16}/29", $"255.255.255.{i * 16 + 12}/30"],
        }));
        return !pairs ? prefixes : new("s", [NftType.Port, NftType.Ipv4Address], true, [.. prefixes.Elements.Select((element, i) =>
            new NftElement(NftOctets.Of(NftOctets.Of((ushort)i), element.From), NftOctets.Of(NftOctets.Of((ushort)(i + 3)), element.To)))]);
    }

    /// <summary>In order and searched in halves, or as our table keeps them: as one reads them from the first to the last.</summary>
    [Fact]
    public void A_set_has_what_one_of_its_elements_has() => Prop.ForAll(AnySet.ToArbitrary(), set =>
    {
        var parts = new NftParts();
        parts.Apply(new NftChange.PutSet(set));
        IPacketTable[] tables = [new PacketTable([set], []), new PartsTable(parts, null, null)];
        for (var i = 0; i < 256; i++)
        {
            var (address, port) = (Address.FromIPv4(0xffffff00u + (uint)i), (ushort)(i % 9));
            var key = set.Key.Length == 1 ? NftOctets.Of(address) : NftOctets.Of(NftOctets.Of(port), NftOctets.Of(address));
            var naive = set.Elements.Any(element => set.Key.Length == 1
                ? Between(element.From.Span, address, element.To.Span)
                : Between(element.From.Span[4..], address, element.To.Span[4..])
                    && element.From.Span[1] <= port && port <= element.To.Span[1]);
            Assert.All(tables, table => Assert.Equal(naive, table.Find("s", key).IsThere));
        }
    }).QuickCheckThrowOnFailure();

    private static bool Between(ReadOnlySpan<byte> from, Address address, ReadOnlySpan<byte> to) =>
        Address.FromOctets(from) <= address && address <= Address.FromOctets(to);
}
