using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Where an own route leads. <paramref name="Interface"/> 0: nowhere in particular; <paramref name="Metric"/> 0: none is said.
/// </summary>
/// <param name="Weight">Announced as bandwidth; 0: nothing is said.</param>
internal readonly record struct OwnPath(int Interface, uint Metric = 0, int Weight = 0)
{
    /// <summary>What a producer says of it; null: nothing.</summary>
    public SaidAttributes? Said { get; init; }
}

/// <summary>
/// A kernel route's metric comes into the RIB as the only thing that a route can carry beside its prefix, its MED, and becomes what filters
/// know as the kernel's metric. No MED is left.
/// </summary>
internal sealed record MetricFromMed : IFilter
{
    public static readonly MetricFromMed Instance = new();

    private MetricFromMed() { }

    public string Name => "ACCEPT";
    public bool LooksAtPrefix => false;

    public FilterResult Run(in FilterInput route, AttributeEditor editor)
    {
        if (!route.Summary.Has(AttributeMarks.HasMed)) return new(FilterVerdict.Accept, route.Hints, "accept");
        editor.Load(route.Attributes);
        editor.SetMed(null);
        return new(FilterVerdict.AcceptChanged, route.Hints with { Metric = route.Summary.Med }, "accept");
    }
}

/// <summary>
/// One source of routes that are not learned by BGP: configured ones, connected ones, or others' routes in the kernel. Holds what
/// the RIB was told, and tells it the difference to what should be.
/// </summary>
internal sealed class OwnRouteSource
{
    private readonly RouteInlet inlet;
    private readonly AttributeEditor editor = new();
    private ImmutableDictionary<Prefix, OwnPath> told = ImmutableDictionary<Prefix, OwnPath>.Empty;

    /// <param name="isAsSaid">Its routes bear what their producer says of them; else all that one may have is the kernel's metric.</param>
    public OwnRouteSource(
        Rib.Rib rib, ushort index, string name, RouteOrigin origin, IpFamily family, uint preference, bool isAsSaid = false)
    {
        (Name, Origin, Family, Index, Preference) = (name, origin, family, index, preference);
        IFilter import = isAsSaid ? AcceptAll.Instance : MetricFromMed.Instance;
        rib.PeerUp(new RibPeer { Index = index, Name = name, Origin = origin, Preference = preference, Import = import }, null);
        inlet = rib.InletFor(index);
    }

    public string Name { get; }
    public RouteOrigin Origin { get; }
    public IpFamily Family { get; }
    public ushort Index { get; }
    public uint Preference { get; }
    public bool Enabled { get; set; } = true;
    /// <summary>Its routes come and go one by one (<see cref="MoveAsync"/>), whatever the configuration and the kernel say.</summary>
    public bool MovesItself { get; init; }
    /// <summary>Of a source that moves itself: what it announces while it is enabled.</summary>
    public ImmutableDictionary<Prefix, OwnPath> Wanted { get; private set; } = ImmutableDictionary<Prefix, OwnPath>.Empty;
    public DateTimeOffset Since { get; set; }

