using System.Security.Cryptography;
using System.Text;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>How Calico wires a pod: a veth whose name is made of the pod's, the pod's host routes, and a gateway that is not
/// there.</summary>
internal static class PodLink
{
    private const string Mac = "ee:ee:ee:ee:ee:ee", Nobody = "169.254.1.1";

    public static Task AddAsync(Netns node, Netns pod, string within, string name, string ipv4, string ipv6)
    {
#pragma warning disable CA5350 // Calico's rule: a name, no secret
        var link = "cali" + Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes($"{within}.{name}")))[..11];
#pragma warning restore CA5350
        return AddAsync(node, pod, link, ipv4, ipv6);
    }

    public static async Task AddAsync(Netns node, Netns pod, string link, string ipv4, string ipv6)
    {
        await Netns.JoinAsync(node, link, ["fe80::1/64"], pod, "eth0", [$"{ipv4}/32", $"{ipv6}/128"]);
        node.Tell($"""
            link set {link} address {Mac}
            route add {ipv4}/32 dev {link}
            route add {ipv6}/128 dev {link}

            """, "ip", "-batch", "-");
        pod.Tell($"""
            route add {Nobody} dev eth0
            route add default via {Nobody}
            neigh add {Nobody} lladdr {Mac} dev eth0
            route add default via fe80::1 dev eth0

            """, "ip", "-batch", "-");
    }
}
