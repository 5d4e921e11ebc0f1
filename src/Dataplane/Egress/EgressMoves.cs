using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>A pod leaves otherwise than it did.</summary>
/// <param name="Earlier">By what its connections may have begun; none: that is not known.</param>
internal sealed record EgressMove(ListOf<EgressExits> Earlier, EgressExits Now)
{
    public EgressMove Behind(EgressMove before) => new([.. before.Earlier.Concat(Earlier).Distinct()], Now);
}

/// <summary>Connections that are to be looked at: those that pods have begun, by the pods' addresses, to outside of the cluster.</summary>
/// <param name="Inside">The cluster's own.</param>
/// <param name="Marks">Null: the rules that tell who still sends are gone.</param>
internal sealed record EgressMovedScope(
    IReadOnlyDictionary<Address, EgressMove> Moves, ListOf<Prefix> Inside, KernelSnapshot Machine, EgressMarks? Marks)
{
    public static readonly EgressMovedScope Nothing = new(new Dictionary<Address, EgressMove>(), [], KernelSnapshot.Empty, null);

    private readonly HostFacts facts = new(Machine);

    public bool MayConcern(IpFamily family) => Moves.Keys.Any(address => address.Family == family);

    public bool Concerns(Connection connection) => Moves.ContainsKey(connection.Source) && facts.IsLocal(connection.Server) != true
        && !EgressRenderer.LinkLocal(connection.Server.Family).Concat(Inside).Any(net => net.Contains(connection.Server));

    /// <param name="one">Of those that are concerned, with how it stands.</param>
    public bool Ends(TrackedConnection one)
    {
        var (connection, move) = (one.Connection, Moves[one.Connection.Source]);
        return move.Now.For(connection.Server)
            .Ends(connection.Source, one.State!.Client, move.Earlier.Select(exits => exits.For(connection.Server)));
    }

    public EgressMovedScope With(EgressMovedScope newer)
    {
        var all = new Dictionary<Address, EgressMove>(Moves);
        foreach (var (address, move) in newer.Moves) all[address] = all.TryGetValue(address, out var before) ? move.Behind(before) : move;
        return newer with { Moves = all };
    }
}

/// <summary>
/// How the pods that this node is concerned with have left so far, so that what becomes other is known: of its own, and of others' whose
/// gateway it is. Who leaves by no way for a while is compared with what was before that.
/// </summary>
internal sealed class EgressMoves
{
    private readonly Dictionary<ResourceId, EgressExits> known = [];
    private readonly Dictionary<ResourceId, EgressPod> pods = [];
    private Dictionary<Address, EgressMove> moved = [];

    /// <summary>What an earlier run has had is not known, and is told by what connections are translated to alone.</summary>
    private bool isBeginning = true;

    /// <param name="now">Null: it leaves by no way.</param>
    public void Put(ResourceId id, EgressPod pod, EgressExits? now)
    {
        if (now == null) return;
        var isKnown = known.TryGetValue(id, out var before);
        if (isKnown) now = now.Behind(before!);
        (known[id], pods[id]) = (now, pod);
        if (isKnown ? !now.Equals(before) : isBeginning) Move(pod, new(isKnown ? [before!] : [], now));
    }

    private void Move(EgressPod pod, EgressMove move)
    {
        foreach (var address in pod.Addresses) moved[address] = moved.TryGetValue(address, out var earlier) ? move.Behind(earlier) : move;
    }

    /// <summary>The pod is gone, or is no concern of this node's any more.</summary>
    public void Forget(ResourceId id)
    {
        known.Remove(id);
        pods.Remove(id);
    }

    /// <summary>Whoever is not among these is gone.</summary>
    public void Keep(IReadOnlyDictionary<ResourceId, EgressPod> those)
    {
        foreach (var gone in known.Keys.Where(id => !those.ContainsKey(id)).ToArray()) Forget(gone);
    }

    /// <summary>There are no gateways any more.</summary>
    public void End()
    {
        foreach (var (id, before) in known)
            if (before.All.Any(one => one.Exit.Kind != EgressExitKind.Plain)) Move(pods[id], new([before], EgressExits.Plain));
        known.Clear();
        pods.Clear();
    }

    /// <summary>What has become other since it was asked last.</summary>
    public IReadOnlyDictionary<Address, EgressMove> Take()
    {
        var taken = moved;
        (moved, isBeginning) = ([], false);
        return taken;
    }
}
