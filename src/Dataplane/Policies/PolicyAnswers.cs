using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>A packet, and all that may become of it.</summary>
/// <param name="Leaving">At gateways of other nodes; null: it goes by none.</param>
internal sealed record WalkedPacket(Packet Packet, ImmutableArray<PacketEnd> Ends, EgressLeaving? Leaving = null);

/// <summary>One answer from the ends of all walks: where they differ it is unknown, and what for is said.</summary>
internal static class PolicyAnswers
{
    /// <summary>The packets to walk: one, or one for each endpoint that others send it to; where we do it, the rules say it.</summary>
    public static ImmutableArray<Packet> Packets(PolicyCase asked, IPolicyHost host) =>
        asked.Ways.Count == 0 || asked.Foreign is { By: null, Lost.IsEmpty: true }
            ? [asked.Packet(host, PacketRedirect.None)] : [.. asked.Ways.Select(way => asked.Packet(host, way))];

    /// <summary>
    /// The packets to walk again, one for each place that the rules send it to: by which interface it leaves follows from that, and whose
    /// programs it is asked by from the interface.
    /// </summary>
    public static IEnumerable<(Packet Packet, Address To)> Sent(
        PolicyCase asked, IPolicyHost host, Packet packet, ImmutableArray<PacketEnd> ends) =>
        ends.Select(end => To(packet, end)).Distinct().Select(to => (packet with { Out = asked.Leaving(to, host) }, to));

    /// <summary>Of all that may become of the packet what is sent there.</summary>
    public static ImmutableArray<PacketEnd> SentTo(Address to, Packet packet, ImmutableArray<PacketEnd> ends)
    {
        var there = ends.RemoveAll(end => To(packet, end) != to);
        return there.IsEmpty ? ends : there;
    }

    public static PolicyExplanation Of(
        PolicyCase asked, IPolicyHost host, IReadOnlyList<WalkedPacket> walked, PolicyExplainer explainer)
    {
        var ends = walked.Select(one => one with { Ends = Asked(one.Packet, one.Ends) }).ToArray();
        var verdicts = ends.SelectMany(one => one.Ends).Select(PolicyExplainer.Verdict).Distinct().ToArray();
        var (packet, first, leaving) = (ends[0].Packet, ends[0].Ends[0], ends[0].Leaving);
        var depends = verdicts.Length == 1 ? [] : ends.SelectMany(one => one.Ends.Select(end =>
            $"{string.Join(", ", end.DependsOn.Select(fact => fact.ToString()).Prepend($"to {To(one.Packet, end)}"))}: "
            + PolicyExplainer.Verdict(end))).Distinct().ToImmutableArray();
        var isDenied = verdicts is ["deny"];
        if (asked.Foreign is { Lost: { IsEmpty: false } lost })
            (verdicts, depends) = ([], [.. depends, .. lost]);
        var ours = ends.SelectMany(one => one.Ends.Where(end => IsOurs(one.Packet, end)).Select(end => Destination(one.Packet, end)));
        return new(
            verdicts.Length == 1 ? verdicts[0] : "unknown", explainer.Explain(packet, first, leaving),
            isDenied ? null : Destination(packet, first), isDenied ? null : Source(packet, first, host) ?? leaving?.Seen,
            Why(asked, ours.Distinct().Count()), depends)
        {
            SentTo = Destination(packet, first) ?? (Redirected(packet) is { } to ? $"{to}" : null),
            Service = asked.Service is { } service ? $"{Kinds.Service.Word}/{service}" : null,
            Notes = [.. Notes(asked, host, ends.SelectMany(one => one.Ends)),
                .. explainer.Astray(ends.SelectMany(one => one.Ends.Select(end => To(one.Packet, end))).Prepend(asked.Source), host),
                .. leaving is { IsLost: false } && !isDenied ? (string[])[$"it leaves {leaving.Words}", EgressLeaving.Guarded] : [],
                .. ((string?[])[explainer.Unanswered(packet, first)]).OfType<string>()],
        };
    }

