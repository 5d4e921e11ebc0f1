using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>Policies of two tiers, one of them staged and one closed, and a pod and a host endpoint that they select.</summary>
internal static class FakePolicies
{
    private static readonly ResourceId Pod = new(Kinds.Pod, new("shop", "web-1")), Host = new(Kinds.HostEndpoint, new("uplink"));

    private static readonly Tier Default = new(new Metadata("default")) { Order = 1_000_000 },
        First = new(new Metadata("first")) { Order = 1, DefaultAction = TierDefault.Pass };

    private static readonly PolicyRule Web = new()
    {
        Action = RuleAction.Allow,
        Protocol = 6,
        Source = new() { In = Selector.Parse("role == 'client'") },
        Destination = new() { Ports = [new(80, 80), new(8000, 8100)] },
    };

    private static PolicySpec Spec(string tier, double? order, params ListOf<PolicyRule> ingress) =>
        new() { Tier = tier, Order = order, AppliesTo = Selector.Parse("role == 'web'"), Types = PolicyTypes.Ingress, Ingress = ingress };

    public static PolicyPicture Picture()
    {
        var pre = new GlobalNetworkPolicy(new Metadata("pre"))
        {
            Spec = Spec("first", 10, new PolicyRule { Action = RuleAction.Deny }) with { PreDnat = true, ApplyOnForward = true },
        };
        var web = new NetworkPolicy(new Metadata("web", "shop"))
        {
            Spec = Spec("default", 5, Web) with { Types = PolicyTypes.Ingress | PolicyTypes.Egress },
        };
        var staged = new StagedNetworkPolicy(new Metadata("web-next", "shop")) { Spec = Spec("default", 6, Web) };
        var closed = new GlobalNetworkPolicy(new Metadata("broken")) { Spec = Spec("default", null, Web) };
        return new(
            [
                new(pre, First, [Host]) { Place = 1, InTier = 1, Counts = [Count(pre, PolicyTypes.Ingress, 0, 7)] },
                new(web, Default, [Pod])
                {
                    Place = 1,
                    InTier = 2,
                    Counts = [Count(web, PolicyTypes.Ingress, 120, 3), Count(web, PolicyTypes.Egress, 20_000, 0)],
                },
                new(staged, Default, [Pod]) { InTier = 2 },
                new(closed, Default, []) { Place = 2, InTier = 2, Closed = "No such file or directory" },
            ],
            [
                new(Pod, "cali0d7763386da", true, ["192.168.1.2", "2001:db8::2"], Labels.From([new("role", "web")]),
                    ["kns.shop", "ksa.shop.web"],
                    [
                        Program("pod egress", PolicyTypes.Egress, Profiles, new EndpointTier("default", true, [web.Id])),
                        Program("pod ingress", PolicyTypes.Ingress, Profiles, new EndpointTier("default", true, [web.Id, closed.Id])),
                    ]),
                new(Host, "eth0", false, ["192.0.2.1"], Labels.From([new("role", "web")]), [],
                    [
                        Program("normal-in", PolicyTypes.Ingress, Profiles),
                        Program("preDNAT", PolicyTypes.Ingress, "goes on", new EndpointTier("first", false, [pre.Id])),
                    ]),
            ]);
    }

    private const string Profiles = "its profiles decide, and what they leave is denied";

    private static PolicyCount Count(Resource of, PolicyTypes direction, ulong allowed, ulong denied) =>
        new(of.Id, direction, new(allowed, allowed * 60), new(denied, denied * 60));

    private static EndpointProgram Program(string program, PolicyTypes direction, string otherwise, params EndpointTier[] tiers) =>
        new(program, direction, [.. tiers], otherwise);
}
