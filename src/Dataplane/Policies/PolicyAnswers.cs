using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>A packet, and all that may become of it.</summary>
/// <param name="Leaving">At gateways of other nodes; null: it goes by none.</param>
internal sealed record WalkedPacket(Packet Packet, ImmutableArray<PacketEnd> Ends, EgressLeaving? Leaving = null)
{
    /// <summary>So many more places it may be sent to, and is not walked there.</summary>
    public int Unasked { get; init; }
}

/// <summary>One answer from the ends of all walks: where they differ it is unknown, and what for is said.</summary>
internal static class PolicyAnswers
{
    private const int MostTold = 8;

    /// <summary>Of one service's endpoints: each costs a walk through all rules.</summary>
    public const int MostAsked = 256;

    /// <summary>The packets to walk: one, or one for each endpoint that others send it to; where we do it, the rules say it.</summary>
    public static ImmutableArray<Packet> Packets(PolicyCase asked, IPolicyHost host) =>
        asked.Ways.Count == 0 || asked.Foreign is { By: null, Lost.IsEmpty: true }
            ? [asked.Packet(host, PacketRedirect.None)] : [.. asked.Ways.Select(way => asked.Packet(host, way))];

    /// <summary>
    /// The packets to walk again, one for each place that the rules send it to: by which interface it leaves follows from that, and whose
    /// programs it is asked by from the interface.
    /// </summary>
    /// <returns>With each how many are left out.</returns>
    public static IEnumerable<(Packet Packet, Address To, int Unasked)> Sent(
        PolicyCase asked, IPolicyHost host, Packet packet, ImmutableArray<PacketEnd> ends)
    {
        (uint? Side, Address To)[] places = [.. ends.SelectMany(end => Places(packet, end)).Distinct()];
        return places.Take(MostAsked).Select(place => (packet with { Out = asked.Leaving(place.To, host), Side = place.Side }, place.To,
            Math.Max(0, places.Length - MostAsked)));
    }

    private static IEnumerable<(uint? Side, Address To)> Places(Packet packet, PacketEnd end) => end.Sides.IsEmpty
        ? [(null, To(packet, end))] : end.Sides.Select(one => ((uint?)one.Side, one.To));

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
        var depends = verdicts.Length == 1 ? [] : Told([.. ends.SelectMany(one => one.Ends.Select(end =>
            (string.Join(", ", end.DependsOn.Select(fact => fact.ToString()).Prepend($"to {To(one.Packet, end)}")),
                PolicyExplainer.Verdict(end)))).Distinct()]);
        var isDenied = verdicts is ["deny"];
        if (asked.Foreign is { Lost: { IsEmpty: false } lost })
            (verdicts, depends) = ([], [.. depends, .. lost]);
        var ours = ends.SelectMany(one => one.Ends.Where(end => IsOurs(one.Packet, end)).Select(end => Destination(one.Packet, end)));
        var (places, unasked) = (ours.Distinct().Count(), walked.Max(one => one.Unasked));
        return new(
            verdicts.Length == 1 ? verdicts[0] : "unknown", explainer.Explain(packet, first, leaving),
            isDenied ? null : Destination(packet, first), isDenied ? null : Source(packet, first, host) ?? leaving?.Seen,
            Why(asked, places + unasked), depends)
        {
            SentTo = Destination(packet, first) ?? (Redirected(packet) is { } to ? $"{to}" : null),
            Service = asked.Service is { } service ? $"{Kinds.Service.Word}/{service}" : null,
            Notes = [.. Notes(asked, host, ends.SelectMany(one => one.Ends)),
                .. unasked > 0 ? (string[])[$"it may get any of {places + unasked} endpoints, of which the first {places} were asked "
                    + "about: what is said holds for these"] : [],
                .. explainer.Astray(ends.SelectMany(one => one.Ends.Select(end => To(one.Packet, end))).Prepend(asked.Source), host),
                .. leaving is { IsLost: false } && !isDenied ? (string[])[$"it leaves {leaving.Words}", EgressLeaving.Guarded] : [],
                .. ((string?[])[explainer.Unanswered(packet, first)]).OfType<string>()],
        };
    }

    /// <summary>Each way with its verdict; of many the first of each verdict, and how many more there are.</summary>
    private static ImmutableArray<string> Told((string Way, string Verdict)[] ways) => ways.Length <= 2 * MostTold
        ? [.. ways.Select(one => $"{one.Way}: {one.Verdict}")]
        : [.. from one in ways
              group one.Way by one.Verdict into alike
              from words in alike.Take(MostTold).Concat(alike.Count() > MostTold ? [$"{alike.Count() - MostTold} more ways"] : [])
              select $"{words}: {alike.Key}"];

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
        if (question.IsByNumber) yield return ProtocolNumber.Taken((byte)question.Protocol);
        if (question.FromInterface is { } from && host.Has(from) == false)
            yield return $"no interface {from} is here: what is said holds for one that no endpoint has";
        if (question.FromInterface == null && ends.Any(end => end.DependsOn.Any(condition => condition.Fact == PacketFact.In)))
            yield return $"by which interface it comes in is not known: no route to {asked.Source} is; --from-interface IF says it";
    }

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
