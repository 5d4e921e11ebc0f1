using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>By what a kube-proxy is known that has this node's services, in each of its modes.</summary>
public static class OtherProxies
{
    /// <summary>In IPVS mode kube-proxy has services' addresses on a link of its own, which Felix takes for the sign of it, too.</summary>
    private const string LinkOfIpvs = "kube-ipvs0";

    /// <summary>Its own of iptables, by either program.</summary>
    private const string Chain = "KUBE-SERVICES";

    public static bool HasIpvs(KernelSnapshot machine) => machine.Links.Values.Any(link => link.Name == LinkOfIpvs);

    /// <returns>Null: there is none; else what says that there is one.</returns>
    public static string? Find(KernelSnapshot machine, ForeignRules rules)
    {
        if (HasIpvs(machine)) return $"kube-proxy is here, in IPVS mode (the link {LinkOfIpvs})";
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var word = family == IpFamily.IPv4 ? "ip" : "ip6";
            if (rules.Has(family, "kube-proxy")) return $"kube-proxy is here, in nftables mode (the table {word} kube-proxy)";
            if (rules.Has(family, "nat", Chain)) return $"kube-proxy is here, in iptables mode (the chain {Chain} of the table {word} nat)";
            if (ForeignRules.HasLegacy(family, Chain))
                return $"kube-proxy is here, in iptables mode (the chain {Chain} of {word}tables-legacy's table nat)";
        }
        return null;
    }
}
