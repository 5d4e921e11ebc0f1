using System.ComponentModel;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Packets;

/// <summary>The host that this runs on.</summary>
internal sealed class RunningHost(KernelSnapshot kernel) : IPolicyHost
{
    private readonly HostFacts facts = new(kernel);

    public bool? IsLocal(Address address) => facts.IsLocal(address);

    public bool? IsLocalOn(Address address, string link) => facts.IsLocalOn(address, link);

    public bool? ComesBackBy(Address source, uint mark, string link) => facts.ComesBackBy(source, mark, link);

    public Address? Masqueraded(string link, Address towards) => facts.Masqueraded(link, towards);

    public IReadOnlyCollection<string>? Links => facts.Links;

    public string? LinkTo(Address address)
    {
        try
        {
            using var ways = new PacketWays();
            return ways.Back(address, 0) is { } way ? facts.NameOf(way.Interface) : null;
        }
        catch (Win32Exception)
        {
            return null; // no socket is to be had: then it is not known
        }
    }
}

/// <summary>
/// A host as the objects say it is: it has its node's addresses, and beyond those of its workloads all lies behind one interface, that of
/// its host endpoint. Where several are named it is not known which.
/// </summary>
internal sealed class SaidHost(Node? node, IReadOnlyDictionary<Address, string> workloads, IReadOnlyList<string> hostInterfaces)
    : IPolicyHost
{
    /// <summary>Where no host endpoint names an interface, all are alike.</summary>
    private const string Any = "the-uplink";

    private readonly HashSet<Address> own =
    [
        .. (node?.Addresses ?? []).Where(one => one.Type is "InternalIP" or "ExternalIP").Select(one => one.Address),
        .. new[] { node?.IPv4?.Address, node?.IPv6?.Address, node?.IPv4IpipTunnelAddress, node?.IPv4VxlanTunnelAddress,
            node?.IPv6VxlanTunnelAddress, node?.IPv4WireguardAddress, node?.IPv6WireguardAddress }.OfType<Address>(),
    ];

    /// <summary>Objects name those of endpoints, and no other.</summary>
    public IReadOnlyCollection<string>? Links => null;

    public bool? IsLocal(Address address) => own.Contains(address);

    public bool? IsLocalOn(Address address, string link) => own.Contains(address) ? null : false;

    public bool? ComesBackBy(Address source, uint mark, string link) => LinkTo(source) is { } way ? way == link : null;

    public Address? Masqueraded(string link, Address towards) => node?.Of(towards.Family)?.Address;

    public string? LinkTo(Address address) => workloads.TryGetValue(address, out var link) ? link : hostInterfaces.Count switch
    {
        0 => Any,
        1 => hostInterfaces[0],
        _ => null,
    };
}
