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
public class EnforcementTests
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

    /// <summary>What the table has after all that was written.</summary>
    private sealed class Hand
    {
        private readonly Enforcement enforcement = new(() => NftStatus.None);
        private readonly TableWriter table = new();
        private readonly Dictionary<string, NftSet> sets = [];
        private readonly Dictionary<string, NftChain> chains = [];

        public Hand(params IEnumerable<Resource> objects)
        {
            enforcement.Apply(new DataplaneChange.Configured(On));
            foreach (var change in Come(objects)) enforcement.Apply(new DataplaneChange.Object(change));
            Write();
        }

        public int Changes { get; private set; }

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
            enforcement.Write(table.For(enforcement));
            var changes = table.Take();
            Changes = changes.Length;
            foreach (var change in changes) Apply(change);
        }

        private void Apply(NftChange change)
        {
            switch (change)
            {
                case NftChange.PutSet(var set): sets[set.Name] = set; break;
                case NftChange.PutChain(var chain): chains[chain.Name] = chain; break;
                case NftChange.RemoveSet(var name): sets.Remove(name); break;
                case NftChange.RemoveChain(var name): chains.Remove(name); break;
                case NftChange.PutElements(var name, var elements): Put(name, elements, elements); break;
                case NftChange.RemoveElements(var name, var elements): Put(name, elements, []); break;
            }
        }

        private void Put(string name, ImmutableArray<NftElement> gone, ImmutableArray<NftElement> come)
        {
            var left = sets[name].Elements.Where(old => !gone.Any(one => one.From == old.From && one.To == old.To));
            sets[name] = sets[name] with { Elements = [.. left, .. come] };
        }

        public string Text => string.Join('\n',
        [
            .. sets.Values.OrderBy(set => set.Name).Select(set => $"{set.Name}: {string.Join(", ", set.Elements.Select(one =>
                one.ToString()).Order())}"),
            .. chains.Values.OrderBy(chain => chain.Name).Select(chain => $"{chain.Name}: {string.Join("; ", chain.Rules)}"),
        ]);

        public (PacketVerdict, PolicyComment?) Ask(Pod from, Pod to, ushort port, IpProtocol protocol = IpProtocol.Tcp)
        {
            var packet = new Packet(from.Nets[0].Address, to.Nets[0].Address)
            {
                Protocol = protocol,
                SourcePort = 40000,
                DestinationPort = port,
                In = from.InterfaceName("cali"),
                Out = to.InterfaceName("cali"),
            };
            var end = Assert.Single(PacketWalk.Ends(new PacketTable(sets.Values, chains.Values), new NoHost(), packet));
            return (end.Verdict, PolicyComment.Parse(end.Decided?.Rule.Comment));
        }
    }

    private sealed class NoHost : IHostFacts
    {
        public bool? IsLocal(Address address) => false;
        public bool? IsLocalOn(Address address, string link) => false;
        public bool? ComesBackBy(Address source, uint mark, string link) => true;
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

    [Fact]
    public void Where_policy_is_off_nothing_of_it_stays()
    {
        var hand = new Hand([.. World, Ingress("p", Allow)]);
        hand.Configure(On with { Policy = new() });
        Assert.Equal("", hand.Text);
    }
}
