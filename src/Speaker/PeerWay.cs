using Calico.Bgp.Kernel;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker;

/// <summary>What is known of the way to a peer whose session is not up.</summary>
internal enum WayState
{
    /// <summary>No link of ours claims the peer's address: the kernel's routes lead there, or nothing does.</summary>
    Unknown,
    Lost,
    There,
}

/// <summary>
/// Whether the link is there that leads to a peer, and our own address on it: TCP alone finds out by the hold timer, 90 s later, and a
/// connection stays bound to a link that was deleted, though another has its name.
///
/// A direct peer (external and one hop away, or named with its interface) stands and falls with its link and that link's carrier, as with
/// BIRD's `check link`. Packets to any other may find another way: such a session ends when its own address is gone from this machine, or
/// when its link is down and no other route leads to the peer.
/// </summary>
internal static class PeerWay
{
    /// <summary>What has become of the way of an established session; null: it is there.</summary>
    public static LostWay? Lost(PeerLife up, SessionSettings settings, KernelSnapshot kernel)
    {
        // Without an interface the session's own address was on none that we know (loopback's range, say).
        if (up.Told.Interface == 0) return null;
        var (own, isDirect) = (up.Negotiated.LocalAddress, IsDirect(settings));
        var link = kernel.Links.GetValueOrDefault(up.Told.Interface);
        var holders = kernel.Addresses.Where(address => address.Address == own).ToArray();
        if (isDirect && Down(link) is { } why) return why;
        if (settings.Interface is { } name && link!.Name != name) return new("Link down", $"{name} is called {link.Name} now");
        if (holders.Length == 0 || (isDirect && !Array.Exists(holders, address => address.Interface == link!.Index)))
            return link == null ? Down(link) : new("Address gone", $"{link.Name} no longer has {own}");
        return !isDirect && Down(link) is { } down && !IsReachable(settings, kernel) ? down : null;
    }

    /// <summary>The way to a peer whose session is not up, and what bars it.</summary>
    public static (WayState State, LostWay? What) To(SessionSettings settings, KernelSnapshot kernel)
    {
        var hasSource = settings.SourceAddress is not { } source || kernel.Addresses.Any(address => address.Address == source);
        if (!IsDirect(settings)) return (hasSource && IsReachable(settings, kernel) ? WayState.There : WayState.Unknown, null);
        var links = LinksTo(settings, kernel).ToArray();
        var bars = Array.ConvertAll(links, link => Down(link, settings.Interface));
        if (links.Length == 0) return (WayState.Unknown, null);
        if (Array.TrueForAll(bars, bar => bar != null)) return (WayState.Lost, bars[0]);
        return (hasSource ? WayState.There : WayState.Unknown, null);
    }

    public static bool IsDirect(SessionSettings settings) =>
        settings.Multihop <= 1 && (settings.LocalAs != settings.PeerAs || settings.Interface != null || settings.PeerAddress.IsLinkLocal);

    /// <summary>The link that the peer stands on: the named one, or that of the longest of our networks that hold its address; null: none
    /// does.</summary>
    public static Link? LinkTo(SessionSettings settings, KernelSnapshot kernel) => settings.Interface is { } name
        ? kernel.Links.Values.FirstOrDefault(link => link.Name == name)
        : kernel.Addresses.Where(address => address.Subnet.Contains(settings.PeerAddress)).MaxBy(address => address.PrefixLength) is { } own
            ? kernel.Links.GetValueOrDefault(own.Interface) : null;

    private static IEnumerable<Link?> LinksTo(SessionSettings settings, KernelSnapshot kernel) => settings.Interface is { } name
        ? [kernel.Links.Values.FirstOrDefault(link => link.Name == name)]
        : from address in kernel.Addresses
          where address.Subnet.Contains(settings.PeerAddress)
          select kernel.Links.GetValueOrDefault(address.Interface);

    private static LostWay? Down(Link? link, string? name = null) => link switch
    {
        null => new("Link down", name == null ? "its interface is gone" : $"there is no interface {name}"),
        { IsUp: false } => new("Link down", $"{link.Name} is down"),
        { HasCarrier: false } => new("Link down", $"{link.Name} has no carrier"),
        _ => null,
    };

    private static bool IsReachable(SessionSettings settings, KernelSnapshot kernel) =>
        KernelNextHops.ResolverOf(kernel).Resolve(settings.PeerAddress, 0).Resolvable;
}
