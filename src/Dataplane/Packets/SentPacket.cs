using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Packets;

/// <summary>
/// A packet, walked through the rules in force to where they send it. By which interface it leaves follows from that, and other rules ask
/// for it: so it is walked twice.
/// </summary>
/// <param name="Packet">With the interface that it leaves by, where that is known.</param>
/// <param name="Ends">All that may become of it.</param>
/// <param name="Way">The way to where it goes; null: it ends here, nobody knows the way, or there are several.</param>
internal sealed record SentPacket(Packet Packet, ImmutableArray<PacketEnd> Ends, PacketWay? Way)
{
    public static async Task<SentPacket> WalkAsync(INftables nftables, HostFacts facts, Packet packet, CancellationToken stop)
    {
        var ends = await nftables.WalkAsync(packet, facts, stop).ConfigureAwait(false);
        PacketWay?[] ways = [.. Sent(packet, ends).Select(facts.Way).Distinct()];
        if (packet.Out == null && ways.Select(way => way?.Interface).Distinct().ToArray() is [{ } link])
        {
            packet = packet with { Out = facts.NameOf(link) };
            ends = await nftables.WalkAsync(packet, facts, stop).ConfigureAwait(false);
        }
        return new(packet, ends, ways is [var only] ? only : null);
    }

    /// <summary>What its source becomes where it is masqueraded; null: nobody knows by which interface it leaves, or it depends.</summary>
    public Address? Masqueraded(HostFacts facts) => Packet.Out is { } link
        && Ends.Select(end => facts.Masqueraded(link, To(Packet, end), Way)).Distinct().ToArray() is [var only] ? only : null;

    /// <summary>Where it goes, whatever else it depends on, and no route leads. Null: one does, or nobody knows. What this host sends is
    /// routed before its destination is translated.</summary>
    public Address? NoRoute(HostFacts facts)
    {
        if (Packet.Out != null || Ends.All(end => end.Verdict != PacketVerdict.Accept)) return null;
        var isOwn = Packet.In == null && facts.IsLocal(Packet.Source) == true;
        return Ends.Select(end => isOwn ? Packet.Destination : To(Packet, end)).Distinct().ToArray() is [var to]
            && facts.IsUnreachable(to, Packet.Mark ?? 0) ? to : null;
    }

    /// <summary>Where it goes.</summary>
    public static Address To(Packet packet, PacketEnd end) => end.Destination?.First ?? packet.Destination;

    /// <summary>The packet as it is sent on, each way that it may go; none where that cannot be told.</summary>
    private static IEnumerable<Packet> Sent(Packet packet, ImmutableArray<PacketEnd> ends) =>
        ends.Any(end => end.Verdict == PacketVerdict.Open) ? []
            : ends.Select(end => (To: To(packet, end), Port: Port(packet, end))).Distinct()
                .Select(sent => new Packet(packet.Source, sent.To)
                {
                    Protocol = packet.Protocol,
                    SourcePort = packet.SourcePort,
                    DestinationPort = sent.Port,
                    Mark = packet.Mark,
                    In = packet.In,
                    Out = packet.Out,
                });

    /// <summary>The port that it is sent to; null: nobody has said it.</summary>
    public static ushort? Port(Packet packet, PacketEnd end) =>
        end.Destination?.Ports is { } range && range.From == range.To ? range.From : packet.DestinationPort;
}
