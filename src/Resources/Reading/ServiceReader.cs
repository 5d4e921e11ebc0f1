using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Reading;

/// <summary>Services and EndpointSlices, with the defaults that an API server fills in: a file need not name them.</summary>
internal static class ServiceReader
{
    private static readonly Func<Field, ServicePort?> ReadPort = Port;
    private static readonly Func<Field, Endpoint?> ReadEndpoint = item => Endpoint(item, addresses: true);
    private static readonly Func<Field, Endpoint?> ReadName = item => Endpoint(item, addresses: false);
    private static readonly Func<Field, Address?> ReadAddress = item => item.Address();
    private static readonly Func<Field, Address?> ReadExternal = External;

    private static readonly Func<Field, string?> ReadHint =
        item => item.Section()["name"].Word() is { } name ? string.Intern(name) : null;

    private enum SessionAffinity : byte { None, ClientIP }

    private enum IngressMode : byte { VIP, Proxy }

    public static Service Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var type = spec["type"].Choice<ServiceType>() ?? ServiceType.ClusterIP;
        var headless = IsHeadless(spec);
        ListOf<Address> clusterIPs = headless || type == ServiceType.ExternalName ? [] : ClusterIPs(spec);
        var external = spec["externalIPs"].Values(ReadExternal);
        var ingress = root["status"].Section()["loadBalancer"].Section()["ingress"];
        return new(metadata)
        {
            Type = type,
            Headless = headless,
            ClusterIPs = clusterIPs,
            IpFamilies = Families(spec["ipFamilies"], clusterIPs),
            ExternalIPs = external,
            LoadBalancerIP = Lenient(spec["loadBalancerIP"]),
            LoadBalancerIngress = Ingress(ingress, proxied: false),
            ProxiedIngress = Ingress(ingress, proxied: true),
            ExternalTrafficPolicy = spec["externalTrafficPolicy"].Choice<TrafficPolicy>() ?? DefaultTrafficPolicy(type, external),
            InternalTrafficPolicy = spec["internalTrafficPolicy"].Choice<TrafficPolicy>() ?? TrafficPolicy.Cluster,
            LoadBalancerClass = spec["loadBalancerClass"].Word(),
            HealthCheckNodePort = spec["healthCheckNodePort"].Number(0, 65535) ?? 0,
            LoadBalancerSourceRanges = spec["loadBalancerSourceRanges"].Values(item => item.Network()),
            ClientKeepsEndpointFor = Affinity(spec),
            Ports = spec["ports"].List(ReadPort),
        };
    }

    private static TimeSpan? Affinity(Fields spec)
    {
        const int otherwise = 10_800, most = 86_400; // seconds
        if (spec["sessionAffinity"].Choice<SessionAffinity>() != SessionAffinity.ClientIP) return null;
        var client = spec["sessionAffinityConfig"].Section()["clientIP"].Section();
        return TimeSpan.FromSeconds(client["timeoutSeconds"].Number(1, most) ?? otherwise);
    }

    /// <summary>As an API server has it (ValidateNonSpecialIP): each node has these itself, or each link.</summary>
    private static Address? External(Field item)
    {
        if (item.Address() is not { } address) return null;
        const uint link = 0xa9fe, group = 0xe00000; // 169.254.0.0/16, 224.0.0.0/24
        var isOfLink = address.IsIPv4 ? address.IPv4Bits >> 16 == link || address.IPv4Bits >> 8 == group
            : address.IsLinkLocal || address.High >> 48 == 0xff02;
        if (!address.IsUnspecified && !address.IsLoopback && !isOfLink) return address;
        item.Error($"expected an address of neither a loopback nor one link alone, got {address}");
        return null;
    }

    /// <summary>An API server keeps both in step; a file may say either.</summary>
    private static bool IsHeadless(Fields spec) => spec["clusterIP"].IsAbsent
        ? spec["clusterIPs"].Items().Select(item => item.Word()).ToArray() is ["None"] : spec["clusterIP"].Word() == "None";

    /// <summary>clusterIPs, or clusterIP where only that was written.</summary>
    private static ListOf<Address> ClusterIPs(Fields spec)
    {
        var all = spec["clusterIPs"].Values(ReadAddress);
        return all.Count > 0 ? all : spec["clusterIP"].Address() is { } only ? [only] : [];
    }

    private static ListOf<IpFamily> Families(Field field, ListOf<Address> clusterIPs)
    {
        var said = field.Values(item => item.Choice<IpFamily>());
        return said.Count > 0 ? said : [.. clusterIPs.Select(address => address.Family).Distinct()];
    }

    private static TrafficPolicy? DefaultTrafficPolicy(ServiceType type, ListOf<Address> external) =>
        type is ServiceType.NodePort or ServiceType.LoadBalancer || (type == ServiceType.ClusterIP && external.Count > 0)
            ? TrafficPolicy.Cluster : null;

    /// <param name="proxied">Only those.</param>
    private static ListOf<Address> Ingress(Field field, bool proxied) => field.Values(item => item.Section() is var ingress
        && (ingress["ipMode"].Choice<IngressMode>() == IngressMode.Proxy || !proxied) ? Lenient(ingress["ip"]) : null);

    /// <summary>What is no address is left out: others write it, and some of them write names.</summary>
    private static Address? Lenient(Field field) => field.Word() is { } text && Address.TryParse(text, out var address) ? address : null;

    private static ServicePort Port(Field field)
    {
        var port = field.Section();
        return new(
            port["name"].Word() ?? "",
            port["protocol"].Choice<ServiceProtocol>() ?? ServiceProtocol.TCP,
            port["port"].Number(1, 65535) ?? 0,
            port["nodePort"].Number(0, 65535) ?? 0);
    }

    public static EndpointSlice ReadSlice(Metadata metadata, Fields root)
    {
        root["addressType"].Require(Choices<EndpointAddressType>.Words);
        var type = root["addressType"].Choice<EndpointAddressType>() ?? EndpointAddressType.FQDN;
        return new(metadata)
        {
            AddressType = type,
            Endpoints = root["endpoints"].List(type == EndpointAddressType.FQDN ? ReadName : ReadEndpoint, 1000),
            Ports = root["ports"].List(ReadPort),
        };
    }

    public static Endpoints ReadEndpoints(Metadata metadata, Fields root)
    {
        var all = root["subsets"].Items().Select(subset => subset.Section())
            .SelectMany(subset => subset["addresses"].List(item => AddressOf(item, isReady: true))
                .Concat(subset["notReadyAddresses"].List(item => AddressOf(item, isReady: false))))
            .ToLookup(endpoint => endpoint.Addresses[0].Family);
        return new(metadata) { Slices = [.. all.OrderBy(family => family.Key).Select(family => SliceOf(metadata, family.Key, family))] };
    }

    private static EndpointSlice SliceOf(Metadata metadata, IpFamily family, IEnumerable<Endpoint> endpoints) => new(metadata)
    {
        AddressType = family == IpFamily.IPv4 ? EndpointAddressType.IPv4 : EndpointAddressType.IPv6,
        Endpoints = [.. endpoints],
    };

    private static Endpoint? AddressOf(Field field, bool isReady)
    {
        var address = field.Section();
        var node = address["nodeName"].Word() is { } name ? string.Intern(name) : null;
        return address["ip"].Address() is { } ip ? new([ip], isReady, null, null, node, null) : null;
    }

    private static Endpoint Endpoint(Field field, bool addresses)
    {
        var endpoint = field.Section();
        var conditions = endpoint["conditions"];
        var (ready, serving, terminating) = ((bool?)null, (bool?)null, (bool?)null);
        if (!conditions.IsAbsent)
        {
            var section = conditions.Section();
            (ready, serving, terminating) = (section["ready"].Flag(), section["serving"].Flag(), section["terminating"].Flag());
        }
        var node = endpoint["nodeName"].Word() is { } name ? string.Intern(name) : null;
        var zone = endpoint["zone"].Word() is { } word ? string.Intern(word) : null;
        var hints = endpoint["hints"];
        return new(addresses ? endpoint["addresses"].Values(ReadAddress) : [], ready, serving, terminating, node, zone)
        {
            ForZones = hints.IsAbsent ? [] : hints.Section()["forZones"].List(ReadHint),
            ForNodes = hints.IsAbsent ? [] : hints.Section()["forNodes"].List(ReadHint),
        };
    }
}
