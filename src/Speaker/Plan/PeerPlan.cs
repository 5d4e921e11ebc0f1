using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// Which sessions this node opens. In order: BGPPeers for all nodes, BGPPeers for this one, then the other ends of sessions that BGPPeers
/// ask other nodes to open with this one, then the mesh. An address and port that is taken is not asked twice: the first wins, in each pass
/// by the BGPPeer's name (Calico walks a Go map there, so that chance decides), and who loses is told.
/// </summary>
internal sealed class PeerPlan(NodeView view, PeerChains chains, List<PlanProblem> problems)
{
    /// <summary>Calico Enterprise's, where a BGPPeer asks for the long-lived kind of restart and says no time.</summary>
    private static readonly TimeSpan StaleTime = TimeSpan.FromHours(1);

    private readonly record struct Place(Address Address, int Port);

    private readonly Dictionary<Place, PlannedPeer> global = [];
    private readonly Dictionary<Place, PlannedPeer> own = [];
    private readonly HashSet<PlanProblem> told = [];
    private readonly PeerSecrets secrets = new(view);
    private readonly BfdPlan bfd = new(view, problems);

    public IEnumerable<PlannedPeer> Peers()
    {
        foreach (var peer in All.Where(peer => peer.IsGlobal))
            foreach (var end in EndsOf(peer, PeerScope.Global)) Claim(end, global, peer);
        foreach (var peer in All.Where(peer => !peer.IsGlobal && Opens(peer, view.Self)))
            foreach (var end in EndsOf(peer, PeerScope.Node)) Claim(end, own, peer);
        foreach (var peer in All.Where(IsReversed))
            foreach (var end in Mirrored(peer)) TakeMirrored(end);
        return global.Values.Concat(own.Values).Concat(Mesh()).OrderBy(peer => peer.Name, StringComparer.Ordinal);
    }

    private IEnumerable<BgpPeer> All => view.Resources.Of(Kinds.BgpPeer);

    private static bool Opens(BgpPeer peer, Node node) =>
        peer.IsGlobal || (peer.Node != null ? peer.Node == node.Name : peer.NodeSelector!.Matches(node.Labels));

    private void Claim(PlannedPeer end, Dictionary<Place, PlannedPeer> into, BgpPeer peer)
    {
        var place = new Place(end.Address, end.Port);
        var winner = global.GetValueOrDefault(place) ?? into.GetValueOrDefault(place);
        if (winner == null) into[place] = Finished(end, peer);
        else if (winner.Origin != end.Origin)
            problems.Add(new(end.Origin.ToString(), "", $"{winner.Origin} already asks for a session with {end.Address} port {end.Port}"));
        else TellTwin(winner, end);
    }

    /// <summary>Two Nodes with one address: it has one session.</summary>
    private void TellTwin(PlannedPeer winner, PlannedPeer end)
    {
        if (winner.Far != null && end.Far != null && winner.Far != end.Far)
            Tell(end.Far.Value, "", $"{winner.Far} has the address {end.Address} too, and counts");
    }

    /// <summary>Once, however many sessions it is seen by.</summary>
    private void Tell(ResourceId about, string field, string reason)
    {
        var problem = new PlanProblem(about.ToString(), field, reason);
        if (told.Add(problem)) problems.Add(problem);
    }

    private void TakeMirrored((PlannedPeer End, BgpPeer Peer) mirrored)
    {
        var place = new Place(mirrored.End.Address, mirrored.End.Port);
        var winner = global.GetValueOrDefault(place) ?? own.GetValueOrDefault(place);
        if (winner == null) own[place] = Finished(mirrored.End, mirrored.Peer);
        else TellTwin(winner, mirrored.End);
    }

    private IEnumerable<PlannedPeer> EndsOf(BgpPeer peer, PeerScope scope)
    {
        if (peer.PeerSelector is { } selector)
            return view.Resources.Of(Kinds.Node).Where(node => selector.Matches(node.Labels))
                .SelectMany(node => NodeEnds(peer, node, scope, null));
        if (peer.LocalWorkloadSelector != null) return WorkloadEnds(peer);
        return peer.PeerIP is { } endpoint && AddressEnd(peer, endpoint, scope) is { } end ? [end] : [];
    }

