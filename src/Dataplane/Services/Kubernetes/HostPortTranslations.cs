using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>Ports of this node that lead to one pod on it, as Calico VPP's agent has them, and CNI's plugin portmap.</summary>
internal static class HostPortTranslations
{
    public static IEnumerable<Translation> Of(Pod pod, NodeHere here)
    {
        if (pod.IsHostNetwork || pod.Node != here.Name) yield break;
        foreach (var port in pod.HostPorts)
            foreach (var address in port.At is { } one ? [one] : here.Addresses)
                if (!address.IsLoopback && pod.Nets.FirstOrDefault(net => net.Family == address.Family) is { Length: > 0 } net)
                    yield return Of(pod, port, address, net.Address);
    }

    /// <summary>What is not done of what was asked for.</summary>
    public static ListOf<string> Problems(Pod pod, NodeHere here) => pod.IsHostNetwork || pod.Node != here.Name ? [] :
    [
        .. pod.HostPorts.Where(port => port.At is { IsLoopback: true }).Select(port =>
            $"host port {port.Port} is not reached at {port.At}: what comes from there would have to leave by another interface"),
    ];

    private static Translation Of(Pod pod, HostPort port, Address address, Address at)
    {
        var key = new TranslationKey(TranslationPlace.Of(address), (IpProtocol)port.Protocol, port.Port);
        var backend = new Backend(Backend.Unchanged, new(TranslationPlace.Of(at), port.ContainerPort)) { IsHere = true };
        return new($"pod {pod.Key}", TranslationKind.Real, key, [backend]);
    }
}
