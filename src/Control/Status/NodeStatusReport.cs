// What a node reports of itself into a CalicoNodeStatus (projectcalico/calico api/pkg/apis/projectcalico/v3/nodestatus.go): agents,
// sessions, routes, as the object's classes ask. Calico made it of the answers of two BIRDs; here both families are one daemon's, so both
// agents say the same. A peer is counted in the family of its address, whatever families its session carries. Of routes the best is "FIB",
// others "RIB". What Calico's programs and kubectl show of it stays as they know it.

using System.Text.Json;
using System.Text.Json.Serialization;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Status;

/// <summary>The <c>status</c> of a CalicoNodeStatus; a class that was not asked for is null, which takes away what stood there.</summary>
public sealed record NodeStatusReport(string? LastUpdated, AgentsReport? Agent, PeersReport? Bgp, RoutesReport? Routes)
{
    /// <summary>Routes of a family that are reported at most: an object of an API server may not grow with a table (etcd takes 1.5
    /// MiB).</summary>
    public const int MostRoutes = 2000;

    /// <summary>As of now, but for <see cref="LastUpdated"/>.</summary>
    public static async Task<NodeStatusReport> MakeAsync(NodeStatusClasses classes, ISpeaker speaker, CancellationToken stop) => new(
        null, classes.HasFlag(NodeStatusClasses.Agent) ? Agents(speaker) : null,
        classes.HasFlag(NodeStatusClasses.BGP) ? Peers(speaker.Protocols) : null,
        classes.HasFlag(NodeStatusClasses.Routes) ? await RoutesAsync(speaker, stop).ConfigureAwait(false) : null);

    /// <summary>The merge patch that writes it (RFC 7386).</summary>
    public byte[] Patch(DateTimeOffset now) => JsonSerializer.SerializeToUtf8Bytes(
        new(this with { LastUpdated = Text(now) }), NodeStatusJson.Default.NodeStatusPatch);

    private static AgentsReport Agents(ISpeaker speaker)
    {
        var router = speaker.Router;
        var agent = new AgentReport(
            speaker.Ready ? "Ready" : "NotReady", router.Version, router.RouterId.ToString(), Text(router.Started),
            Text(router.Reconfigured));
        return new(agent, agent);
    }

    private static PeersReport Peers(IReadOnlyList<ProtocolStatus> protocols)
    {
        var peers = protocols.Where(protocol => protocol.Session != null)
            .ToLookup(protocol => protocol.Session!.Settings.PeerAddress.IsIPv4);
        var (v4, v6) = (peers[true].Select(Peer).ToArray(), peers[false].Select(Peer).ToArray());
        return new(Up(v4), v4.Length - Up(v4), Up(v6), v6.Length - Up(v6), v4, v6);
    }

    private static int Up(PeerReport[] peers) => peers.Count(peer => peer.State == nameof(Phase.Established));

    private static PeerReport Peer(ProtocolStatus protocol) => new(
        protocol.Session!.Settings.PeerAddress.ToString(), PeerType(protocol.Name), protocol.Session.Phase.ToString(),
        Text(protocol.Session.Since));

    /// <summary>By the names that confd gave; those of bgpd.yaml and of pods are this node's.</summary>
    private static string PeerType(string name) =>
        name.StartsWith("Mesh_", StringComparison.Ordinal) ? "NodeMesh"
        : name.StartsWith("Global_", StringComparison.Ordinal) ? "GlobalPeer" : "NodePeer";

    private static async Task<RoutesReport> RoutesAsync(ISpeaker speaker, CancellationToken stop) => new(
        await RoutesAsync(speaker, IpFamily.IPv4, stop).ConfigureAwait(false),
        await RoutesAsync(speaker, IpFamily.IPv6, stop).ConfigureAwait(false));

    private static async Task<IReadOnlyList<RouteReport>> RoutesAsync(ISpeaker speaker, IpFamily family, CancellationToken stop)
    {
        var (routes, kernel) = (new List<RouteReport>(), speaker.KernelState);
        await foreach (var batch in speaker.Routes(new(RouteSelection.All, family), stop).ConfigureAwait(false))
        {
            routes.AddRange(batch.Select(route => Route(route, kernel)));
            if (routes.Count >= MostRoutes) return routes[..MostRoutes];
        }
        return routes;
    }

    private static RouteReport Route(RouteView route, KernelSnapshot kernel)
    {
        var hop = route.Hops.FirstOrDefault();
        return new(
            route.Best ? "FIB" : "RIB", route.Prefix.ToString(), hop.Gateway?.ToString() ?? "N/A", Interface(route, hop, kernel),
            LearnedFrom(route));
    }

    private static string Interface(RouteView route, RouteHop hop, KernelSnapshot kernel) =>
        route.Type != RouteType.Unicast ? Http.StatusAnswers.Word(route.Type)
        : kernel.Links.GetValueOrDefault(hop.Interface)?.Name ?? "N/A";

    private static RouteSourceReport LearnedFrom(RouteView route) => route.Origin switch
    {
        RouteOrigin.Kernel => new("Kernel", null),
        RouteOrigin.Static => new("Static", null),
        RouteOrigin.Direct => new("Direct", null),
        _ => new(PeerType(route.Protocol) == "NodeMesh" ? "NodeMesh" : "BGPPeer", route.From?.ToString()),
    };

    /// <summary>metav1.Time.</summary>
    private static string Text(DateTimeOffset at) => $"{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}";
}

public sealed record AgentsReport(AgentReport BirdV4, AgentReport BirdV6);

public sealed record AgentReport(
    string State, string Version, [property: JsonPropertyName("routerID")] string RouterId, string LastBootTime,
    string LastReconfigurationTime);

public sealed record PeersReport(
    int NumberEstablishedV4, int NumberNotEstablishedV4, int NumberEstablishedV6, int NumberNotEstablishedV6,
    IReadOnlyList<PeerReport> PeersV4, IReadOnlyList<PeerReport> PeersV6);

public sealed record PeerReport([property: JsonPropertyName("peerIP")] string PeerIp, string Type, string State, string Since);

public sealed record RoutesReport(IReadOnlyList<RouteReport> RoutesV4, IReadOnlyList<RouteReport> RoutesV6);

public sealed record RouteReport(string Type, string Destination, string Gateway, string Interface, RouteSourceReport LearnedFrom);

public sealed record RouteSourceReport(
    string SourceType,
    [property: JsonPropertyName("peerIP"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PeerIp);

internal sealed record NodeStatusPatch(NodeStatusReport Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeStatusPatch))]
internal sealed partial class NodeStatusJson : JsonSerializerContext;
