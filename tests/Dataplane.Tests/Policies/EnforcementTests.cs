using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>Objects → rules, and packets walked through them.</summary>
public partial class EnforcementTests
{
    private static readonly DataplaneSettings On = new("node1", Policy: new() { Enabled = true });

    private static Pod NewPod(string name, string address, string app) => new(new Metadata(name, "default")
    {
        Labels = Labels.From(
            [new("app", app), new("projectcalico.org/namespace", "default"), new("projectcalico.org/orchestrator", "k8s")]),
    })
    {
        Node = "node1",
        Nets = [Prefix.Parse(address)],
        Profiles = ["kns.default"],
        Ports = [new NamedPort("http", 6, 8080)],
    };

    private static readonly Pod A = NewPod("a", "10.65.0.2/32", "a"), B = NewPod("b", "10.65.0.3/32", "b");

    private static readonly Resource[] World =
        [new KubernetesNamespace(new Metadata("default")), new Tier(new Metadata("default")) { Order = 1_000_000 }, A, B];

    private static NetworkPolicy Ingress(string name, params ListOf<PolicyRule> rules) => new(new Metadata(name, "default"))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse("app == 'b'"),
            Types = PolicyTypes.Ingress,
            Ingress = rules,
            WorkloadsOnly = true,
        },
    };

    private static PolicyRule Allow => new() { Action = RuleAction.Allow, Protocol = 6 };

    private static RuleEntity Port(ushort port) => new() { Ports = [new PortMatch(port, port)] };

    private static readonly Address HostAddress = Address.Parse("172.16.0.1");

    /// <summary>What the table has after all that was written.</summary>
    private sealed class Hand
    {
        private readonly Enforcement enforcement = new(() => QueueWay.Expression);
        private readonly WrittenTable table = new();

        public Hand(params IEnumerable<Resource> objects)
        {
            enforcement.Apply(new DataplaneChange.Configured(On));
            foreach (var change in Come(objects)) enforcement.Apply(new DataplaneChange.Object(change));
            Write();
        }

        public int Changes => Steps.Sum(step => step.Length);

        /// <summary>What the kernel is too old for.</summary>
        public Predicate<NftRule> Refused { get; init; } = _ => false;

        private NftChain Now(NftChain chain) => chain with
        {
            Rules = ((ImmutableArray<NftRule>[])[chain.Rules, .. chain.Instead]).FirstOrDefault(
                rules => !rules.Any(rule => Refused(rule)), [.. (chain.Instead.IsEmpty ? chain.Rules : chain.Instead[^1]).Where(
                    rule => !Refused(rule))]),
        };

        public void Change(Resource? before, Resource? after)
        {
            var one = (before ?? after)!;
            enforcement.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, before, after)));
            Write();
        }

        public void Configure(DataplaneSettings settings)
        {
            enforcement.Apply(new DataplaneChange.Configured(settings));
            Write();
        }

        private void Write()
        {
            Steps = [];
            do
            {
                enforcement.Write(table.For(enforcement));
                Steps = Steps.Add(table.Take());
            }
            while (enforcement.IsToBeSwept);
        }

        /// <summary>One behind the other, each once what was before is in force.</summary>
        public ImmutableArray<ImmutableArray<NftChange>> Steps { get; private set; } = [];

        public string Text => table.Text;

        public (PacketVerdict, PolicyComment?) Ask(Pod from, Pod to, ushort port, IpProtocol protocol = IpProtocol.Tcp)
        {
            var end = Ask(new Packet(from.Nets[0].Address, to.Nets[0].Address)
            {
                Protocol = protocol,
                SourcePort = 40000,
                DestinationPort = port,
                In = from.InterfaceName("cali"),
                Out = to.InterfaceName("cali"),
            });
            return (end.Verdict, PolicyComment.Parse(end.Decided?.Rule.Comment));
        }

        public PacketEnd Ask(Packet packet) =>
            Assert.Single(PacketWalk.Ends(table.Packets(Now), new OneHost(), packet));
    }

    /// <summary>Its own address is <see cref="HostAddress"/>.</summary>
    private sealed class OneHost : IHostFacts
    {
        public bool? IsLocal(Address address) => address == HostAddress || address == Address.Parse("127.0.0.1");
        public bool? IsLocalOn(Address address, string link) => IsLocal(address);
        public bool? ComesBackBy(Address source, uint mark, string link) => true;
    }

    [Fact]
    public void A_policy_of_which_the_kernel_refuses_a_rule_is_closed_alone_for_what_it_selects()
    {
        var ping = Allow with { Protocol = 1, Icmp = new(8, 0) };
        Resource[] objects =
            [.. World, Ingress("ping", ping, Allow), Global("out", "app == 'a'", Allow with { Destination = Port(80) })];
        Assert.Equal(PacketVerdict.Accept, new Hand(objects).Ask(A, B, 80).Item1);
        var old = new Hand(objects) { Refused = rule => rule.Statements.Any(statement => statement is MatchIcmp) };
        Assert.Equal((PacketVerdict.Drop, new PolicyComment("default", "NetworkPolicy", "default/ping", PolicyTypes.Ingress)),
            old.Ask(A, B, 80));
        Assert.Equal(PacketVerdict.Accept, old.Ask(B, A, 80).Item1);
        Assert.Equal((PacketVerdict.Drop, new PolicyComment("default")), old.Ask(A, B, 81));
    }

    [Fact]
    public void A_kernel_without_reject_drops_and_one_without_named_counters_lets_nothing_through_that_counts()
    {
        Resource[] objects =
        [
            .. World, Ingress("some", Allow with { Destination = Port(80) }),
            new FelixConfiguration(new Metadata("default")) { FilterDenyAction = DenyAction.Reject },
        ];
        var old = new Hand(objects) { Refused = rule => rule.Statements.Any(statement => statement is ActReject) };
        Assert.Equal(PacketVerdict.Accept, old.Ask(A, B, 80).Item1);
        Assert.Equal(PacketVerdict.Drop, old.Ask(A, B, 81).Item1);
        old = new Hand(objects) { Refused = rule => rule.Statements.Any(statement => statement is ActCountBy) };
        Assert.Equal(PacketVerdict.Drop, old.Ask(A, B, 80).Item1);
    }

    [Fact]
    public void A_kernel_that_cannot_log_decides_the_same_and_tells_nobody()
    {
        Resource[] objects =
        [
            .. World, Ingress("some", new() { Action = RuleAction.Log }, Allow with { Destination = Port(80) }),
            new FelixConfiguration(new Metadata("default")) { FilterDenyAction = DenyAction.Reject },
        ];
        var old = new Hand(objects) { Refused = rule => rule.Statements.Any(statement => statement is ActLog) };
        old.Configure(On with { Policy = new() { Enabled = true, LogDenied = true } });
        Assert.Equal((PacketVerdict.Accept, new PolicyComment("default", "NetworkPolicy", "default/some", PolicyTypes.Ingress, 1)),
            old.Ask(A, B, 80));
        Assert.Equal((PacketVerdict.Drop, new PolicyComment("default")), old.Ask(A, B, 81));
    }

    [Fact]
    public void What_the_kernel_refuses_is_said_by_the_object_once()
    {
        NftProblem Problem(string chain, string? comment, bool isLast) =>
            new("rule", 2, "No such file or directory", DateTimeOffset.UnixEpoch, 1, new(chain, comment, isLast));
        var closed = new PolicyComment("default", "NetworkPolicy", "default/ping", PolicyTypes.Ingress, 0).ToString();
        var status = NftStatus.None with
        {
            Problems = [Problem("pol-in-1", closed, true), Problem("pol-in-1", closed, true), Problem("pol-to-1", null, false),
                Problem("postrouting", null, false)],
        };
        const string Words = "No such file or directory";
        var problems = PolicyProblem.Of(status);
        Assert.Equal((PolicyProblem[])[new("NetworkPolicy/default/ping", Words, true), new("chain pol-to-1", Words, false)], problems);
        Assert.Equal(
            [$"closed: the kernel refused a rule of it ({Words})", $"the kernel refused a rule of it ({Words})"],
            problems.Select(problem => problem.Reason));
    }

    [Fact]
    public void A_pod_without_a_policy_is_open_and_one_that_is_selected_denies_what_no_rule_allows()
    {
        var hand = new Hand(World);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(A, B, 81).Item1);
        hand.Change(null, Ingress("only-80", Allow with { Source = new() { In = Selector.Parse("app == 'a'") }, Destination = Port(80) }));
        Assert.Equal((PacketVerdict.Accept, new PolicyComment("default", "NetworkPolicy", "default/only-80", PolicyTypes.Ingress,
            0)), hand.Ask(A, B, 80));
        Assert.Equal((PacketVerdict.Drop, new PolicyComment("default")), hand.Ask(A, B, 81));
        Assert.Equal(PacketVerdict.Accept, hand.Ask(B, A, 81).Item1);
    }

    [Fact]
    public void A_port_by_its_name_is_that_of_the_endpoint()
    {
        var hand = new Hand([.. World, Ingress("named", Allow with { Destination = new() { Ports = [new PortMatch(0, 0, "http")] } })]);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(A, B, 8080).Item1);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(A, B, 80).Item1);
    }

    [Fact]
    public void Pass_leaves_the_tier_past_its_other_policies()
    {
        var hand = new Hand(
        [
            .. World, Ingress("a-pass", Allow with { Action = RuleAction.Pass, Destination = Port(80) }),
            Ingress("b-deny", Allow with { Action = RuleAction.Deny }),
        ]);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(A, B, 80).Item1);
        Assert.Equal((PacketVerdict.Drop, new PolicyComment("default", "NetworkPolicy", "default/b-deny", PolicyTypes.Ingress, 0)),
            hand.Ask(A, B, 81));
    }

    [Fact]
    public void An_interface_of_a_workload_that_nobody_has_named_is_closed() =>
        Assert.Equal(PacketVerdict.Drop, new Hand(World).Ask(NewPod("stranger", "10.65.0.9/32", "x"), B, 80).Item1);

    [Fact]
    public void Policies_and_pods_that_come_and_go_leave_what_would_be_written_from_scratch()
    {
        var (first, second) = (Ingress("p", Allow with { Destination = Port(80) }), Ingress("p", Allow with { Destination = Port(81) }));
        var hand = new Hand(World);
        var before = hand.Text;
        hand.Change(null, first);
        Assert.Equal(new Hand([.. World, first]).Text, hand.Text);
        hand.Change(first, second);
        Assert.Equal(new Hand([.. World, second]).Text, hand.Text);
        var c = NewPod("c", "10.65.0.4/32", "b");
        hand.Change(null, c);
        Assert.Equal(new Hand([.. World, second, c]).Text, hand.Text);
        hand.Change(c, null);
        hand.Change(second, null);
        Assert.Equal(before, hand.Text);
    }

    [Fact]
    public void An_edit_of_a_policy_writes_its_chain_and_nothing_else()
    {
        var (before, after) = (Ingress("p", Allow with { Destination = Port(80) }), Ingress("p", Allow with { Destination = Port(81) }));
        var hand = new Hand([.. World, before]);
        hand.Change(before, after);
        Assert.Equal(3, hand.Changes); // its two counters stay by being named again
    }

    /// <summary>An element that leads to a chain has the kernel look at all chains.</summary>
    [Fact]
    public void A_pod_whose_program_is_there_writes_elements_that_lead_to_no_chain()
    {
        var hand = new Hand([.. World, Ingress("p", Allow with { Source = new() { In = Selector.Parse("app == 'b'") } })]);
        var other = NewPod("c", "10.65.0.4/32", "b");
        foreach (var (before, after) in ((Pod?, Pod?)[])[(null, other), (other, null)])
        {
            hand.Change(before, after);
            var elements = Assert.Single(hand.Steps).SelectMany(change => change switch
            {
                NftChange.PutElements put => put.Elements,
                NftChange.RemoveElements remove => remove.Elements,
                _ => throw new ArgumentException(change.ToString(), nameof(change)),
            }).ToArray();
            Assert.Equal(3, elements.Length); // where it is asked, at both places, and who is allowed
            Assert.DoesNotContain(elements, element => element.Value is NftVerdict);
        }
    }

    /// <summary>A packet that has been told the number of its program finds it.</summary>
    [Fact]
    public void A_program_goes_once_what_takes_its_place_is_in_force()
    {
        var hand = new Hand([.. World, Ingress("p", Allow)]);
        hand.Change(Ingress("p", Allow), null);
        Assert.Equal(2, hand.Steps.Length);
        Assert.DoesNotContain(hand.Steps[0], change => change is NftChange.RemoveChain);
        var gone = hand.Steps[1].OfType<NftChange.RemoveChain>().Select(chain => chain.Name).ToArray();
        Assert.Equal(2, gone.Length); // the program, and the policy's
        Assert.Single(hand.Steps[1].OfType<NftChange.RemoveElements>());
    }

    [Fact]
    public void Where_policy_is_off_nothing_of_it_stays()
    {
        var hand = new Hand([.. World, Ingress("p", Allow)]);
        hand.Configure(On with { Policy = new() });
        Assert.Equal("", hand.Text);
    }

    private static HostEndpoint Host(string interfaceName, params ListOf<string> profiles) =>
        new(new Metadata("host-" + (interfaceName == "*" ? "all" : interfaceName)) { Labels = Labels.From([new("on", interfaceName)]) })
        {
            Node = "node1",
            Interface = interfaceName,
            Profiles = profiles,
        };

    private static readonly Profile Open = new(new Metadata(Profile.DefaultAllow))
    {
        Ingress = [new() { Action = RuleAction.Allow }],
        Egress = [new() { Action = RuleAction.Allow }],
    };

    /// <summary>Of both directions, with these rules in each.</summary>
    private static GlobalNetworkPolicy Global(string name, string selector, params ListOf<PolicyRule> rules) => new(new Metadata(name))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse(selector),
            Types = PolicyTypes.Ingress | PolicyTypes.Egress,
            Ingress = rules,
            Egress = rules,
        },
    };

    private static GlobalNetworkPolicy As(GlobalNetworkPolicy policy, bool forward = true, bool preDnat = false, bool untracked = false) =>
        policy with
        {
            Spec = policy.Spec with
            {
                ApplyOnForward = forward,
                PreDnat = preDnat,
                DoNotTrack = untracked,
                Types = preDnat ? PolicyTypes.Ingress : policy.Spec.Types,
            },
        };

    private static Packet Tcp(string from, string to, ushort port, string? comesBy = null, string? leavesBy = null) =>
        new(Address.Parse(from), Address.Parse(to))
        {
            Protocol = IpProtocol.Tcp,
            SourcePort = 40000,
            DestinationPort = port,
            Mark = 0,
            Redirect = PacketRedirect.None,
            In = comesBy,
            Out = leavesBy,
        };

    private static readonly PolicyRule Deny = new() { Action = RuleAction.Deny };

    [Fact]
    public void A_host_endpoint_closes_its_interface_to_the_host_but_for_failsafe_ports()
    {
        var hand = new Hand([.. World, Host("eth0")]);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 22, "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth1")).Verdict);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(Tcp("172.16.0.1", "192.0.2.1", 80, leavesBy: "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("172.16.0.1", "192.0.2.1", 2379, leavesBy: "eth0")).Verdict);
        hand.Change(Host("eth0"), Host("eth0", Profile.DefaultAllow));
        hand.Change(null, Open);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth0")).Verdict);
    }

    [Theory]
    [InlineData("*", PacketVerdict.Accept)]
    [InlineData("lo", PacketVerdict.Drop)]
    public void The_loopback_is_closed_by_a_host_endpoint_that_names_it_alone(string interfaceName, PacketVerdict verdict)
    {
        var hand = new Hand([.. World, Host(interfaceName)]);
        Assert.Equal(verdict, hand.Ask(Tcp("127.0.0.1", "127.0.0.1", 80, leavesBy: "lo")).Verdict);
        Assert.Equal(verdict, hand.Ask(Tcp("127.0.0.1", "127.0.0.1", 80, "lo")).Verdict);
    }

    [Fact]
    public void The_endpoint_of_all_interfaces_is_not_asked_of_one_that_has_its_own()
    {
        GlobalNetworkPolicy forward = As(Global("through", "on == '*'", Deny)),
            early = As(Global("early", "on == '*'", Deny), preDnat: true);
        var through = Tcp("192.0.2.1", "198.51.100.1", 80, "eth1", "eth2");
        foreach (var policy in (GlobalNetworkPolicy[])[forward, early])
        {
            var hand = new Hand([.. World, Host("*"), policy]);
            Assert.Equal(PacketVerdict.Drop, hand.Ask(through).Verdict);
            hand.Change(null, Host("eth1"));
            hand.Change(null, Host("eth2"));
            Assert.Equal(PacketVerdict.Accept, hand.Ask(through).Verdict);
            hand.Change(Host("eth1"), null);
            Assert.Equal(PacketVerdict.Drop, hand.Ask(through).Verdict);
        }
    }

    [Theory]
    [InlineData("eth0")]
    [InlineData("*")]
    public void Between_the_host_and_its_own_pods_no_host_endpoint_is_asked(string interfaceName)
    {
        var felix = new FelixConfiguration(new Metadata("default")) { DefaultEndpointToHostAction = EndpointToHostAction.Return };
        var hand = new Hand([.. World, Host(interfaceName), As(Global("closed", "has(on)", Deny)), felix]);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("172.16.0.1", "10.65.0.3", 80, leavesBy: B.InterfaceName("cali"))).Verdict);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("10.65.0.3", "172.16.0.1", 80, B.InterfaceName("cali"))).Verdict);
    }

    [Fact]
    public void A_denied_negated_port_by_its_name_is_that_of_the_selected_endpoints_alone()
    {
        var set = new NetworkSet(new Metadata("nets", "default"))
        {
            Metadata = new Metadata("nets", "default") { Labels = Labels.From([new("in", "set")]) },
            Nets = B.Nets,
        };
        // The address is selected by the network set; the pod, which has the port, is not.
        var hand = new Hand(
        [
            .. World, set, Ingress("not-named", Allow with
            {
                Destination = new() { In = Selector.Parse("in == 'set'"), NotPorts = [new PortMatch(0, 0, "http")] },
            }),
        ]);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(A, B, 8080).Item1);
        hand = new Hand([.. World, Ingress("not-named", Allow with
        {
            Destination = new() { In = Selector.Parse("app == 'b'"), NotPorts = [new PortMatch(0, 0, "http")] },
        })]);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(A, B, 8080).Item1);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(A, B, 81).Item1);
    }

    [Theory]
    [InlineData(null, PacketVerdict.Drop)]
    [InlineData(true, PacketVerdict.Accept)]
    public void What_conntrack_can_make_nothing_of_is_dropped_unless_the_check_is_off(bool? isOff, PacketVerdict verdict)
    {
        var hand = new Hand([.. World, new FelixConfiguration(new Metadata("default")) { DisableConntrackInvalidCheck = isOff }]);
        var packet = Tcp("10.65.0.2", "10.65.0.3", 80, A.InterfaceName("cali"), B.InterfaceName("cali")) with
        {
            State = ConnectionStates.Invalid,
        };
        Assert.Equal(verdict, hand.Ask(packet).Verdict);
    }

    [Fact]
    public void Of_udp_lite_which_conntrack_always_calls_invalid_the_policies_decide()
    {
        var hand = new Hand([.. World, Ingress("lite", Allow with { Protocol = 136, Destination = Port(80) })]);
        var packet = Tcp("10.65.0.2", "10.65.0.3", 80, A.InterfaceName("cali"), B.InterfaceName("cali")) with
        {
            Protocol = (IpProtocol)136,
            State = ConnectionStates.Invalid,
        };
        Assert.Equal(PacketVerdict.Accept, hand.Ask(packet).Verdict);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(packet with { DestinationPort = 81 }).Verdict);
    }

    [Fact]
    public void A_policy_before_the_translation_decides_for_its_host_endpoint_but_not_for_the_pod()
    {
        var early = As(Global("early", "on == 'eth0'", Allow with { Destination = Port(80) }, Deny), preDnat: true);
        var hand = new Hand([.. World, Host("eth0"), As(Global("through", "on == 'eth0'", Deny)), early]);
        var toPod = Tcp("192.0.2.1", "10.65.0.3", 80, "eth0", B.InterfaceName("cali"));
        Assert.Equal(PacketVerdict.Accept, hand.Ask(toPod).Verdict);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 81, "eth0")).Verdict);
        hand.Change(null, Ingress("closed", Deny));
        Assert.Equal(PacketVerdict.Drop, hand.Ask(toPod).Verdict);
    }

    [Fact]
    public void An_untracked_policy_lets_past_what_follows_and_leaves_the_rest_to_it()
    {
        var untracked = As(Global("raw", "on == 'eth0'", Allow with { Destination = Port(80) }), untracked: true);
        var hand = new Hand([.. World, Host("eth0"), untracked]);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(Tcp("192.0.2.1", "172.16.0.1", 81, "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Accept, hand.Ask(Tcp("172.16.0.1", "192.0.2.1", 80, leavesBy: "eth0")).Verdict);
        Assert.Equal(PacketVerdict.Drop, hand.Ask(Tcp("172.16.0.1", "192.0.2.1", 81, leavesBy: "eth0")).Verdict);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(DenyAction.Reject, true)]
    public void A_denied_packets_sender_is_told_where_the_configuration_says_so(DenyAction? action, bool isTold)
    {
        var felix = new FelixConfiguration(new Metadata("default")) { FilterDenyAction = action };
        var hand = new Hand([.. World, Host("eth0"), Ingress("closed", Deny), felix]);
        (PacketVerdict, bool) Ask(Packet packet) =>
            hand.Ask(packet) switch { var end => (end.Verdict, end.Decided!.Rule.Statements.Contains(new ActReject())) };
        Assert.Equal((PacketVerdict.Drop, isTold),
            Ask(Tcp("10.65.0.2", "10.65.0.3", 80, A.InterfaceName("cali"), B.InterfaceName("cali"))));
        Assert.Equal((PacketVerdict.Drop, isTold), Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth0")));
        Assert.Equal((PacketVerdict.Drop, isTold), Ask(Tcp("172.16.0.1", "192.0.2.1", 80, leavesBy: "eth0")));
        // In front of the translation the kernel takes no reject.
        hand.Change(null, As(Global("early", "on == 'eth0'", Deny), preDnat: true));
        Assert.Equal((PacketVerdict.Drop, false), Ask(Tcp("192.0.2.1", "172.16.0.1", 80, "eth0")));
    }
}
