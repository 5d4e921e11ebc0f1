using System.Collections.Immutable;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Configuration;

/// <summary>The file's top level, in the order in which its parts need one another: the router, then filters, then peers.</summary>
internal sealed class DaemonReader(Section root, string fileName, HostFacts host)
{
    /// <summary>The AS number that Calico's BGPConfiguration has by default.</summary>
    private static readonly Asn CalicoAs = new(64512);

    private readonly Folder folder = new(fileName);

    public DaemonConfig Read()
    {
        var node = Node();
        var speaker = Router(node, out var router);
        var filters = new FilterReader(root, speaker.As).Read();
        speaker = speaker with
        {
            Shards = Shards(),
            Decision = Decision(),
            Kernel = new KernelReader(root, filters).Read(),
            Routes = new OwnRouteReader(root).Read(),
            Filters = filters.All,
        };
        var (peers, ranges, links) = new PeersReader(root, speaker, filters, folder).Read();
        speaker = speaker with { Peers = peers, Ranges = ranges, Links = links };
        var control = new ControlReader(root, folder).Read();
        speaker = speaker with { Producers = control.Producers };
        var plan = new PlanReader(root, host.Calico);
        var sources = new SourcesReader(root, folder, host.Calico, new(node, host.Calico, folder), new(host.Calico.Etcd, folder)).Read();
        var policy = new PolicyReader(root, folder).Read(!sources.IsEmpty);
        var egress = new EgressReader(root).Read(!sources.IsEmpty, policy);
        CheckWaiting(policy, egress);
        CheckMarks(policy, egress);
        var config = new DaemonConfig
        {
            Plan = InCluster(plan.Read(speaker, router), sources),
            EndpointStatus = plan.EndpointStatus,
            Speaker = speaker,
            Control = control,
            Log = Log(),
            Nat = new NatReader(root).Read(!sources.IsEmpty),
            Policy = policy,
            Services = new ServicesReader(root).Read(!sources.IsEmpty),
            Egress = egress,
            Sources = sources,
        };
        root.Close();
        return config;
    }

    /// <summary>Where Calico's resource says the same, there is no file to blame: then responses wait instead.</summary>
    private void CheckWaiting(PolicySettings? policy, EgressSettings? egress)
    {
        if (policy is { Enabled: true, Dns.Mode: DnsMode.DenyDelay } && policy.BitOfWaiting(egress) == 0)
            root.Problems.Error(root.At("policy"), "expected a third bit in policy.markMask, which egress.markMask has not, for "
                + $"policy.dns.mode deny-delay, got 0x{policy.MarkMask:x8}");
    }

    /// <summary>What kube-proxy and kubelet set and ask: each would take the other's bits for its own.</summary>
    private void CheckMarks(PolicySettings? policy, EgressSettings? egress)
    {
        const uint drop = 0x8000, masquerade = 0x4000, theirs = drop | masquerade;
        if (policy is { Enabled: true } && (policy.UsedMarks(egress) & theirs) is > 0 and var used)
            root.Problems.Error(root.At("policy"), "expected a policy.markMask of which the bits that are used are not kube-proxy's "
                + $"(0x4000 and 0x8000), got 0x{policy.MarkMask:x8}, which has 0x{used:x8}");
        if (egress is { Enabled: true } && (egress.MarkMask & theirs) is > 0 and var led)
            root.Problems.Error(root.At("egress"), "expected an egress.markMask without kube-proxy's bits (0x4000 and 0x8000), got "
                + $"0x{egress.MarkMask:x8}, which has 0x{led:x8}");
    }

    /// <summary>Passwords are looked for where they are asked for, and where there is a cluster, it is reported to.</summary>
    private static PlanSettings InCluster(PlanSettings plan, ImmutableArray<SourceConfig> sources) =>
        sources.OfType<KubernetesSource>().FirstOrDefault() is { } cluster
            ? plan with { SecretNamespace = cluster.Settings.Namespace, WritesStatus = true } : plan;

    private string Node()
    {
        var node = root.Text("node", 253) ?? host.NodeName ?? host.HostName;
        if (node.Length == 0 || node.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            root.Error("node", $"expected a name without spaces for node, got \"{node}\"");
        return node;
    }

    private SpeakerConfig Router(string node, out RouterPlan plan)
    {
        var router = root.Child("router");
        var listen = router?.Values("listen", Scalars.Address) ?? [];
        plan = RouterPlan.Of(router, host.Calico);
        var config = new SpeakerConfig
        {
            RouterId = plan.Id.Said ?? (plan.Id.IsHash ? NodeHash.RouterId(node) : host.DefaultRouterId(node)),
            As = router?.Value("asNumber", Scalars.Asn) ?? CalicoAs,
            HostName = node,
            Listen = listen.IsEmpty ? [Address.AnyIPv4, Address.AnyIPv6] : listen,
            ListenPort = (int)(router?.Number("listenPort", 1, ushort.MaxValue) ?? 179),
            OnStop = router?.Word("onStop", ("restart", StopMode.Restart), ("shutdown", StopMode.Shutdown)),
        };
        config = config with { Deferral = router?.Duration("deferral", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? config.Deferral };
        if (listen.Distinct().Count() != listen.Length) router!.Error("listen", "expected each address once under router.listen");
        router?.Close();
        return config;
    }

    /// <summary>0: one shard, as a node needs it.</summary>
    private int Shards()
    {
        var rib = root.Child("rib");
        var shards = rib?.Value("shards", ShardCount) ?? 0;
        rib?.Close();
        return (int)shards;
    }

    private static readonly Reading<long> ShardCount = new("auto or a number from 1 to 64", ParseShards);

    private static long? ParseShards(string text) => text == "auto" ? 0 : Scalars.Number(1, 64).Parse(text);

    private DecisionSettings Decision()
    {
        if (root.Child("decision") is not { } decision) return new();
        var settings = new DecisionSettings();
        settings = settings with
        {
            AlwaysCompareMed = decision.Flag("alwaysCompareMed", settings.AlwaysCompareMed),
            DeterministicMed = decision.Flag("deterministicMed", settings.DeterministicMed),
            MissingMedWorst = decision.Flag("missingMedWorst", settings.MissingMedWorst),
            PreferOlder = decision.Flag("preferOlder", settings.PreferOlder),
            MultipathLimit = (int)(decision.Number("multipath", 1, 256) ?? settings.MultipathLimit),
            MultipathRelax = decision.Flag("multipathRelax", settings.MultipathRelax),
            IgnoreAsPathLength = decision.Flag("ignoreAsPathLength", settings.IgnoreAsPathLength),
            RejectAsSets = decision.Flag("rejectAsSets", settings.RejectAsSets),
        };
        decision.Close();
        return settings;
    }

    private LogConfig Log()
    {
        if (root.Child("log") is not { } log) return new();
        var level = log.Word("level",
            ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning),
            ("warn", LogLevel.Warning), ("error", LogLevel.Error)) ?? LogLevel.Information;
        var format = log.Word("format", ("text", LogFormat.Text), ("json", LogFormat.Json)) ?? LogFormat.Text;
        log.Close();
        return new(level, format);
    }
}