    /// <summary>A Calico node as the neighbour: its own AS, port and cluster; both families where both sides have them.</summary>
    private IEnumerable<PlannedPeer> NodeEnds(BgpPeer peer, Node node, PeerScope scope, IpFamily? only) =>
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        where (only ?? family) == family
        let address = node.Of(family)?.Address
        where address != null && IsOther(address.Value)
        select End(peer, scope, address.Value, view.ListenPortOf(node), node.AsNumber ?? view.ClusterAs) with
        {
            ClusterId = ClientOf(node),
            Far = node.Id,
        };

    private bool IsOther(Address address) => view.AddressOf(address.Family) is { } self && self != address;

    private PlannedPeer? AddressEnd(BgpPeer peer, PeerEndpoint endpoint, PeerScope scope)
    {
        if (!IsOther(endpoint.Address)) return null;
        var nodes = NodesAt(endpoint, peer.AsNumber).ToArray();
        var port = endpoint.Port ?? (nodes is [var first, ..] ? view.ListenPortOf(first) : Session.SessionSettings.Port);
        var end = End(peer, scope, endpoint.Address, port, peer.AsNumber ?? view.ClusterAs);
        return end with
        {
            LocalAs = peer.LocalAsNumber ?? view.As,
            HasOwnLocalAs = peer.LocalAsNumber != null,
            AllowLocalAs = peer.NumAllowedLocalAsNumbers,
            ClusterId = view.ClusterId,
            Passive = scope == PeerScope.Global && view.NodesAt(endpoint.Address).Any() && IsPassive(endpoint.Address),
        };
    }

    /// <summary>Calico nodes behind an address, where the AS fits, and the port if one was written.</summary>
    private IEnumerable<Node> NodesAt(PeerEndpoint endpoint, Asn? asNumber) => view.NodesAt(endpoint.Address).Where(node =>
        (node.AsNumber ?? view.ClusterAs) == (asNumber ?? view.ClusterAs)
        && (endpoint.Port == null || endpoint.Port == view.ListenPortOf(node)));

    /// <summary>
    /// As texts, which is odd but what the other end does as well. Whether a node is there confd asks of the address alone, whatever port
    /// and AS the BGPPeer gives it.
    /// </summary>
    private bool IsPassive(Address address) => string.CompareOrdinal(address.ToString(), view.AddressOf(address.Family).ToString()) > 0;

    /// <summary>Another reflector of the same cluster is an ordinary internal peer.</summary>
    private RouterId? ClientOf(Node node) => node.RouteReflectorClusterId == view.ClusterId ? null : view.ClusterId;

    private IEnumerable<PlannedPeer> WorkloadEnds(BgpPeer peer) =>
        from workload in view.Settings.Workloads
        where workload.Peer == peer.Name
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        where view.AddressOf(family) != null
        let address = workload.Of(family)
        where address != null
        select new PlannedPeer
        {
            Name = PlannedPeer.NameOf(PeerScope.LocalWorkload, address.Value, Session.SessionSettings.Port),
            Scope = PeerScope.LocalWorkload,
            Address = address.Value,
            Port = Session.SessionSettings.Port,
            As = peer.AsNumber ?? view.ClusterAs,
            LocalAs = peer.LocalAsNumber ?? view.As,
            HasOwnLocalAs = peer.LocalAsNumber != null,
            ClusterId = view.ClusterId,
            Passive = true,
            Origin = peer.Id,
        };

    /// <summary>This node is the far end that the BGPPeer names.</summary>
    private bool IsReversed(BgpPeer peer)
    {
        if (peer.ReversePeering == ReversePeering.Manual) return false;
        if (peer.PeerSelector is { } selector) return selector.Matches(view.Self.Labels) && view.IsKnown;
        return peer.PeerIP is { } endpoint && NodesAt(endpoint, peer.AsNumber).Any(node => node.Name == view.Self.Name);
    }

    private IEnumerable<(PlannedPeer End, BgpPeer Peer)> Mirrored(BgpPeer peer) =>
        view.Resources.Of(Kinds.Node).Where(node => Opens(peer, node))
            .SelectMany(node => NodeEnds(peer, node, PeerScope.Node, peer.PeerIP?.Address.Family))
            .Select(end => (end, peer));

