using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Configuration;

/// <summary><c>compat</c>, <c>advertise</c>, <c>weighServices</c>: how the resources of <c>sources</c> are read.</summary>
internal sealed class PlanReader(Section root, CalicoEnvironment environment)
{
    private const string EndpointStatusPrefix = "/var/run/calico", EndpointStatusFolder = "endpoint-status";

    public string EndpointStatus => Path.Combine(environment.EndpointStatusPrefix ?? EndpointStatusPrefix, EndpointStatusFolder);

    public PlanSettings Read(SpeakerConfig speaker, RouterPlan router)
    {
        return new()
        {
            Node = speaker.HostName,
            KubernetesNode = environment.KubernetesNode,
            Release = Release(),
            RouterId = router.Id.Said,
            HashRouterId = router.Id.IsHash,
            As = speaker.As,
            ListenPort = speaker.ListenPort,
            SecretNamespace = environment.Namespace ?? "kube-system",
            ClusterIPs = environment.ClusterIPs is { } text && Prefix.TryParse(text, out var ranges) ? ranges : null,
            UsePodCidr = environment.UsePodCidr,
            Advertise = [.. root.Sections("advertise").Select(Rule).OfType<AdvertiseRule>()],
            ValidateBlocks = router.ValidateBlocks,
            DrainOnCordon = router.DrainOnCordon,
            WeighServices = root.Flag("weighServices", otherwise: false),
        };
    }

    private CalicoRelease Release()
    {
        if (root.Text("compat") is not { } text) return CalicoRelease.Newest;
        if (CalicoRelease.Named(text) is { } named) return named;
        var known = Spelling.Or([.. CalicoRelease.All.Select(release => release.Name)]);
        root.Error("compat", $"expected one of {known} for compat, got \"{text}\"");
        return CalicoRelease.Newest;
    }

    private static AdvertiseRule? Rule(Section rule)
    {
        var peers = rule.List("peers").OfType<ScalarNode>().Select(peer => peer.Text).ToArray();
        if (peers.Length == 0) rule.Problems.Error(rule.Node, "expected the key peers with at least one peer's name, got none");
        var services = Services(rule);
        rule.Close();
        return services == null ? null : new(services, [.. peers]);
    }

    private static Selector? Services(Section rule)
    {
        if (rule.Text("services") is not { } text)
        {
            rule.Problems.Error(rule.Node, "expected the key services with a selector of labels, got none");
            return null;
        }
        if (!Selector.TryParse(text, out var selector, out var error)) rule.Error("services", error);
        return selector;
    }
}

/// <summary>What the section <c>router</c> says of how resources are read.</summary>
internal readonly record struct RouterPlan(RouterIdSetting Id, BlockValidation ValidateBlocks, bool DrainOnCordon)
{
    public static RouterPlan Of(Section? router, CalicoEnvironment environment)
    {
        var validation = router?.Word(
            "validateBlocks", ("off", BlockValidation.Off), ("log", BlockValidation.Log), ("reject", BlockValidation.Reject));
        return new(RouterIdSetting.Of(router, environment), validation ?? default, router?.Flag("drainOnCordon", otherwise: false) == true);
    }
}

/// <summary>Which identifier was asked for: bgpd.yaml's word counts before the environment's.</summary>
internal readonly record struct RouterIdSetting(RouterId? Said, bool IsHash)
{
    private const string Hash = "hash";

    public static RouterIdSetting Of(Section? router, CalicoEnvironment environment)
    {
        if (router?.Has("id") == true)
            return router.At("id") is ScalarNode { Text: Hash } ? new(null, true) : new(router.Value("id", Scalars.RouterId), false);
        if (environment.RouterId == Hash) return new(null, true);
        return new(environment.RouterId is { } text && RouterId.TryParse(text, out var id) ? id : null, false);
    }
}
