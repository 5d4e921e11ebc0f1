using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

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

    /// <summary>It takes one of these where its address is the node's. Asked of each translation that is rendered.</summary>
    public static bool AreTakenBy(TranslationKey key)
    {
        foreach (var one in all)
            if (IsTaken(one.Protocol, one.Port, key)) return true;
        return false;
    }

    /// <summary>What shuts out of a node whoever comes to set it right, of a translation that takes an address of the node's own.</summary>
    public static string WordsOf(TranslationKey key, Address own) =>
        $"it takes what comes to this node's own {own} for {Names(key)}";

    /// <summary>Those that it takes.</summary>
    private static string Names(TranslationKey key) => string.Join(", ", all.Where(one => IsTaken(one.Protocol, one.Port, key))
        .Select(one => $"{one.Name} ({one.Protocol.ToString().ToUpperInvariant()} {one.Port})"));

    private static bool IsTaken(IpProtocol protocol, ushort port, TranslationKey key) =>
        (key.Protocol ?? protocol) == protocol && (key.Port == 0 || key.Port == port);
}
