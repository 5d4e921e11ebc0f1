using System.Text.RegularExpressions;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Reading;

/// <summary>BGPConfiguration. A node's object may set only what libcalico lets it set; what it is forbidden refuses it, the rest is
/// ignored.</summary>
internal static partial class BgpConfigurationReader
{
    private const int MostEntries = 500;
    private const int HighestPriority = int.MaxValue - 1;

    private static readonly string[] GlobalOnly =
    [
        "nodeToNodeMeshEnabled", "asNumber", "nodeMeshPassword", "nodeMeshMaxRestartTime",
        "serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs",
    ];

    [GeneratedRegex("^[a-zA-Z0-9_.*-]{1,15}$")]
    internal static partial Regex InterfacePattern();

    public static BgpConfiguration Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        CheckScope(metadata.Name, root, spec);
        var configuration = new BgpConfiguration(metadata)
        {
            LogSeverityScreen = Severity(spec["logSeverityScreen"]),
            NodeToNodeMeshEnabled = spec["nodeToNodeMeshEnabled"].Flag(),
            AsNumber = spec["asNumber"].Asn(),
            ServiceClusterIPs = Blocks(spec["serviceClusterIPs"]),
            ServiceExternalIPs = Blocks(spec["serviceExternalIPs"]),
            ServiceLoadBalancerIPs = Blocks(spec["serviceLoadBalancerIPs"]),
            ServiceLoadBalancerAggregation = spec["serviceLoadBalancerAggregation"].Choice<Aggregation>() ?? Aggregation.Enabled,
            Communities = spec["communities"].List(Named, MostEntries),
            PrefixAdvertisements = Advertisements(spec["prefixAdvertisements"]),
            ListenPort = spec["listenPort"].Number(1, 65535),
            NodeMeshPassword = SecretReader.Reference(spec["nodeMeshPassword"]),
            NodeMeshMaxRestartTime = BgpPeerReader.RestartTime(spec["nodeMeshMaxRestartTime"]),
            BindMode = spec["bindMode"].Choice<BindMode>() ?? BindMode.None,
            IgnoredInterfaces = spec["ignoredInterfaces"].List(Ignored),
            LocalWorkloadPeeringIPv4 = spec["localWorkloadPeeringIPV4"].Address(IpFamily.IPv4),
            LocalWorkloadPeeringIPv6 = spec["localWorkloadPeeringIPV6"].Address(IpFamily.IPv6),
            ProgramClusterRoutes = Programming(spec["programClusterRoutes"]),
            IPv4NormalRoutePriority = spec["ipv4NormalRoutePriority"].Number(1, HighestPriority),
            IPv6NormalRoutePriority = spec["ipv6NormalRoutePriority"].Number(1, HighestPriority),
            Extensions = spec["extensions"].Labels(),
        };
        spec.WarnOfOthers();
        CheckCommunities(configuration, spec);
        if (configuration.NodeToNodeMeshEnabled == false) RefuseMeshSettings(spec);
        return configuration with { IsMeshUnread = HidesMesh(configuration, spec) };
    }

    private static bool HidesMesh(BgpConfiguration configuration, Fields spec)
    {
        return IsUnread("nodeToNodeMeshEnabled", configuration.NodeToNodeMeshEnabled)
            || IsUnread("nodeMeshPassword", configuration.NodeMeshPassword)
            || IsUnread("asNumber", configuration.AsNumber) || IsUnread("listenPort", configuration.ListenPort);

        bool IsUnread(string field, object? value) => value == null && !spec[field].IsAbsent;
    }

    private static void CheckScope(string name, Fields root, Fields spec)
    {
        if (name == BgpConfiguration.Default) return;
        if (!name.StartsWith(BgpConfiguration.NodePrefix, StringComparison.Ordinal))
        {
            root["metadata"].Warn($"expected the name default, or node. and a node's name, got \"{name}\": it has no effect");
            return;
        }
        foreach (var field in GlobalOnly)
            if (!spec[field].IsAbsent && !spec[field].IsEmptyList)
                spec.Error(field, $"belongs into the BGPConfiguration default, not into {name}");
    }

    private static void RefuseMeshSettings(Fields spec)
    {
        foreach (var field in (string[])["nodeMeshPassword", "nodeMeshMaxRestartTime"])
            if (!spec[field].IsAbsent) spec.Error(field, "cannot be set while nodeToNodeMeshEnabled is false");
    }

    private static LogSeverity? Severity(Field field)
    {
        if (field.Word() is not { } word) return null;
        foreach (var (name, value) in Choices<LogSeverity>.ByWord)
            if (name.Equals(word, StringComparison.OrdinalIgnoreCase)) return value;
        return field.Choice<LogSeverity>();
    }

    /// <summary>Empty entries are legal and mean nothing.</summary>
    private static ListOf<Prefix> Blocks(Field field) => field.Values(item =>
    {
        var block = item.Section();
        var cidr = block["cidr"].MaskedNetwork();
        block.WarnOfOthers();
        return cidr;
    });

    private static NamedCommunity? Named(Field field)
    {
        var community = field.Section();
        community["name"].Require("a name");
        community["value"].Require("a community");
        var (name, value) = (community["name"].Word(), community["value"].Community());
        community.WarnOfOthers();
        return name != null && value != null ? new(name, value.Value) : null;
    }

    /// <summary>An empty list is not the same as none.</summary>
    private static ListOf<PrefixAdvertisement>? Advertisements(Field field) =>
        field.IsAbsent ? null : field.List(Advertisement, MostEntries);

    private static PrefixAdvertisement? Advertisement(Field field)
    {
        var advertisement = field.Section();
        advertisement["cidr"].Require("a network");
        advertisement["communities"].Require("a list of communities");
        var cidr = advertisement["cidr"].MaskedNetwork();
        var communities = advertisement["communities"].List(item => item.Word(), 50);
        advertisement.WarnOfOthers();
        return cidr == null ? null : new(cidr.Value, communities);
    }

    private static string? Ignored(Field field)
    {
        var pattern = field.Word();
        if (pattern == null || (InterfacePattern().IsMatch(pattern) && pattern != "*")) return pattern;
        field.Error($"expected an interface's name of at most 15 characters, with * for any (but not only that), got \"{pattern}\"");
        return null;
    }

    /// <summary>A later Calico may know more ways: then the default counts, as it does there.</summary>
    internal static ClusterRoutes? Programming(Field field)
    {
        if (field.Word() is not { } word || Choices<ClusterRoutes>.ByWord.ContainsKey(word)) return field.Choice<ClusterRoutes>();
        field.Warn($"expected {Choices<ClusterRoutes>.Words}, got \"{word}\": the default counts");
        return null;
    }

    private static void CheckCommunities(BgpConfiguration configuration, Fields spec)
    {
        if (configuration.Communities.Count > 0 && configuration.PrefixAdvertisements is null or { Count: 0 })
            spec.Error("communities", "are defined, but there are no prefixAdvertisements that use them");
        var field = spec["prefixAdvertisements"];
        foreach (var advertisement in configuration.PrefixAdvertisements ?? [])
            foreach (var community in advertisement.Communities)
                if (configuration.Community(community) == null)
                    field.Error($"{advertisement.Cidr}: expected a community, or the name of one of communities, got \"{community}\"");
    }
}