    /// <summary>A connection's first packet is asked about: where its source port is not said it is none of a server's answer.</summary>
    private static ImmutableArray<PacketEnd> Asked(Packet packet, ImmutableArray<PacketEnd> ends)
    {
        if (packet.SourcePort != null) return ends;
        var first = ends.RemoveAll(end => end.Trail.Any(Failsafes.IsOfAnswers));
        return first.IsEmpty ? ends : first;
    }

    private static IEnumerable<string> Notes(PolicyCase asked, IPolicyHost host, IEnumerable<PacketEnd> ends)
    {
        var question = asked.Question;
        var number = (byte)question.Protocol;
        if (question.IsByNumber)
            yield return CarriedProtocol(number) is { } name ? $"{number} is taken for the IP protocol {name}"
                : $"{number} is taken for the number of an IP protocol; the port is asked about by tcp:{number} or udp:{number}";
        if (question.FromInterface is { } from && host.Has(from) == false)
            yield return $"no interface {from} is here: what is said holds for one that no endpoint has";
        if (question.FromInterface == null && ends.Any(end => end.DependsOn.Any(condition => condition.Fact == PacketFact.In)))
            yield return $"by which interface it comes in is not known: no route to {asked.Source} is; --from-interface IF says it";
    }

    /// <summary>Those whose number is hardly meant for a port (IANA's registry); null: another.</summary>
    private static string? CarriedProtocol(byte number) => number switch
    {
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPv4",
        6 => "TCP",
        17 => "UDP",
        41 => "IPv6",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        89 => "OSPF",
        112 => "VRRP",
        132 => "SCTP",
        136 => "UDPLite",
        _ => null,
    };

    private static Address To(Packet packet, PacketEnd end) => end.Destination?.First ?? Redirected(packet) ?? packet.Destination;

    private static Address? Redirected(Packet packet) =>
        packet.Redirect is { } way && way != PacketRedirect.None ? way.To : null;

    /// <summary>Rules of ours have translated its destination.</summary>
    private static bool IsOurs(Packet packet, PacketEnd end) =>
        end.Destination is { First: { } to } && to != Redirected(packet);

    private static string? Destination(Packet packet, PacketEnd end) => end.Destination is { First: { } to } translated
        ? (translated.Ports?.From ?? packet.DestinationPort) is { } port ? Joined(to, port) : to.ToString() : null;

    private static string Joined(Address address, int port) => address.IsIPv4 ? $"{address}:{port}" : $"[{address}]:{port}";

    private static string? Source(Packet packet, PacketEnd end, IPolicyHost host) => end.Source switch
    {
        null => null,
        { First: null } => (packet.Out is { } link ? host.Masqueraded(link, To(packet, end))?.ToString() : null)
            ?? $"the address of {packet.Out ?? "the interface it leaves by"}",
        { First: { } from, Last: var last } => from == last ? $"{from}" : $"one of {from}-{last}",
    };

    /// <param name="ours">So many places rules of ours send it to.</param>
    private static string Why(PolicyCase asked, int ours)
    {
        var what = asked.Service is { } service ? $"service {service}" : "the destination";
        if (ours > 0) return Led(what, $"this daemon translates {what}", ours);
        return asked.Foreign switch
        {
            { By: { } by, Unclear: var unclear } => Led(what, $"{by} leads {what}", asked.Ways.Count)
                + (unclear.IsEmpty ? "" : $"; it depends on {string.Join(", ", unclear)}"),
            { Lost: { IsEmpty: false } lost } => $"unknown is {string.Join(", ", lost)}",
            { } when asked.Ways.Count > 0 => Led(what, $"this daemon translates {what}", asked.Ways.Count),
            { } when asked.Service != null => $"{what} has the destination, and nothing in this kernel translates it",
            { } => "nothing in this kernel translates the destination",
            null when asked.Service != null => Led(what, $"{what} leads", asked.Ways.Count)
                + ", if kube-proxy runs there, which is unknown without the daemon",
            null => "what tables of others (kube-proxy's) make of the destination is unknown without the daemon",
        };
    }

    private static string Led(string what, string leads, int ways) => ways switch
    {
        0 => $"{what} has the destination, and no ready endpoint",
        1 => $"{leads} to one endpoint",
        var count => $"{leads} to one of {count} endpoints, of which the first is shown",
    };
}
