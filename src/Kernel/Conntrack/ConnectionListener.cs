using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// Hears of connections that begin with another source than they came with, each once: the kernel tells of one when its first packet has
/// passed, and so with what it was translated to.
/// </summary>
public sealed class ConnectionListener(Loops loops) : ConnectionNews<TrackedConnection>(loops, ConnectionMessage.Begun)
{
    /// <summary>In the order in which they have begun; it ends when the listener does.</summary>
    public ChannelReader<TrackedConnection> Begun => News;

    private protected override bool TryRead(
        in NetlinkHeader header, ReadOnlySpan<byte> body, [MaybeNullWhen(false)] out TrackedConnection one)
    {
        one = null;
        if (!ConnectionMessage.IsBegun(header) || !ConnectionMessage.TryRead(body, out var connection, out var name)
            || !connection.SourceTranslated) return false;
        one = new TrackedConnection(connection, name, ConnectionMessage.ReadState(body, name));
        return true;
    }
}

/// <summary>Hears of all that becomes of flows that another kernel can go on with.</summary>
public sealed class FlowListener(Loops loops)
    : ConnectionNews<FlowNews>(loops, ConnectionMessage.Begun | ConnectionMessage.Changed | ConnectionMessage.Ended)
{
    public ChannelReader<FlowNews> Flows => News;

    private protected override bool TryRead(in NetlinkHeader header, ReadOnlySpan<byte> body, out FlowNews one)
    {
        var turn = ConnectionMessage.IsBegun(header) ? FlowTurn.Begun
            : ConnectionMessage.IsEnded(header) ? FlowTurn.Ended : FlowTurn.Changed;
        var isFlow = FlowMessage.TryRead(body, out var flow);
        one = new(turn, flow);
        return isFlow;
    }
}
