using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// The last flows that rules have told of, and which of them are to be written to the log: each at once, and again once a minute while it
/// goes on; of all no more than so many a minute, so that a flood does not fill a disk.
/// </summary>
internal sealed class FlowRing(TimeProvider clock)
{
    public const int MostFlows = 500;

    /// <summary>Lines a minute.</summary>
    public const int MostLines = 60;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private sealed record Row(PolicyFlow Flow)
    {
        public PolicyFlow Flow { get; set; } = Flow;

        /// <summary>When a line was written of it, and of how many packets that told.</summary>
        public long? SaidAt { get; set; }
        public long Said { get; set; }
    }

    private readonly Dictionary<(FlowEnds, FlowJudge), LinkedListNode<Row>> rows = [];
    private readonly LinkedList<Row> inOrder = [];
    private long last, minuteBegan = clock.GetTimestamp();
    private int lines;

    /// <summary>Lines that were not written.</summary>
    private long unsaid;

    /// <summary>The newest last.</summary>
    public ImmutableArray<PolicyFlow> Flows => [.. inOrder.Select(row => row.Flow)];

    /// <returns>What of it is to be written, with its packets since the last line of it; null: nothing.</returns>
    public (PolicyFlow Flow, long Packets)? Add(LoggedPacket packet, FlowJudge by)
    {
        var ends = EndsOf(packet);
        var row = Touch(ends, by, packet);
        if (row.SaidAt is { } at && clock.GetElapsedTime(at) < Minute) return null;
        if (lines >= MostLines)
        {
            unsaid++;
            return null;
        }
        lines++;
        var since = row.Flow.Packets - row.Said;
        (row.SaidAt, row.Said) = (clock.GetTimestamp(), row.Flow.Packets);
        return (row.Flow, since);
    }

    /// <summary>Asked from time to time: a minute may be over.</summary>
    /// <returns>How many lines were not written in it.</returns>
    public long EndMinute()
    {
        if (clock.GetElapsedTime(minuteBegan) < Minute) return 0;
        (minuteBegan, lines) = (clock.GetTimestamp(), 0);
        (var count, unsaid) = (unsaid, 0);
        return count;
    }

    private Row Touch(FlowEnds ends, FlowJudge by, LoggedPacket packet)
    {
        if (rows.TryGetValue((ends, by), out var known))
        {
            inOrder.Remove(known);
            inOrder.AddLast(known);
            var flow = known.Value.Flow;
            known.Value.Flow = flow with
            {
                Number = ++last,
                Last = packet.At,
                Packets = flow.Packets + 1,
                SourcePort = packet.Packet.SourcePort,
            };
            return known.Value;
        }
        if (rows.Count == MostFlows && inOrder.First is { } oldest)
        {
            rows.Remove((oldest.Value.Flow.Ends, oldest.Value.Flow.By));
            inOrder.Remove(oldest);
        }
        var row = new Row(new(++last, ends, by, packet.At, packet.At, 1, packet.Packet.SourcePort));
        rows[(ends, by)] = inOrder.AddLast(row);
        return row;
    }

    private static FlowEnds EndsOf(LoggedPacket packet) => packet.Packet switch
    {
        var one => new(one.Source, one.Destination, one.Protocol,
            one.Protocol is IpProtocol.Icmp or IpProtocol.Icmp6 ? one.IcmpType : one.DestinationPort, one.In, one.Out)
        {
            Asked = packet.Asked,
        },
    };
}
