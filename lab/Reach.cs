using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Lab;

/// <summary>Who should reach whom, and asks.</summary>
internal sealed record Reach(string From, string To, string Address)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static readonly Reach[] All =
    [
        new("pod1", "pod2", Topology.PodIPv4(2)), new("pod1", "pod2", Topology.PodIPv6(2)), new("pod2", "pod1", Topology.PodIPv4(1)),
        new("pod2", "pod1", Topology.PodIPv6(1)), new("pod1", "host", Topology.HostIPv4), new("pod1", "host", Topology.HostIPv6),
        new("pod2", "host", Topology.HostIPv4), new("pod2", "host", Topology.HostIPv6),
    ];

    /// <summary>Milliseconds there and back; null: no answer.</summary>
    public async Task<double?> AskAsync(Topology lab)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var took = await Ping.SendAsync(lab.Spaces[From], null, IPAddress.Parse(Address), Ping.NewToken(), patience.Token);
            return took.TotalMilliseconds;
        }
        catch (Exception nobody) when (nobody is OperationCanceledException or SocketException)
        {
            return null;
        }
    }
}
