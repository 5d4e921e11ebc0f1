using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Tests.LocalEndpoints;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>What there is, as it is listed.</summary>
public class PolicyPictureTests
{
    private static readonly Pod Web = new(new Metadata("web", "shop") { Labels = Labels.From([new("role", "web")]) })
    {
        Node = "node1",
        Nets = [Prefix.Parse("10.65.0.2/32")],
        Profiles = ["kns.shop"],
    };

    private static readonly Resource[] World =
    [
        new KubernetesNamespace(new Metadata("shop")), Web,
        new Tier(new Metadata("default")) { Order = 1_000_000 },
        new Tier(new Metadata("first")) { Order = 1, DefaultAction = TierDefault.Pass },
        new HostEndpoint(new Metadata("uplink") { Labels = Labels.From([new("role", "web")]) })
        {
            Node = "node1",
            Interface = "eth0",
            ExpectedIPs = [Address.Parse("192.0.2.1")],
        },
    ];

    private static PolicySpec Spec(string tier, double? order, params ListOf<PolicyRule> ingress) => new()
    {
        Tier = tier,
        Order = order,
        AppliesTo = Selector.Parse("role == 'web'"),
        Types = PolicyTypes.Ingress,
        Ingress = ingress,
        WorkloadsOnly = true,
    };

    private static readonly PolicyRule Allow = new() { Action = RuleAction.Allow }, Deny = new() { Action = RuleAction.Deny };

    private static NetworkPolicy Policy(string name, PolicySpec spec) => new(new Metadata(name, "shop")) { Spec = spec };

    private readonly TableWriter table = new();

    private (Enforcement Enforcement, NftChange[] Written) Made(params IEnumerable<Resource> objects)
    {
        var enforcement = new Enforcement();
        enforcement.Apply(new DataplaneChange.Configured(new("node1", Policy: new() { Enabled = true })));
        foreach (var change in Come(objects)) enforcement.Apply(new DataplaneChange.Object(change));
        enforcement.Write(table.For(enforcement));
        return (enforcement, [.. table.Take()]);
    }

    [Fact]
    public void Policies_stand_in_the_order_in_which_they_are_asked_and_staged_ones_where_they_would_be()
    {
        var picture = Made(
        [
            .. World, Policy("late", Spec("default", null)), Policy("soon", Spec("default", 5)), Policy("top", Spec("first", null)),
            new StagedNetworkPolicy(new Metadata("maybe", "shop")) { Spec = Spec("default", 7) },
        ]).Enforcement.Picture(UnknownLinks.Instance);
        Assert.Equal(
            ["first/top 1 of 1", "default/soon 1 of 2", "default/maybe 0 of 2", "default/late 2 of 2"],
            picture.Policies.Select(one => $"{one.Tier.Name}/{one.Policy.Name} {one.Place} of {one.InTier}"));
    }

    [Fact]
    public void What_a_policy_selects_here_are_workloads_alone_where_it_is_of_a_namespace()
    {
        var everybody = new GlobalNetworkPolicy(new Metadata("all")) { Spec = Spec("default", 9) with { WorkloadsOnly = false } };
        var picture = Made([.. World, Policy("web", Spec("default", 5)), everybody]).Enforcement.Picture(UnknownLinks.Instance);
        Assert.Equal(["Pod/shop/web", "HostEndpoint/uplink Pod/shop/web"],
            picture.Policies.Select(one => string.Join(' ', one.Selected.Select(id => id.ToString()).Order())));
    }

    [Fact]
    public void An_endpoint_shows_each_program_with_its_tiers_and_what_becomes_of_the_rest()
    {
        var before = new GlobalNetworkPolicy(new Metadata("before"))
        {
            Spec = Spec("default", 1, Allow) with { PreDnat = true, ApplyOnForward = true, WorkloadsOnly = false },
        };
        var picture = Made([.. World, Policy("web", Spec("default", 5)), Policy("top", Spec("first", null)), before])
            .Enforcement.Picture(UnknownLinks.Instance);
        Assert.Equal(["cali", "eth0"], picture.Endpoints.Select(one => one.Interface[..4]));
        var (pod, host) = (picture.Endpoints[0], picture.Endpoints[1]);
        Assert.Equal(
            [
                "pod egress: ; its profiles decide, and what they leave is denied",
                "pod ingress: first goes on NetworkPolicy/shop/top, default denies NetworkPolicy/shop/web; "
                    + "its profiles decide, and what they leave is denied",
            ], pod.Programs.Select(Words));
        Assert.Equal("kns.shop", Assert.Single(pod.Profiles));
        Assert.Equal(["normal-in", "normal-out", "preDNAT"], host.Programs.Select(program => program.Program));
        Assert.Equal("preDNAT: default goes on GlobalNetworkPolicy/before; goes on", Words(host.Programs[2]));

        static string Words(EndpointProgram program) => $"{program.Program}: "
            + string.Join(", ", program.Tiers.Select(tier => $"{tier.Name} {(tier.Denies ? "denies" : "goes on")} "
                + string.Join(' ', tier.Policies)))
            + $"; {program.Otherwise}";
    }

    [Fact]
    public void A_policy_of_which_the_kernel_refused_a_rule_says_why_it_is_closed()
    {
        var (enforcement, written) = Made([.. World, Policy("web", Spec("default", 5, Allow))]);
        var chain = PolicyChains.Name(new(new(Kinds.NetworkPolicy, new("shop", "web")), PolicyTypes.Ingress, DropsOnly: false));
        Assert.Contains(written, change => change is NftChange.PutChain(var put) && put.Name == chain);
        var comment = new PolicyComment("default", "NetworkPolicy", "shop/web", PolicyTypes.Ingress).ToString();
        var refused = new NftProblem("rule", 2, "No such file or directory", DateTimeOffset.UnixEpoch, 1, new(chain, comment, true));
        var problems = PolicyProblem.Of(NftStatus.None with { Problems = [refused] });
        Assert.Equal("No such file or directory", Assert.Single(enforcement.Picture(UnknownLinks.Instance).With(problems).Policies).Closed);
    }
}