    /// <summary>All routes of this source, instead of those before.</summary>
    public async ValueTask SetAsync(ImmutableDictionary<Prefix, OwnPath> wanted)
    {
        if (!Enabled) wanted = ImmutableDictionary<Prefix, OwnPath>.Empty;
        if (ReferenceEquals(wanted, told)) return;
        foreach (var (prefix, _) in told)
            if (!wanted.ContainsKey(prefix)) Withdraw(prefix);
        foreach (var (prefix, path) in wanted)
            if (!told.TryGetValue(prefix, out var before) || before != path) Announce(prefix, path);
        told = wanted;
        await inlet.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Of a source that moves itself: all that it announces, instead of what it did.</summary>
    public ValueTask SetWantedAsync(ImmutableDictionary<Prefix, OwnPath> wanted)
    {
        Wanted = wanted;
        return SetAsync(wanted);
    }

    /// <summary>Some routes; null: it goes. Costs as much as they are, whatever else there is.</summary>
    public async ValueTask MoveAsync(IEnumerable<(Prefix Prefix, OwnPath? Path)> moves)
    {
        foreach (var (prefix, path) in moves)
        {
            if (path is { } leads) Wanted = Wanted.SetItem(prefix, leads);
            else Wanted = Wanted.Remove(prefix);
            if (!Enabled) continue;
            if (path is { } now) Announce(prefix, now);
            else Withdraw(prefix);
        }
        if (!Enabled) return;
        told = Wanted;
        await inlet.FlushAsync().ConfigureAwait(false);
    }

    private void Announce(Prefix prefix, OwnPath path)
    {
        Span<byte> nlri = stackalloc byte[17];
        editor.LoadEmpty(Wire.Attributes.Origin.Igp);
        if (path.Metric != 0) editor.SetMed(path.Metric);
        if (path.Weight != 0) editor.AddExtendedCommunity(Bandwidth.Of(path.Weight));
        path.Said?.Apply(editor);
        var attributes = editor.Finish(out var summary);
        var run = new AnnouncedRun
        {
            Nlri = new() { Family = prefix.Family, Octets = nlri[..prefix.WriteNlri(nlri)] },
            Attributes = attributes,
            Summary = summary,
        };
        inlet.Announce(run, path.Interface);
    }

    private void Withdraw(Prefix prefix)
    {
        Span<byte> nlri = stackalloc byte[17];
        inlet.Withdraw(new() { Family = prefix.Family, Octets = nlri[..prefix.WriteNlri(nlri)] });
    }
}

/// <summary>Which of the kernel's routes are announceable, and of which source (BIRD's direct and kernel protocols).</summary>
internal static class LearnedRoutes
{
    private const byte KernelProtocol = 2; // RTPROT_KERNEL
    private const byte GlobalScope = 0, LinkScope = 253;

    /// <summary>Connected subnets: the kernel's own routes to a link, and the node's own addresses that stand on its loopback.</summary>
    /// <param name="ignored">Interfaces that are not looked at.</param>
    public static ImmutableDictionary<Prefix, OwnPath> Direct(KernelSnapshot snapshot, IpFamily family, ListOf<string> ignored) =>
        Select(snapshot, family, route => IsConnected(route) && !IsOn(snapshot, route, ignored))
            .SetItems(OnLoopback(snapshot, family, ignored).Select(own => KeyValuePair.Create(own.Subnet, new OwnPath(own.Interface))));

    /// <summary>The main table has no route to these: a node between two switches is reached by such an address.</summary>
    private static IEnumerable<LinkAddress> OnLoopback(KernelSnapshot snapshot, IpFamily family, ListOf<string> ignored) =>
        from address in snapshot.Addresses
        where address.Address.Family == family && address.Scope == GlobalScope && !address.Address.IsLoopback
        where snapshot.Links.TryGetValue(address.Interface, out var link) && link is { IsLoopback: true, IsUp: true }
        where !ignored.Any(pattern => Match.Glob(pattern, snapshot.Links[address.Interface].Name))
        select address;

    /// <summary>What others (the administrator, Felix, DHCP) put into the table.</summary>
    public static ImmutableDictionary<Prefix, OwnPath> Foreign(KernelSnapshot snapshot, IpFamily family) =>
        Select(snapshot, family, route => !IsConnected(route)
            && route.Target.Type is RouteType.Unicast or RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit);

    private static ImmutableDictionary<Prefix, OwnPath> Select(KernelSnapshot snapshot, IpFamily family, Func<ForeignRoute, bool> which) =>
        snapshot.Routes.Values
            .Where(route => route.Prefix.Family == family && IsAnnounceable(snapshot, route) && which(route))
            .GroupBy(route => route.Prefix)
            .ToImmutableDictionary(routes => routes.Key, routes => PathOf(routes.MinBy(route => route.Target.Metric)!.Target));