    private PlannedPeer End(BgpPeer peer, PeerScope scope, Address address, int port, Asn asNumber) => new()
    {
        Name = PlannedPeer.NameOf(scope, address, port),
        Scope = scope,
        Address = address,
        Port = port,
        As = asNumber,
        LocalAs = view.As,
        SourceAddress = peer.SourceAddress == PeerSourceAddress.UseNodeIP ? view.AddressOf(address.Family) : null,
        TtlSecurity = peer.TtlSecurity,
        PasswordKey = peer.Password,
        // Calico Enterprise: in the long-lived mode the one field is the other time.
        RestartSeconds = peer is { RestartMode: RestartMode.GracefulRestart, MaxRestartTime: { } time } ? Seconds(time) : null,
        StaleSeconds = peer.RestartMode == RestartMode.LongLivedGracefulRestart ? Seconds(peer.MaxRestartTime ?? StaleTime) : null,
        KeepaliveTime = peer.KeepaliveTime,
        Origin = peer.Id,
    };

    private PlannedPeer Finished(PlannedPeer end, BgpPeer peer) => WithKey(end with
    {
        ClusterId = end.IsInternal ? end.ClusterId : null,
        NextHop = NextHopOf(peer, end.IsInternal),
        Bfd = bfd.Of(peer),
        ImportFilters = chains.Naming(peer.Filters, end.Family, import: true),
        ExportFilters = chains.Naming(peer.Filters, end.Family, import: false),
        Import = chains.Import(peer.Filters, end),
        Export = chains.Export(peer.Filters, end),
    });

    private static NextHopMode NextHopOf(BgpPeer peer, bool isInternal) => peer.NextHopMode switch
    {
        PeerNextHopMode.Self => NextHopMode.Self,
        PeerNextHopMode.Keep => NextHopMode.Keep,
        null when peer.KeepOriginalNextHop && !isInternal => NextHopMode.Keep,
        _ => NextHopMode.Auto,
    };

    /// <summary>Never a session without the password that was asked for: it stays down, and says why.</summary>
    private PlannedPeer WithKey(PlannedPeer end)
    {
        if (end.PasswordKey is not { } wanted) return end;
        var key = secrets.Find(wanted, out var problem, out var doubt);
        var (about, field) = end.Scope == PeerScope.Mesh
            ? (view.Global!.Id, "spec.nodeMeshPassword") : (end.Origin, "spec.password");
        if ((problem ?? doubt) is { } wrong) Tell(about, field, wrong);
        return end with { Password = key, Problem = problem };
    }

    private static int Seconds(TimeSpan time) => (int)Math.Round(time.TotalSeconds, MidpointRounding.AwayFromZero);

    /// <summary>
    /// All nodes with one another, but for reflectors. A neighbour without an AS of its own is taken to have ours, as in Calico.
    /// </summary>
    private IEnumerable<PlannedPeer> Mesh()
    {
        if (view.Global?.NodeToNodeMeshEnabled == false || view.ClusterId != null || !view.IsKnown) yield break;
        // Mesh peers' names have no port, so an address counts once whatever the ports.
        var mesh = new Dictionary<Address, PlannedPeer>();
        foreach (var end in MeshEnds())
        {
            var place = new Place(end.Address, end.Port);
            if ((global.GetValueOrDefault(place) ?? own.GetValueOrDefault(place)) is { } asked)
                Tell(end.Origin, "", $"{asked.Origin} already asks for a session with {end.Address} port {end.Port}: the mesh opens none");
            else if (mesh.TryAdd(end.Address, end)) yield return end;
            else TellTwin(mesh[end.Address], end);
        }
    }

    private IEnumerable<PlannedPeer> MeshEnds() =>
        from node in view.Resources.Of(Kinds.Node)
        where node.RouteReflectorClusterId == null
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        let address = node.Of(family)?.Address
        where address != null && IsOther(address.Value)
        select MeshEnd(node, address.Value);

    private PlannedPeer MeshEnd(Node node, Address address)
    {
        var port = view.ListenPortOf(node);
        var end = new PlannedPeer
        {
            Name = PlannedPeer.NameOf(PeerScope.Mesh, address, port),
            Scope = PeerScope.Mesh,
            Address = address,
            Port = port,
            As = node.AsNumber ?? view.As,
            LocalAs = view.As,
            SourceAddress = view.AddressOf(address.Family),
            Passive = IsPassive(address),
            PasswordKey = view.Global?.NodeMeshPassword,
            RestartSeconds = view.Global?.NodeMeshMaxRestartTime is { } time ? Seconds(time) : null,
            Origin = node.Id,
            Far = node.Id,
        };
        return WithKey(end with { Import = chains.ImportOf(node.Name, end.Family), Export = chains.Export([], end) });
    }
}
