using System.Globalization;
using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Reading.Policies;

namespace Calico.Bgp.Resources.Reading;

/// <summary>FelixConfiguration's fields about routing, NAT and policy. The many others are Felix's: no warning.</summary>
internal static partial class FelixConfigurationReader
{
    /// <summary>Addresses and ranges in natOutgoingAddress: each is a rule that connections walk past.</summary>
    private const int MostAddresses = 256;

    /// <summary>Calico's rule (libcalico's ifaceFilter; 15 is IFNAMSIZ without its zero), and nft's own wildcard beside iptables' at the
    /// end.</summary>
    [GeneratedRegex(@"\A(?!\.{1,2}\z)[a-zA-Z0-9:._+-]{1,14}[a-zA-Z0-9:._+*-]?\z|\A\*\z")]
    private static partial Regex InterfaceFilter();

    [GeneratedRegex(@"\A[a-zA-Z0-9_-]{1,15}\z")]
    private static partial Regex InterfacePrefix();

    public static FelixConfiguration Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        return new(metadata)
        {
            ProgramClusterRoutes = BgpConfigurationReader.Programming(spec["programClusterRoutes"]),
            NatOutgoingAddress = Addresses(spec["natOutgoingAddress"]),
            NatPortRange = Ports(spec["natPortRange"]),
            NatOutgoingExclusions = spec["natOutgoingExclusions"].Choice<NatOutgoingExclusions>(),
            NatOutgoingInterfaceFilter = Filter(spec["natOutgoingInterfaceFilter"]) ?? Filter(spec["iptablesNATOutgoingInterfaceFilter"]),
            ExternalNodes = spec["externalNodesList"].Values(cidr => cidr.Network()),
            IpipEnabled = spec["ipipEnabled"].Flag(),
            VxlanEnabled = spec["vxlanEnabled"].Flag(),
            VxlanPort = spec["vxlanPort"].Number(1, 65535),
            VxlanVni = spec["vxlanVNI"].Number(0, 0xffffff),
            WireguardEnabled = spec["wireguardEnabled"].Flag(),
            WireguardEnabledV6 = spec["wireguardEnabledV6"].Flag(),
            WireguardListeningPort = spec["wireguardListeningPort"].Number(1, 65535),
            WireguardListeningPortV6 = spec["wireguardListeningPortV6"].Number(1, 65535),
            InterfacePrefixes = Prefixes(spec["interfacePrefix"]),
            DeviceRouteProtocol = spec["deviceRouteProtocol"].Number(0, 255),
            RemoveExternalRoutes = spec["removeExternalRoutes"].Flag(),
            ServiceLoopPrevention = spec["serviceLoopPrevention"].Choice<ServiceLoopPrevention>(),
            FloatingIPs = spec["floatingIPs"].Choice<Aggregation>() is { } said ? said == Aggregation.Enabled : null,
            FailsafeInboundHostPorts = Failsafes(spec["failsafeInboundHostPorts"]),
            FailsafeOutboundHostPorts = Failsafes(spec["failsafeOutboundHostPorts"]),
            DefaultEndpointToHostAction = spec["defaultEndpointToHostAction"].Choice<EndpointToHostAction>(),
            FilterDenyAction = spec["nftablesFilterDenyAction"].Choice<DenyAction>()
                ?? spec["iptablesFilterDenyAction"].Choice<DenyAction>(),
            AllowVxlanPacketsFromWorkloads = spec["allowVXLANPacketsFromWorkloads"].Flag(),
            AllowIpipPacketsFromWorkloads = spec["allowIPIPPacketsFromWorkloads"].Flag(),
            EgressSupport = spec["egressIPSupport"].Choice<EgressSupport>(),
            EgressRulePriority = spec["egressIPRoutingRulePriority"].Number(1, 32765),
            ExternalNetworks = spec["externalNetworkSupport"].Choice<ExternalNetworkSupport>(),
            ExternalNetworkRulePriority = spec["externalNetworkRoutingRulePriority"].Number(1, 32765),
            EgressVxlanPort = spec["egressIPVXLANPort"].Number(1, 65535),
            EgressVxlanNetwork = spec["egressIPVXLANVNI"].Number(1, 0xffffff),
            DisableConntrackInvalidCheck = spec["disableConntrackInvalidCheck"].Flag(),
            DnsTrustedServers = Servers(spec["dnsTrustedServers"]),
            DnsExtraTtl = spec["dnsExtraTTL"].Duration(),
            DnsCacheFile = AbsolutePath(spec["dnsCacheFile"]),
            DnsCacheSaveInterval = spec["dnsCacheSaveInterval"].Duration(least: TimeSpan.FromSeconds(1)),
            DnsCacheEpoch = spec["dnsCacheEpoch"].Number(0, int.MaxValue),
            DnsPolicyMode = spec["nftablesDNSPolicyMode"].Choice<DnsPolicyMode>(),
        };
    }

    private static string? AbsolutePath(Field field)
    {
        if (field.Word() is not { } path || path.StartsWith('/')) return field.Word();
        field.Error($"expected a file's path from the root on, got \"{path}\"");
        return null;
    }

    /// <summary>An empty list is not the same as none.</summary>
    private static ListOf<DnsServer>? Servers(Field field) => field.IsAbsent ? null : field.Values(Server);

    private static DnsServer? Server(Field field)
    {
        field.Require(ServerForms);
        if (field.Word() is not { } word) return null;
        var read = word.StartsWith(ServicePrefix, StringComparison.Ordinal) ? ServiceServer(word[ServicePrefix.Length..])
            : AddressServer(word);
        if (read == null) field.Error($"expected {ServerForms}, got \"{word}\"");
        return read;
    }

    private const string ServicePrefix = "k8s-service:",
        ServerForms = "an address, ADDRESS:PORT, [ADDRESS]:PORT or k8s-service:[NAMESPACE/]NAME[:PORT]";

    private static DnsServer? ServiceServer(string text)
    {
        var (name, port) = Parted(text);
        var parts = name.Split('/');
        if (port == null || parts.Length > 2 || !parts.All(part => Label().IsMatch(part))) return null;
        return new(null, new(parts.Length == 2 ? parts[0] : "kube-system", parts[^1]), port.Value);
    }

    private static DnsServer? AddressServer(string text)
    {
        if (Address.TryParse(text, out var alone)) return new(alone, null, DnsServer.DefaultPort);
        var (name, port) = Parted(text);
        if (port == null) return null;
        var isBracketed = name.StartsWith('[') && name.EndsWith(']');
        if (!Address.TryParse(isBracketed ? name[1..^1] : name, out var address) || isBracketed == address.IsIPv4) return null;
        return new(address, null, port.Value);
    }

    /// <summary>Without a port it is DNS's own; null: what stands behind the colon is none.</summary>
    private static (string Name, ushort? Port) Parted(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']')) return (text, DnsServer.DefaultPort);
        return (text[..colon], (ushort?)Port(text[(colon + 1)..]));
    }

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex Label();

    /// <summary>An empty list is not the same as none.</summary>
    private static ListOf<FailsafePort>? Failsafes(Field field) => field.IsAbsent ? null : field.Values(Failsafe);

    /// <summary>What of one is not understood would leave it open further than it says.</summary>
    private static FailsafePort? Failsafe(Field field)
    {
        var port = field.Section();
        port["protocol"].Require("TCP, UDP or SCTP");
        port["port"].Require("a port");
        var (protocol, number, net) = (Protocols.ReadFailsafe(port["protocol"]), port["port"].Number(1, 65535), port["net"].Network());
        port.RefuseOthers();
        return protocol == null || number == null ? null : new(protocol.Value, (ushort)number, net);
    }

    private static string[] Words(Field field) =>
        field.Word()?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string? Filter(Field field)
    {
        if (field.Word() is not { } name || InterfaceFilter().IsMatch(name)) return field.Word();
        field.Error($"expected an interface's name of at most 15 letters, digits and : . _ + -, with + or * for any end, got \"{name}\"");
        return null;
    }

    private static ListOf<string> Prefixes(Field field)
    {
        var words = Words(field);
        foreach (var word in words)
            if (!InterfacePrefix().IsMatch(word))
                field.Error($"expected beginnings of interfaces' names, of at most 15 letters, digits, _ and - each, got \"{word}\"");
        return [.. words];
    }

    /// <summary>Calico's one address; ours beyond it: several, separated by commas, and ranges <c>first-last</c>.</summary>
    private static ListOf<AddressRange> Addresses(Field field)
    {
        var ranges = new List<AddressRange>();
        var words = Words(field);
        if (words.Length > MostAddresses) field.Error($"expected at most {MostAddresses} addresses and ranges, got {words.Length}");
        foreach (var word in words)
            if (Range(word) is { } range) ranges.Add(range);
            else field.Error($"expected an address, a range first-last, or several with commas, got \"{word}\"");
        return [.. ranges];
    }

    private static AddressRange? Range(string word)
    {
        var ends = word.Split('-', StringSplitOptions.TrimEntries);
        if (ends.Length > 2 || !Address.TryParse(ends[0], out var first) || !Address.TryParse(ends[^1], out var last)) return null;
        return first.Family == last.Family && first <= last ? new(first, last) : null;
    }

    /// <summary>A number, or <c>first:last</c>.</summary>
    private static PortRange? Ports(Field field)
    {
        if (field.Word() is not { } text) return null;
        var ends = text.Split(':');
        if (ends.Length <= 2 && Port(ends[0]) is { } first && Port(ends[^1]) is { } last && first <= last) return new(first, last);
        field.Error($"expected a port, or a range first:last, got \"{text}\"");
        return null;
    }

    private static int? Port(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 ? port : null;
}