    private static OwnPath PathOf(RouteTarget target) => new(target.Hops is [var hop, ..] ? hop.Interface : 0, target.Metric);

    private static bool IsOn(KernelSnapshot snapshot, ForeignRoute route, ListOf<string> interfaces) =>
        interfaces.Count > 0 && route.Target.Hops is [var hop, ..] && snapshot.Links.TryGetValue(hop.Interface, out var link)
        && interfaces.Any(pattern => Match.Glob(pattern, link.Name));

    private static bool IsConnected(ForeignRoute route) =>
        route.Protocol == KernelProtocol && route.Target.Hops is [{ Gateway: null }]
            && (route.Scope == LinkScope || !route.Prefix.Address.IsIPv4);

    // fe80::/10 and multicast live on one link, and the loopback's routes on one machine.
    private static bool IsAnnounceable(KernelSnapshot snapshot, ForeignRoute route) =>
        !route.Prefix.Address.IsLinkLocal && !route.Prefix.Address.IsMulticast
        && !route.Target.Hops.Any(hop => snapshot.Links.TryGetValue(hop.Interface, out var link) && link.IsLoopback);
}

/// <summary>Whether a way out of an own route can be used, and by which rule.</summary>
public enum OwnHopRule : byte
{
    Usable,
    NoInterface,
    InterfaceDown,
    /// <summary>No link has an address of the gateway's family.</summary>
    NoAddress,
    /// <summary>The gateway is on no link of ours, or not on the one that is named.</summary>
    NotOnLink,
    /// <summary>BFD watches the gateway, and does not hear it.</summary>
    Unheard,
}

/// <summary>
/// Own routes name interfaces and gateways that may come later than the daemon; the kernel wants interfaces that are up, by number.
/// </summary>
internal static class OwnHops
{
    /// <summary>The ways out that can be used now. Null while there is none of those configured: the route waits.</summary>
    public static ImmutableArray<RouteHop>? Resolve(OwnRouteConfig route, KernelSnapshot kernel)
    {
        if (route.Hops.IsEmpty) return [];
        var usable = ImmutableArray.CreateBuilder<RouteHop>();
        for (var i = 0; i < route.Hops.Length; i++)
            if (Judge(route, i, kernel, out var hop) == OwnHopRule.Usable) usable.Add(hop);
        return usable.Count == 0 ? null : usable.ToImmutable();
    }

    /// <param name="hop">As the kernel would be told it, where it can be used; else as it is configured.</param>
    public static OwnHopRule Judge(OwnRouteConfig route, int at, KernelSnapshot kernel, out RouteHop hop)
    {
        hop = route.Hops[at];
        var index = hop.Interface;
        if (InterfaceOf(route, at) is { } name)
        {
            if (kernel.Links.Values.FirstOrDefault(link => link.Name == name) is not { } link) return OwnHopRule.NoInterface;
            if (!link.IsUp) return OwnHopRule.InterfaceDown;
            index = link.Index;
        }
        if (hop.Gateway is { } gateway && !hop.OnLink)
        {
            var answer = KernelNextHops.ResolverOf(kernel).Resolve(gateway, index);
            if (!answer.Connected) return HasAddress(kernel, gateway.Family) ? OwnHopRule.NotOnLink : OwnHopRule.NoAddress;
            index = answer.Interface;
        }
        hop = hop with { Interface = index };
        return route.Unheard.Contains(at) ? OwnHopRule.Unheard : OwnHopRule.Usable;
    }

    public static string? InterfaceOf(OwnRouteConfig route, int hop) => hop < route.Interfaces.Length ? route.Interfaces[hop] : null;

    private static bool HasAddress(KernelSnapshot kernel, IpFamily family) =>
        kernel.Addresses.Any(address => address.Address.Family == family && !address.Address.IsLoopback && !address.Address.IsLinkLocal);
}
