using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>Objects → rules that log, and from what they say back to who has denied.</summary>
public class FlowJudgeTests
{
    private static readonly Pod A = NewPod("a", "10.65.0.2/32"), B = NewPod("b", "10.65.0.3/32");

    private static Pod NewPod(string name, string address) => new(new Metadata(name, "shop")
    {
        Labels = Labels.From([new("app", name), new("projectcalico.org/namespace", "shop"), new("projectcalico.org/orchestrator", "k8s")]),
    })
    {
        Node = "node1",
        Nets = [Prefix.Parse(address)],
        Profiles = ["kns.shop"],
    };

    private static readonly HostEndpoint Eth0 = new(new Metadata("eth0-hep") { Labels = Labels.From([new("on", "eth0")]) })
    {
        Node = "node1",
        Interface = "eth0",
    };

    private static PolicySpec Ingress(string selector, params ListOf<PolicyRule> rules) => new()
    {
        Tier = "default",
        AppliesTo = Selector.Parse(selector),
        Types = PolicyTypes.Ingress,
        Ingress = rules,
    };

    private static NetworkPolicy Of(string name, params ListOf<PolicyRule> rules) => new(new Metadata(name, "shop"))
    {
        Spec = Ingress("app == 'b'", rules) with { WorkloadsOnly = true },
    };

    private static GlobalNetworkPolicy OnForward(string selector) => new(new Metadata("forwarded"))
    {
        Spec = Ingress(selector, new PolicyRule { Action = RuleAction.Deny }) with { ApplyOnForward = true },
    };

    private readonly Dictionary<string, NftChain> chains = [];
    private Enforcement enforcement = null!;

    private FlowJudgeTests With(bool logDenied, params Resource[] objects)
    {
        enforcement = new();
        enforcement.Apply(new DataplaneChange.Configured(new("node1", Policy: new() { Enabled = true, LogDenied = logDenied })));
        Resource[] world = [new KubernetesNamespace(new Metadata("shop")), new Tier(new Metadata("default")) { Order = 1_000_000 }, A, B];
        foreach (var change in Come([.. world, .. objects])) enforcement.Apply(new DataplaneChange.Object(change));
        var table = new TableWriter();
        enforcement.Write(table.For(enforcement));
        foreach (var change in table.Take().OfType<NftChange.PutChain>()) chains[change.Chain.Name] = change.Chain;
        return this;
    }

    private string[] Prefixes => [.. chains.Values.SelectMany(chain => chain.Rules).SelectMany(rule => rule.Statements)
        .OfType<ActLog>().Select(act => act.Prefix).Distinct().Order(StringComparer.Ordinal)];

    private FlowJudge? Judge(string prefix, string? comesBy, string? leavesBy, NftHookPoint at = NftHookPoint.Forward)
    {
        Assert.Contains(prefix, Prefixes);
        var packet = new Packet(A.Nets[0].Address, B.Nets[0].Address) { Protocol = IpProtocol.Tcp, In = comesBy, Out = leavesBy };
        return enforcement.JudgeOf(new(DateTimeOffset.UnixEpoch, prefix, at, packet))?.By;
    }

    private static string CaliA => A.InterfaceName("cali");
    private static string CaliB => B.InterfaceName("cali");

    [Fact]
    public void Without_the_key_only_rules_log_that_are_told_to()
    {
        var silent = new FlowJudgeTests().With(false, Of("p", new PolicyRule { Action = RuleAction.Deny }));
        Assert.Equal((0, false), (silent.Prefixes.Length, silent.enforcement.Logs));
        With(false, Of("p", new PolicyRule { Action = RuleAction.Allow }, new PolicyRule { Action = RuleAction.Log }));
        Assert.Equal(["log - default NetworkPolicy shop/p ingress rule 1"], Prefixes);
        Assert.True(enforcement.Logs && !enforcement.LogsDenied);
    }

    [Fact]
    public void A_rule_that_denies_is_named_with_its_policy_and_the_pod_that_it_is_asked_for()
    {
        With(true, Of("p", new PolicyRule { Action = RuleAction.Allow, Protocol = 17 }, new PolicyRule { Action = RuleAction.Deny }));
        Assert.Equal(new("pod ingress", "shop/b", "ingress", "default", "NetworkPolicy shop/p", 1, "NetworkPolicy shop/p rule 1"),
            Judge("deny - default NetworkPolicy shop/p ingress rule 1", CaliA, CaliB));
    }

    [Fact]
    public void The_end_of_a_tier_is_named_with_whose_policies_ended()
    {
        With(true, Of("p", new PolicyRule { Action = RuleAction.Allow, Protocol = 17 }), Eth0);
        Assert.Equal(new("pod ingress", "shop/b", "ingress", "default", null, null, "no policy of tier default decides: end of tier"),
            Judge("deny to default end of tier", CaliA, CaliB));
        Assert.Equal(new("normal-in", "eth0-hep", "ingress", null, null, null, PolicyComment.NoProfile),
            Judge("deny host-in " + PolicyComment.NoProfile, "eth0", null, NftHookPoint.Input));
        Assert.Equal(new("pod egress", null, "egress", null, null, null, PolicyComment.UnknownInterface),
            Judge("deny from " + PolicyComment.UnknownInterface, "calistranger", "eth0"));
    }

    [Theory]
    [InlineData("on == 'eth0'", "forward-in", "eth0-hep")]
    [InlineData("app == 'b'", "pod ingress", "shop/b")]
    [InlineData("all()", "forward-in or pod ingress", "eth0-hep or shop/b")]
    public void A_policy_on_what_is_routed_through_names_the_endpoint_that_asks_it_or_both(string selector, string program, string endpoint)
    {
        With(true, OnForward(selector), Eth0);
        var judge = Judge("deny - default GlobalNetworkPolicy forwarded ingress rule 0", "eth0", CaliB)!;
        Assert.Equal((program, endpoint), (judge.Program, judge.Endpoint));
    }

    [Fact]
    public void A_name_that_finds_no_room_in_a_prefix_is_told_whole()
    {
        var name = new string('n', 253);
        With(true, Of(name, new PolicyRule { Action = RuleAction.Deny }));
        var prefix = Assert.Single(Prefixes, one => one.Contains("NetworkPolicy", StringComparison.Ordinal));
        Assert.InRange(prefix.Length, 1, 127);
        Assert.Equal("NetworkPolicy shop/" + name, Judge(prefix, CaliA, CaliB)!.Policy);
    }

    [Fact]
    public void What_others_log_to_the_same_group_is_nobodys()
    {
        With(true);
        Assert.Null(enforcement.JudgeOf(new(DateTimeOffset.UnixEpoch, "their words", NftHookPoint.Input,
            new(A.Nets[0].Address, B.Nets[0].Address))));
    }

    /// <summary>What comes too fast to be told is denied all the same.</summary>
    [Fact]
    public void What_logs_a_denied_packet_stands_in_front_of_what_denies_it_and_asks_the_same()
    {
        With(true, Of("p", new PolicyRule { Action = RuleAction.Deny, Protocol = 6, Destination = new() { Ports = [new(80, 81)] } }));
        foreach (var chain in chains.Values)
            for (var i = 0; i < chain.Rules.Length; i++)
            {
                if (chain.Rules[i].Statements is not [.. var asked, MatchRate, ActLog]) continue;
                NftRule denying = chain.Rules[i + 1];
                Assert.Equal(asked, denying.Statements.Take(asked.Length));
                Assert.IsType<ActCountBy>(denying.Statements[asked.Length]);
            }
    }
}
