using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Reading;

/// <summary>IPPool, with the fields of Calico's first API that old objects still carry.</summary>
internal static class IPPoolReader
{
    private static readonly Prefix LinkLocalIPv4 = Prefix.Parse("169.254.0.0/16");
    private static readonly Prefix LinkLocalIPv6 = Prefix.Parse("fe80::/10");

    public static IPPool Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["cidr"].Require("a network");
        var said = spec["cidr"].MaskedNetwork();
        var cidr = said ?? default;
        var legacy = LegacyIpip(spec["ipip"]);
        var pool = new IPPool(metadata)
        {
            Cidr = cidr,
            IpipMode = spec["ipipMode"].Choice<EncapsulationMode>() ?? legacy,
            VxlanMode = spec["vxlanMode"].Choice<EncapsulationMode>() ?? EncapsulationMode.Never,
            NatOutgoing = (spec["natOutgoing"].Flag() ?? false) | (spec["nat-outgoing"].Flag() ?? false),
            Disabled = spec["disabled"].Flag() ?? false,
            DisableBgpExport = spec["disableBGPExport"].Flag() ?? false,
            BlockSize = BlockSize(spec["blockSize"], cidr.Family),
            NodeSelector = spec["nodeSelector"].Selector() ?? Selector.All,
            NamespaceSelector = spec["namespaceSelector"].Selector(),
            AllowedUses = Uses(spec["allowedUses"]),
            AssignmentMode = spec["assignmentMode"].Choice<AssignmentMode>() ?? AssignmentMode.Automatic,
            UpstreamNat = UpstreamNat(metadata, root["metadata"]),
        };
        spec.WarnOfOthers();
        if (said != null) CheckCidr(pool, spec);
        CheckTogether(pool, spec);
        return pool;
    }

    private static EncapsulationMode LegacyIpip(Field field)
    {
        if (field.IsAbsent) return EncapsulationMode.Never;
        var ipip = field.Section();
        var mode = ipip["mode"].Word();
        if (mode is not (null or "always" or "cross-subnet")) ipip.Error("mode", $"expected always or cross-subnet, got \"{mode}\"");
        if (ipip["enabled"].Flag() != true) return EncapsulationMode.Never;
        return mode == "cross-subnet" ? EncapsulationMode.CrossSubnet : EncapsulationMode.Always;
    }

    private static int BlockSize(Field field, IpFamily family)
    {
        var (least, most, usual) = family == IpFamily.IPv4 ? (20, 32, 26) : (116, 128, 122);
        // Go's zero: not said.
        if (field.Word() == "0") return usual;
        return field.Number(least, most) ?? usual;
    }

    private static PoolUses Uses(Field field)
    {
        var uses = PoolUses.None;
        foreach (var use in field.Items()) uses |= use.Choice<PoolUses>() ?? PoolUses.None;
        return uses == PoolUses.None ? PoolUses.Workload | PoolUses.Tunnel : uses;
    }

    private static UpstreamNat? UpstreamNat(Metadata metadata, Field field)
    {
        if (!metadata.Annotations.TryGetValue(IPPool.UpstreamNatAnnotation, out var word)) return null;
        if (Choices<UpstreamNat>.ByWord.TryGetValue(word, out var choice)) return choice;
        field.Warn($"annotation {IPPool.UpstreamNatAnnotation}: expected {Choices<UpstreamNat>.Words}, got \"{word}\": it has no effect");
        return null;
    }

    private static void CheckCidr(IPPool pool, Fields spec)
    {
        var linkLocal = pool.Cidr.Family == IpFamily.IPv4 ? LinkLocalIPv4 : LinkLocalIPv6;
        if (linkLocal.Contains(pool.Cidr) || pool.Cidr.Contains(linkLocal))
            spec.Error("cidr", $"overlaps link-local addresses ({linkLocal})");
        if (!pool.Disabled && pool.Cidr.Length > pool.BlockSize)
            spec.Error("cidr", $"expected at least one block of /{pool.BlockSize}, got {pool.Cidr}");
    }

    private static void CheckTogether(IPPool pool, Fields spec)
    {
        var (ipip, vxlan) = (pool.IpipMode != EncapsulationMode.Never, pool.VxlanMode != EncapsulationMode.Never);
        if (ipip && vxlan) spec.Error("vxlanMode", "cannot be set beside ipipMode");
        if (ipip && pool.Cidr.Family == IpFamily.IPv6) spec.Error("ipipMode", "expected Never for an IPv6 pool");
        if (pool.NodeSelector.MentionsGlobal) spec.Error("nodeSelector", "cannot hold global()");
        if (pool.NamespaceSelector?.MentionsGlobal == true) spec.Error("namespaceSelector", "cannot hold global()");
        if (pool.AllowedUses.HasFlag(PoolUses.LoadBalancer)) CheckLoadBalancer(pool, spec, ipip || vxlan);
    }

    private static void CheckLoadBalancer(IPPool pool, Fields spec, bool encapsulated)
    {
        if (pool.AllowedUses != PoolUses.LoadBalancer) spec.Error("allowedUses", "LoadBalancer must stand alone");
        var mode = pool.IpipMode != EncapsulationMode.Never ? "ipipMode" : "vxlanMode";
        if (encapsulated) spec.Error(mode, "expected Never for a LoadBalancer pool");
        if (!pool.NodeSelector.Equals(Selector.All)) spec.Error("nodeSelector", "expected all() for a LoadBalancer pool");
        if (pool.DisableBgpExport) spec.Error("disableBGPExport", "cannot be set for a LoadBalancer pool");
    }
}
