using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// By what a node is reached and kept in its cluster. A translation of an address of its own that takes one of these sends whoever comes
/// to it elsewhere, without a word: as firewalls have failsafe ports, a translation has these named.
/// </summary>
internal static class NodePorts
{
    private static readonly (IpProtocol Protocol, ushort Port, string Name)[] all =
    [
        (IpProtocol.Tcp, 22, "SSH"), (IpProtocol.Tcp, 179, "BGP"), (IpProtocol.Udp, 3784, "BFD"), (IpProtocol.Udp, 4784, "BFD"),
        (IpProtocol.Tcp, 6443, "Kubernetes' API"), (IpProtocol.Tcp, 10250, "kubelet"), (IpProtocol.Tcp, 2379, "etcd"),
        (IpProtocol.Tcp, 2380, "etcd"), (IpProtocol.Udp, 68, "DHCP"),
    ];

    /// <summary>What of these it takes where its address is the node's, in words; null: nothing.</summary>
    public static string? TakenBy(TranslationKey key)
    {
        string[] some =
        [
            .. all.Where(one => (key.Protocol ?? one.Protocol) == one.Protocol && (key.Port == 0 || key.Port == one.Port))
                .Select(one => $"{one.Name} ({one.Protocol.ToString().ToUpperInvariant()} {one.Port})"),
        ];
        return some.Length == 0 ? null : string.Join(", ", some);
    }
}
