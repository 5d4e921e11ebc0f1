using System.Diagnostics.CodeAnalysis;
using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Resources.Reading;

/// <summary>Nodes: Calico's object, and Kubernetes' with Calico's annotations.</summary>
internal static class NodeReader
{
    private const string Calico = "projectcalico.org/";

    public static bool TryParse(string text, IpFamily family, [NotNullWhen(true)] out InterfaceAddress? address)
    {
        address = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!Address.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out var own) || own.Family != family) return false;
        var network = new Prefix(own, family.Bits());
        if (slash >= 0 && !Prefix.TryParse(text, out network)) return false;
        address = new(own, network);
        return true;
    }

    public static Node ReadCalico(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var bgp = spec["bgp"].Section();
        var wireguard = spec["wireguard"].Section();
        var status = root["status"].Section();
        if (!spec["bgp"].IsAbsent && bgp.Count == 0) spec.Error("bgp", "expected fields, got an empty mapping");
        var node = new Node(metadata)
        {
            IPv4 = bgp["ipv4Address"].InterfaceAddress(IpFamily.IPv4),
            IPv6 = bgp["ipv6Address"].InterfaceAddress(IpFamily.IPv6),
            AsNumber = bgp["asNumber"].Asn(),
            RouteReflectorClusterId = ClusterId(bgp["routeReflectorClusterID"]),
            IPv4IpipTunnelAddress = bgp["ipv4IPIPTunnelAddr"].Address(IpFamily.IPv4),
            IPv4VxlanTunnelAddress = spec["ipv4VXLANTunnelAddr"].Address(IpFamily.IPv4),
            IPv6VxlanTunnelAddress = spec["ipv6VXLANTunnelAddr"].Address(IpFamily.IPv6),
            IPv4WireguardAddress = wireguard["interfaceIPv4Address"].Address(IpFamily.IPv4),
            IPv6WireguardAddress = wireguard["interfaceIPv6Address"].Address(IpFamily.IPv6),
            WireguardPublicKey = status["wireguardPublicKey"].Word(),
            WireguardPublicKeyV6 = status["wireguardPublicKeyV6"].Word(),
            PodCidrs = status["podCIDRs"].Values(cidr => cidr.Network()),
            Addresses = Addresses(spec["addresses"]),
        };
        foreach (var known in (string[])["vxlanTunnelMACAddr", "vxlanTunnelMACAddrV6", "orchRefs", "interfaces"]) _ = spec[known];
        spec.WarnOfOthers();
        bgp.WarnOfOthers();
        wireguard.WarnOfOthers();
        return node;
    }

    private static RouterId? ClusterId(Field field)
    {
        if (field.Word() is not { } text) return null;
        if (RouterId.TryParse(text, out var id)) return id;
        field.Error($"expected a cluster id written as an IPv4 address, got \"{text}\"");
        return null;
    }

    /// <summary>Names among the addresses (Hostname, InternalDNS) are left out; an address may carry its network's length.</summary>
    private static ListOf<NodeAddress> Addresses(Field field) => field.List(item =>
    {
        var entry = item.Section();
        var type = entry["type"].Word() ?? "";
        var text = entry["address"].Word();
        if (text == null) return null;
        return TryParse(text, IpFamily.IPv4, out var four) ? new NodeAddress(four.Address, type)
            : TryParse(text, IpFamily.IPv6, out var six) ? new NodeAddress(six.Address, type) : null;
    });

    /// <summary>What Calico's annotations say; a malformed one is warned of and left out, never fatal.</summary>
    public static Node ReadKubernetes(Metadata metadata, Fields root)
    {
        var notes = new Notes(metadata.Annotations, root["metadata"]);
        var spec = root["spec"].Section();
        var status = root["status"].Section();
        var podCidrs = spec["podCIDRs"].Values(cidr => cidr.Network());
        if (podCidrs.Count == 0 && spec["podCIDR"].Network() is { } only) podCidrs = [only];
        var effective = metadata with
        {
            Labels = notes.Map("labels").With(metadata.Labels),
            Annotations = notes.Map("annotations").With(metadata.Annotations),
        };
        return new Node(effective)
        {
            FromKubernetes = true,
            IPv4 = notes.Interface("IPv4Address", IpFamily.IPv4),
            IPv6 = notes.Interface("IPv6Address", IpFamily.IPv6),
            AsNumber = notes.Value<Asn>("ASNumber", Asn.TryParse, "an AS number"),
            RouteReflectorClusterId = notes.Value<RouterId>("RouteReflectorClusterID", RouterId.TryParse, "a cluster id such as 224.0.0.1"),
            IPv4IpipTunnelAddress = notes.Address("IPv4IPIPTunnelAddr", IpFamily.IPv4),
            IPv4VxlanTunnelAddress = notes.Address("IPv4VXLANTunnelAddr", IpFamily.IPv4),
            IPv6VxlanTunnelAddress = notes.Address("IPv6VXLANTunnelAddr", IpFamily.IPv6),
            IPv4WireguardAddress = notes.Address("IPv4WireguardInterfaceAddr", IpFamily.IPv4),
            IPv6WireguardAddress = notes.Address("IPv6WireguardInterfaceAddr", IpFamily.IPv6),
            WireguardPublicKey = notes.Text("WireguardPublicKey"),
            WireguardPublicKeyV6 = notes.Text("WireguardPublicKeyV6"),
            PodCidrs = podCidrs,
            Unschedulable = spec["unschedulable"].Flag() ?? false,
            IsNotReady = IsNotReady(status["conditions"]),
            Addresses = Addresses(status["addresses"]),
        };
    }

    /// <summary>A node that says nothing of it is taken to be ready: there is no kubelet.</summary>
    private static bool IsNotReady(Field conditions) =>
        conditions.List(item => item.Section() is var one && one["type"].Word() == "Ready" ? one["status"].Word() : null)
            .Any(status => status != "True");

    private delegate bool Parser<T>(ReadOnlySpan<char> text, out T value);

    /// <summary>Calico's annotations of a Kubernetes node.</summary>
    private sealed class Notes(Labels annotations, Field field)
    {
        public string? Text(string name) => annotations.TryGetValue(Calico + name, out var text) && text.Length > 0 ? text : null;

        public T? Value<T>(string name, Parser<T> parse, string what) where T : struct
        {
            if (Text(name) is not { } text) return null;
            if (parse(text, out var value)) return value;
            return Malformed<T?>(name, text, what);
        }

        public Address? Address(string name, IpFamily family) =>
            Value<Address>(name, (ReadOnlySpan<char> text, out Address address) =>
                Net.Address.TryParse(text, out address) && address.Family == family, $"an {family} address");

        public InterfaceAddress? Interface(string name, IpFamily family)
        {
            if (Text(name) is not { } text) return null;
            return TryParse(text, family, out var address) ? address : Malformed<InterfaceAddress?>(name, text, $"an {family} address");
        }

        /// <summary>A JSON object of words.</summary>
        public Labels Map(string name)
        {
            if (Text(name) is not { } text) return Labels.Empty;
            var tree = JsonTree.Read(Encoding.UTF8.GetBytes(text), 1, out _);
            if (tree is MappingNode map && map.Entries.All(entry => entry.Value is ScalarNode))
                return Labels.From(map.Entries.Select(entry => KeyValuePair.Create(entry.Key.Text, ((ScalarNode)entry.Value).Text)));
            Malformed<object?>(name, text, "a JSON object of words");
            return Labels.Empty;
        }

        private T? Malformed<T>(string name, string text, string what)
        {
            field.Warn($"annotation {Calico}{name}: expected {what}, got \"{text}\": it has no effect");
            return default;
        }
    }
}
