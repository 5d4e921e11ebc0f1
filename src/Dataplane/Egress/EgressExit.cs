using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

internal enum EgressExitKind
{
    /// <summary>It is not known: nothing leaves at the moment, and what does when that is over may be as before.</summary>
    Unknown,

    /// <summary>As if there were no gateways.</summary>
    Plain,

    /// <summary>With a gateway's address, which is given here.</summary>
    Here,

    /// <summary>As it is, to a gateway.</summary>
    Away,
}

/// <summary>How connections of a pod leave the cluster, as far as this node decides it.</summary>
/// <param name="Faces">Whom a server may see: of a gateway that sends with its node's own address that.</param>
internal readonly record struct EgressExit(EgressExitKind Kind, ListOf<Address> Faces)
{
    public static readonly EgressExit Plain = new(EgressExitKind.Plain, []);

    /// <summary>Here, with whichever address the node has on the link that they leave by.</summary>
    public bool IsByHost { get; init; }

    /// <summary>Some go by another way, as a maintenance has it: their translation says nothing.</summary>
    public bool IsMixed { get; init; }

    /// <summary>Nothing leaves now: it is what was before.</summary>
    public bool IsWaiting { get; init; }

    /// <summary>
    /// Whether a connection would leave as somebody else than who leaves by this, by what it is translated to, or because it may have begun
    /// by another way. The kernel translates once, when it begins.
    /// </summary>
    /// <param name="client">Whom its answers go to.</param>
    /// <param name="earlier">By what it may have begun.</param>
    public bool Ends(Address source, Address client, IEnumerable<EgressExit> earlier) =>
        !IsWaiting && (!Fits(source, client) || earlier.Any(IsOther));

    private bool Fits(Address source, Address client) => IsMixed || Kind switch
    {
        EgressExitKind.Here => IsByHost ? client != source : Faces.Contains(client),
        EgressExitKind.Away => client == source,
        _ => true,
    };

    /// <summary>Nobody out there takes one for the other. Where they share a gateway, some go on by it.</summary>
    private bool IsOther(EgressExit before)
    {
        if (before.Kind == EgressExitKind.Unknown) return false;
        if (before.Kind == EgressExitKind.Plain || Kind == EgressExitKind.Plain) return before.Kind != Kind;
        var own = Faces;
        return !before.Faces.Any(own.Contains);
    }
}

/// <summary>By destinations, as the rules of a class are.</summary>
internal sealed record EgressExits(ListOf<(Prefix Destination, EgressExit Exit)> All)
{
    public static readonly EgressExits Plain = new([]);

    public EgressExit For(Address destination)
    {
        foreach (var (of, exit) in All)
            if (of.Contains(destination)) return exit;
        return EgressExit.Plain;
    }

    /// <summary>Where nothing leaves what was before stands, to be compared with what comes behind.</summary>
    public EgressExits Behind(EgressExits before) => All.All(one => !one.Exit.IsWaiting) ? this
        : new([.. All.Select(one => one.Exit.IsWaiting
            ? (one.Destination, before.For(one.Destination.Address) with { IsWaiting = true }) : one)]);

    /// <summary>Of a class, as this node has it.</summary>
    /// <param name="isLocal">Of this node's own pods; else of others', for whom it may be the gateway.</param>
    public static EgressExits Of(EgressClass its, EgressHere here, bool isLocal) => new(
        [.. its.Rules.Select(rule => (rule.Destination, isLocal ? Of(rule, here) : Served(rule, here)))]);

    private static EgressExit Of(EgressClassRule rule, EgressHere here)
    {
        var family = rule.Destination.Family;
        if (rule.To is not { } way) return EgressExit.Plain;
        if (here.Own(way, family) is { } own) return ByOwn(own, family) with { IsMixed = rule.Moved != null };
        if (!here.Hops(way, family).Any()) return new(EgressExitKind.Unknown, []) { IsWaiting = true };
        var replicas = way.Preferred.Count > 0 ? way.Preferred : way.Replicas;
        return new(EgressExitKind.Away, [.. replicas.Where(one => one.Serves(family)).SelectMany(one => Faces(one, family)).Distinct()])
        {
            IsMixed = rule.Moved != null,
        };
    }

    private static EgressExit Served(EgressClassRule rule, EgressHere here)
    {
        var family = rule.Destination.Family;
        return rule.To is { } way && here.Serving(way, family) is { } own ? ByOwn(own, family)
            : new(EgressExitKind.Unknown, []) { IsWaiting = true };
    }

    private static EgressExit ByOwn(EgressReplica own, IpFamily family) =>
        new(EgressExitKind.Here, [.. Faces(own, family)]) { IsByHost = own.AddressOf(family) == null };

    private static IEnumerable<Address> Faces(EgressReplica replica, IpFamily family) =>
        replica.AddressOf(family) is { } address ? [address] : replica.Hosts.Where(host => host.Family == family);
}
