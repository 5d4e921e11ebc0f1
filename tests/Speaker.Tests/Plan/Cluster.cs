using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>A cluster of a few objects, seen from node <c>a</c> (10.0.0.1/24, fd00::1/64); a test says what differs.</summary>
internal sealed record Cluster
{
    public ResourceSnapshot Resources { get; init; } = ResourceSnapshot.Empty;
    public PlanSettings Settings { get; init; } = new() { Node = "a" };

    /// <summary>Nodes a, b and c; the mesh is off.</summary>
    public static Cluster Of(params ReadOnlySpan<Resource> more) => new Cluster().With(
    [
        Node("a", "10.0.0.1/24", "fd00::1/64"), Node("b", "10.0.0.2/24", "fd00::2/64"), Node("c", "10.0.0.10/24", "fd00::10/64"),
        Global() with { NodeToNodeMeshEnabled = false }, .. more,
    ]);

    public static Node Node(string name, string? ipv4, string? ipv6 = null, params ReadOnlySpan<(string, string)> labels) =>
        new(new Metadata(name) { Labels = Labelled(labels) }) { IPv4 = At(ipv4), IPv6 = At(ipv6) };

    private static InterfaceAddress? At(string? text) =>
        text == null ? null : new(Address.Parse(text.Split('/')[0]), Prefix.Parse(text));

    public static Labels Labelled(params ReadOnlySpan<(string Key, string Value)> labels)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var (key, value) in labels) pairs.Add(new(key, value));
        return Labels.From(pairs);
    }

    public static BgpConfiguration Global() => new(new Metadata(BgpConfiguration.Default));
    public static BgpConfiguration OwnConfiguration(string node = "a") => new(new Metadata(BgpConfiguration.NodePrefix + node));
    public static BgpPeer Peer(string name) => new(new Metadata(name));
    public static BgpPeer Peer(string name, string address, uint asNumber, int? port = null) =>
        Peer(name) with { PeerIP = new(Address.Parse(address), port), AsNumber = new(asNumber) };

    public static IPPool Pool(string cidr) => new(new Metadata("pool-" + cidr.Replace('/', '-').Replace(':', '-').Replace('.', '-')))
    {
        Cidr = Prefix.Parse(cidr),
        BlockSize = cidr.Contains(':') ? 122 : 26,
    };

    public static BlockAffinity Block(string cidr, AffinityState state = AffinityState.Confirmed, string node = "a") =>
        new(new Metadata($"{node}-{cidr}")) { Cidr = Prefix.Parse(cidr), Node = node, State = state };

    public static BgpFilter Filter(string name) => new(new Metadata(name));
    public static Selector All => Selector.All;

    public Cluster With(params ReadOnlySpan<Resource> objects)
    {
        var builder = new SnapshotBuilder(Resources);
        foreach (var item in objects) builder.Put(item.Id, item);
        return this with { Resources = builder.Build([]) };
    }

    public Cluster Seen(Func<PlanSettings, PlanSettings> change) => this with { Settings = change(Settings) };

    public Cluster Without(ResourceId id)
    {
        var builder = new SnapshotBuilder(Resources);
        builder.Put(id, null);
        return this with { Resources = builder.Build([]) };
    }

    public Cluster Without(Resource resource) => Without(resource.Id);

    public Planner Planner() => new(Settings, Resources);
    public NodePlan Plan() => Planner().Plan;
    public PlannedPeer Peer() => Assert.Single(Plan().Peers);
    public string[] PeerNames() => [.. Plan().Peers.Select(peer => peer.Name)];
    public string[] RouteTexts() => [.. Plan().Routes.Select(route => $"{route.Prefix} {route.Type}")];

    /// <summary>The step to another state of the same cluster, as the store would tell it.</summary>
    public ResourceChanges To(Cluster after) => new(Resources, after.Resources, [.. Differences(after.Resources)]);

    private IEnumerable<ResourceChange> Differences(ResourceSnapshot after) =>
        from id in Resources.All().Concat(after.All()).Select(item => item.Id).Distinct().Order()
        let was = Resources.Find(id)
        let becomes = after.Find(id)
        where !Equals(was, becomes)
        select new ResourceChange(id.Kind, id.Key, was, becomes);
}

/// <summary>A route to ask the chains about.</summary>
internal static class Ask
{
    public static Probe Bgp(string prefix, uint? localPref = 100) => Of(prefix, RouteOrigin.Bgp) with { LocalPref = localPref };
    public static Probe Static(string prefix) => Of(prefix, RouteOrigin.Static);
    public static Probe Kernel(string prefix, string onInterface = "cali123", uint metric = 1024) =>
        Of(prefix, RouteOrigin.Kernel) with { Interface = onInterface, Metric = metric };

    private static Probe Of(string prefix, RouteOrigin source) => new(Prefix.Parse(prefix), source);

    public static ProbeAnswer Of(NodePlan plan, Probe probe, string target) =>
        new ProbeRun([.. plan.Peers.Select(peer => peer.ToConfig(plan))], plan.Kernel).Ask(probe).Single(answer => answer.Target == target);

    public static ProbeAnswer OfPeer(NodePlan plan, Probe probe) =>
        Of(plan, probe, plan.Peers.First(peer => peer.Family == probe.Prefix.Family).Name);
    public static ProbeAnswer OfKernel(NodePlan plan, Probe probe) => Of(plan, probe, "kernel");
}
