using System.ComponentModel;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>What becomes of a connection by its first packet. The rules in force have decided; this words it.</summary>
/// <param name="Translation">Which one takes it; null: none does.</param>
/// <param name="Ends">All that may become of it; one where everything is known that was asked.</param>
public sealed record TranslationExplanation(TranslationRow? Translation, ListOf<TranslationEnd> Ends)
{
    /// <summary>The way to where it goes; null: nobody knows it, or it ends here.</summary>
    public string? Interface { get; init; }
    /// <summary>Where it goes, and no route leads; null: one does, or nobody knows.</summary>
    public Address? NoRoute { get; init; }
    /// <summary>The one that it was taken to come in by, because its source is reached by it; null: nobody had to take any.</summary>
    public string? TakenIn { get; init; }
    /// <summary>The connection as the kernel has it: its packets do not meet the rules any more. Null: there is none, or nobody has said
    /// enough to tell.</summary>
    public ServiceSession? Session { get; init; }
    /// <summary>Every rule that it meets.</summary>
    public ListOf<string> Trail { get; init; } = [];
}

/// <param name="To">Where it goes; an address alone where nobody has said the port.</param>
/// <param name="IsTranslated">By a translation of ours.</param>
/// <param name="From">Whom the other side sees; null: the kernel chooses among several addresses.</param>
/// <param name="IsFromElse">Not whom it came from; without a port in <paramref name="From"/> the kernel takes a free one.</param>
/// <param name="Rule">The one that decided, in nft's words, with its chain; null: it met none.</param>
public sealed record TranslationEnd(
    PacketVerdict Verdict, BackendEnd To, bool IsTranslated, BackendEnd? From, bool IsFromElse, string? Rule)
{
    /// <summary>What was taken to be so, because nobody has said it.</summary>
    public ListOf<string> DependsOn { get; init; } = [];

    /// <summary>It is dropped, and its source is told so.</summary>
    public bool IsRejected { get; init; }

    /// <summary>The same becomes of it, by whichever rule.</summary>
    internal bool IsLike(TranslationEnd other) => this with { Rule = null, DependsOn = [] } == other with { Rule = null, DependsOn = [] };
}

/// <summary>Asks the rules in force what they make of a connection, and the kernel whether it has it already.</summary>
internal sealed class TranslationExplainer(INftables nftables, HostFacts facts, SessionOwners owners, ServicesView view)
{
    public async Task<TranslationExplanation> ExplainAsync(Packet packet, CancellationToken stop)
    {
        var sent = await SentPacket.WalkAsync(nftables, facts, packet, stop).ConfigureAwait(false);
        (packet, var ends, var way) = sent;
        var told = ends.Select(end => Of(packet, end, way)).ToArray();
        return new(Taker(packet), [.. told.All(told[0].IsLike) ? told[..1] : told])
        {
            Interface = packet.Out,
            NoRoute = EgressLeaving.MarkOf(ends) == null ? sent.NoRoute(facts) : null,
            Session = SessionOf(packet),
            Trail = [.. ends[0].Trail.Select(step => step.ToString())],
        };
    }

    private TranslationEnd Of(Packet packet, PacketEnd end, PacketWay? way) => new(
        end.Verdict, To(packet, end), end.Destination != null, From(packet, end, way), end.Source != null, end.Decided?.ToString())
    {
        DependsOn = [.. end.DependsOn.Select(condition => condition.ToString())],
        IsRejected = end.Verdict == PacketVerdict.Drop && end.Decided is { } by && by.Rule.Statements.Any(one => one is ActReject),
    };

    private static BackendEnd To(Packet packet, PacketEnd end) =>
        new(TranslationPlace.Of(SentPacket.To(packet, end)), SentPacket.Port(packet, end));

    private BackendEnd? From(Packet packet, PacketEnd end, PacketWay? way)
    {
        if (end.Source is not { } translated) return new(TranslationPlace.Of(packet.Source), packet.SourcePort);
        var address = translated.First == translated.Last ? translated.First : null;
        if (translated.First == null && packet.Out is { } link)
            address = facts.Masqueraded(link, SentPacket.To(packet, end), way);
        var port = KeepsPort(end) ? packet.SourcePort : Only(translated.Ports);
        return address is { } known ? new(TranslationPlace.Of(known), port) : null;
    }

    /// <summary>Another prefix changes the address alone, unless another connection has that already.</summary>
    private static bool KeepsPort(PacketEnd end) => end.Trail.Where(step => step.Stopped == null)
        .Any(step => step.Rule.Statements.Any(one => one is ActPrefixNat { End: NftEnd.Source }));

    private static ushort? Only(PortRange? ports) => ports is { } range && range.From == range.To ? range.From : null;

    private TranslationRow? Taker(Packet packet) => packet.Protocol is { } protocol
        && owners.Of(new(packet.Source, packet.Destination, (byte)protocol, false) { DestinationPort = packet.DestinationPort }) is { } id
            ? view.Translations.FirstOrDefault(row => row.Id == id) : null;

    /// <summary>Of a protocol with ports both have to be said.</summary>
    /// <exception cref="Win32Exception">The kernel refused to tell.</exception>
    private ServiceSession? SessionOf(Packet packet)
    {
        var hasPorts = packet.Protocol is not (IpProtocol.Icmp or IpProtocol.Icmp6);
        if (packet.Protocol is not { } protocol || (hasPorts && (packet.SourcePort == null || packet.DestinationPort == null))) return null;
        bool IsIt(ServiceSession one) => one.Connection.Source == packet.Source && one.Connection.Destination == packet.Destination
            && (!hasPorts || (one.Connection.SourcePort == packet.SourcePort && one.Connection.DestinationPort == packet.DestinationPort));
        var which = new SessionFilter { Protocol = protocol, Address = packet.Source, Port = hasPorts ? packet.SourcePort : null };
        return ServiceSessions.Read(owners, which).FirstOrDefault(IsIt);
    }
}
