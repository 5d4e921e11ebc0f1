using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>
/// Whose responses are believed (FelixConfiguration's dnsTrustedServers), as the connection was begun: addresses with their ports, a
/// service's own addresses, and its endpoints for who asks them by themselves. They are followed as they move.
/// </summary>
internal sealed class TrustedServers(MemberSets members)
{
    private const byte Tcp = 6, Udp = 17;

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly Dictionary<ResourceKey, Service> services = [];
    private readonly List<ServiceMembers> endpoints = [];
    private readonly Dictionary<IpFamily, ImmutableArray<NftElement>> written = [];
    private ListOf<DnsServer> servers;
    private bool isInUse;

    private static string SetOf(IpFamily family) => $"{DnsSets.Prefix}-servers{(family == IpFamily.IPv4 ? "4" : "6")}";

    public void Apply(ResourceChange change)
    {
        if (change.Kind != Kinds.Service) return;
        if (change.After is Service service) services[change.Key] = service;
        else services.Remove(change.Key);
    }

    /// <summary>To be written before the sets of members are.</summary>
    /// <returns>The sets that have them, of each family.</returns>
    public ILookup<IpFamily, string> Follow(ListOf<DnsServer> newest, bool inUse)
    {
        var before = endpoints.ToArray();
        endpoints.Clear();
        (servers, isInUse) = (newest, inUse);
        if (inUse)
            endpoints.AddRange(newest.Where(server => server.Service != null).Select(server => server.Service!.Value).Distinct()
                .SelectMany(service => Families.Select(family => new ServiceMembers(service, WithPorts: true, family))));
        // What it goes on using is used before it is released.
        var sets = endpoints.ConvertAll(one => (one.Family, Set: members.Use(one)));
        foreach (var one in before) members.Release(one);
        if (inUse) sets.AddRange(Families.Select(family => (family, SetOf(family))));
        return sets.ToLookup(one => one.Family, one => one.Set);
    }

    public void Write(PartsWriter into)
    {
        if (into.IsFresh) written.Clear();
        foreach (var family in Families)
        {
            if (!isInUse)
            {
                if (written.Remove(family)) into.RemoveSet(SetOf(family));
                continue;
            }
            ImmutableArray<NftElement> now = [.. Elements(family).Distinct().Order().Select(key => NftElement.Of(key))];
            if (written.TryGetValue(family, out var before) && before.AsSpan().SequenceEqual(now.AsSpan())) continue;
            written[family] = now;
            into.Put(new NftSet(SetOf(family),
                [family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address, NftType.Protocol, NftType.Port], false, now));
        }
    }

    private IEnumerable<NftOctets> Elements(IpFamily family) =>
        from server in servers
        from address in AddressesOf(server)
        where address.Family == family
        from protocol in (byte[])[Tcp, Udp]
        select MatchAddressPort.Key(address, protocol, server.Port);

    private IEnumerable<Address> AddressesOf(DnsServer server) =>
        server.Address is { } address ? [address]
        : server.Service is { } key && services.TryGetValue(key, out var service)
            ? [.. service.ClusterIPs, .. service.ExternalIPs, .. service.LoadBalancerIngress] : [];
}
