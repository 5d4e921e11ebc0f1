// A cluster in a few lines, seen from node1 (10.0.0.1, AS 64512), and the questions that the cases ask of its plan.
using System.Net;
using Calico.Bgp.Conformance.Bird;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Traps;

internal sealed record Given(params Manifest[] Resources)
{
    public const uint Most = 2147483647, Normal = 1024;

    public string Node { get; init; } = "node1";
    public string Compat { get; init; } = "3.33";
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> EndpointStatuses { get; init; } = new Dictionary<string, string>();

    /// <summary>node1 and node2 with addresses of both families, and no mesh unless a resource says otherwise.</summary>
    public static Given Pair(params Manifest[] resources) =>
        new([.. new Cluster().Apply(Resource.Configuration("nodeToNodeMeshEnabled: false"),
            Resource.Node("node1", "10.0.0.1/24", "fd00::1/64"), Resource.Node("node2", "10.0.0.2/24", "fd00::2/64"))
            .Apply(resources).Objects]);

    public async Task<PlanAnswer> PlanAsync()
    {
        using var plan = new Plan(Node, Resources, Environment, EndpointStatuses, Compat);
        return await plan.AskAsync();
    }

    public async Task<PeerAnswer> PeerAsync(string name)
    {
        var peers = (await PlanAsync()).Peers;
        return Assert.Single(peers, peer => peer.Name == name);
    }

    public async Task<string> PeersAsync() =>
        string.Join(' ', (await PlanAsync()).Peers.Select(peer => peer.Name).Order(StringComparer.Ordinal));

    public async Task<string> RoutesAsync() =>
        string.Join(' ', (await PlanAsync()).Routes.Select(route => route.Prefix).Order(StringComparer.Ordinal));

    public async Task<ProbeAnswer> AskAsync(string target, Probe probe)
    {
        using var plan = new Plan(Node, Resources, Environment, EndpointStatuses, Compat);
        var results = (await plan.ProbeAsync([probe])).Results;
        return Assert.Single(results, one => one.Target == target);
    }

    public async Task<string> VerdictAsync(string target, Probe probe) => (await AskAsync(target, probe)).Verdict;

    public static Probe Static(string prefix) => new(IPNetwork.Parse(prefix), Source.RTS_STATIC);

    public static Probe Learned(string prefix) => new(IPNetwork.Parse(prefix), Source.RTS_BGP);

    public static Probe InKernel(string prefix, string? link = null, uint? metric = Normal) =>
        new(IPNetwork.Parse(prefix), Source.RTS_INHERIT) { Interface = link, Metric = metric };
}
