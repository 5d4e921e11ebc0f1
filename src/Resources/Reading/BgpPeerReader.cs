using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Reading;

/// <summary>BGPPeer, Calico Enterprise's fields included.</summary>
internal static class BgpPeerReader
{
    private const int LongestName = 253;
    private const int LongestSelector = 1024;

    /// <summary>The capability has 12 bits of seconds (RFC 4724 section 3).</summary>
    private static readonly TimeSpan LongestRestart = TimeSpan.FromSeconds(4095);

    public static BgpPeer Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var peer = new BgpPeer(metadata)
        {
            Node = spec["node"].Word(LongestName),
            NodeSelector = spec["nodeSelector"].Selector(LongestSelector),
            PeerIP = Endpoint(spec["peerIP"]),
            PeerSelector = spec["peerSelector"].Selector(LongestSelector),
            LocalWorkloadSelector = spec["localWorkloadSelector"].Selector(LongestSelector),
            AsNumber = spec["asNumber"].Asn() is { Value: > 0 } asn ? asn : null,
            LocalAsNumber = spec["localASNumber"].Asn(),
            KeepOriginalNextHop = spec["keepOriginalNextHop"].Flag() ?? false,
            NextHopMode = spec["nextHopMode"].Choice<PeerNextHopMode>(),
            Password = SecretReader.Reference(spec["password"]),
            SourceAddress = spec["sourceAddress"].Choice<PeerSourceAddress>() ?? PeerSourceAddress.UseNodeIP,
            MaxRestartTime = RestartTime(spec["maxRestartTime"]),
            KeepaliveTime = spec["keepaliveTime"].Duration(least: TimeSpan.FromSeconds(1)),
            NumAllowedLocalAsNumbers = spec["numAllowedLocalASNumbers"].Number(0, int.MaxValue) ?? 0,
            TtlSecurity = spec["ttlSecurity"].Number(0, 255) ?? 0,
            ReachableBy = spec["reachableBy"].Address(),
            Filters = spec["filters"].List(filter => filter.Word()),
            ReversePeering = spec["reversePeering"].Choice<ReversePeering>() ?? ReversePeering.Auto,
            FailureDetectionMode = spec["failureDetectionMode"].Choice<FailureDetectionMode>() ?? FailureDetectionMode.None,
            RestartMode = spec["restartMode"].Choice<RestartMode>() ?? RestartMode.GracefulRestart,
            BirdGatewayMode = spec["birdGatewayMode"].Choice<BirdGatewayMode>() ?? BirdGatewayMode.Recursive,
            ExternalNetwork = spec["externalNetwork"].Word(),
            Network = spec["network"].Word(),
            Extensions = spec["extensions"].Labels(),
        };
        spec.WarnOfOthers();
        CheckTogether(peer, spec);
        return peer;
    }

    internal static TimeSpan? RestartTime(Field field)
    {
        var time = field.Duration();
        if (time > LongestRestart) field.Warn($"expected at most {LongestRestart.TotalSeconds:0}s: that is what the peers are told");
        return time > LongestRestart ? LongestRestart : time;
    }

    /// <summary>Fields that exclude or need each other.</summary>
    private static void CheckTogether(BgpPeer peer, Fields spec)
    {
        if (peer is { Node: not null, NodeSelector: not null }) spec.Error("node", "cannot stand beside nodeSelector");
        if (peer is { PeerIP: not null, PeerSelector: not null }) spec.Error("peerIP", "cannot stand beside peerSelector");
        var namesNobody = spec["peerIP"].IsAbsent && spec["peerSelector"].IsAbsent && spec["localWorkloadSelector"].IsAbsent;
        if (namesNobody) spec.Warn("peerIP", "expected this, peerSelector or localWorkloadSelector, got none: the object has no effect");
        if (peer is { PeerSelector: not null, AsNumber: not null }) spec.Error("asNumber", "cannot stand beside peerSelector");
        if (peer.LocalWorkloadSelector != null) CheckWorkload(peer, spec);
        if (peer is { KeepOriginalNextHop: true, NextHopMode: not null })
            spec.Error("keepOriginalNextHop", "cannot stand beside nextHopMode");
        if (peer is { ReachableBy: not null, PeerIP: null }) spec.Error("reachableBy", "needs peerIP");
        if (peer is { ReachableBy: { } gateway, PeerIP: { } endpoint } && gateway.Family != endpoint.Address.Family)
            spec.Error("reachableBy", $"expected an address of peerIP's family, got {gateway}");
        if (peer is { ExternalNetwork: not null, Network: not null }) spec.Error("externalNetwork", "cannot stand beside network");
    }

    private static void CheckWorkload(BgpPeer peer, Fields spec)
    {
        if (peer.PeerIP != null) spec.Error("peerIP", "cannot stand beside localWorkloadSelector");
        if (peer.PeerSelector != null) spec.Error("peerSelector", "cannot stand beside localWorkloadSelector");
        if (peer.AsNumber == null) spec.Error("asNumber", "is needed beside localWorkloadSelector");
    }

    private static PeerEndpoint? Endpoint(Field field)
    {
        if (field.Word(64) is not { } text) return null;
        if (TryParse(text) is { } endpoint) return endpoint;
        field.Error($"expected an address, IPv4:port or [IPv6]:port, got \"{text}\"");
        return null;
    }

    private static PeerEndpoint? TryParse(string text)
    {
        if (Address.TryParse(text, out var alone)) return new(alone, null);
        var colon = text.LastIndexOf(':');
        if (colon < 0) return null;
        var host = text.AsSpan(0, colon);
        var port = text.AsSpan(colon + 1);
        var bracketed = host is ['[', .., ']'];
        if (!Address.TryParse(bracketed ? host[1..^1] : host, out var address) || address.IsIPv4 == bracketed) return null;
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0) return null;
        return new(address, number);
    }
}
