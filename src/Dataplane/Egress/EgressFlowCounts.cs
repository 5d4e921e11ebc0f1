using System.ComponentModel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>How many flows of a pod leave by a gateway.</summary>
/// <param name="Pod">Null: of pods that are no more.</param>
public sealed record EgressFlowCount(ResourceKey Gateway, ResourceKey? Pod, int Flows);

/// <summary>The flows that leave by this node, counted in the kernel's table when somebody asks.</summary>
/// <param name="Here">Gateways that this node is a replica of.</param>
/// <param name="IsWhole">False: there are more than are looked at.</param>
public sealed record EgressFlowCounts(ListOf<ResourceKey> Here, ListOf<EgressFlowCount> Counts, bool IsWhole)
{
    /// <summary>Connections with another source that are looked at: what the kernel's table has by default.</summary>
    private const int Most = 1 << 18;

    /// <exception cref="Win32Exception">The kernel refused.</exception>
    internal static EgressFlowCounts Read(EgressFlows flows)
    {
        var counts = new Dictionary<(ResourceKey, ResourceKey?), int>();
        var left = Most;
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            // What is not read to its end leaves its socket good for nothing.
            using var table = new ConnectionTable();
            var errno = table.WalkMasked(family, one =>
            {
                if (left == 0) return false;
                left--;
                if (flows.Of(one) is { } flow)
                    counts[(flow.Gateway, flow.Pod)] = counts.GetValueOrDefault((flow.Gateway, flow.Pod)) + 1;
                return true;
            });
            if (errno != 0) throw new Win32Exception(errno);
        }
        return new(flows.Gateways, [.. counts.Select(one => new EgressFlowCount(one.Key.Item1, one.Key.Item2, one.Value))
            .OrderBy(one => one.Gateway).ThenByDescending(one => one.Flows).ThenBy(one => $"{one.Pod}", StringComparer.Ordinal)], left > 0);
    }
}
