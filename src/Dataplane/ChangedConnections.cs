using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// <c>nat.onChange: cut</c>. The kernel decides a connection's translation on its first packet; when pools change, those that would be
/// treated otherwise now are cut, so that they begin anew. That the network translates, or has stopped to, is no such change: connections
/// keep what they have.
/// </summary>
internal sealed class ChangedConnections(ConnectionTable table, ILogger log)
{
    public long Count { get; private set; }

    public void Cut(NatPlan before, NatPlan after)
    {
        var cut = 0L;
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            foreach (var translated in (bool[])[false, true])
            {
                var (count, errno) = table.Cut(family, translated, connection => IsOther(before, after, connection));
                cut += count;
                if (errno != 0) DataplaneLog.CutRefused(log, Marshal.GetPInvokeErrorMessage(errno));
            }
        Count += cut;
        if (cut > 0) DataplaneLog.Cut(log, cut);
    }

    private static bool IsOther(NatPlan before, NatPlan after, Connection connection) =>
        Treatment(before, connection) != Treatment(after, connection);

    private static string? Treatment(NatPlan plan, Connection connection) => new NatExplainer(plan.WithoutUpstream()).Explain(connection.Source, connection.Destination).To;
}
