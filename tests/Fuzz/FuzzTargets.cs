using System.Buffers;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Rib;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Messages;
using Calico.Bgp.Wire.Tests;

namespace Calico.Bgp.Fuzz;

/// <summary>
/// One target for each decoder, by name: octets in, an exception for whatever must not be. A target asks for more than survival
/// where there is more to ask: what was decoded encodes again, and decodes again to the same.
/// </summary>
public static class FuzzTargets
{
    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>
    {
        ["message"] = Message,
        ["open"] = body => Open(body),
        ["capabilities"] = Capabilities,
        ["notification"] = body => Notification(body),
        ["route-refresh"] = body => RouteRefresh(body),
        ["update-external"] = Update(Sessions.External),
        ["update-internal"] = Update(Sessions.Internal),
        ["update-two-octet"] = Update(Sessions.Old),
        ["update-two-octet-internal"] = Update(Sessions.Internal with { FourOctetAs = false }),
        ["update-add-path"] = Update(Wide(Sessions.Internal) with { AddPathReceive = FamilySet.Both }),
        ["attributes"] = Attributes,
        ["bfd"] = Bfd(),
        ["object"] = Objects(),
        ["selector"] = Selectors,
        ["table-image"] = TableImages(),
        ["dns-message"] = DnsTargets.Messages(),
        ["dns-stream"] = DnsTargets.Stream,
        ["foreign-rule"] = ForeignTargets.Rule,
        ["iptables-entries"] = ForeignTargets.Entries,
        ["ipvs-services"] = ForeignTargets.Services,
        ["router-message"] = octets => RouterMessage.TryRead(octets, RouterAddress, out _),
        ["neighbour-question"] = Question,
        ["flow-frames"] = FlowTargets.Frames,
        ["gateway-remark"] = FlowTargets.Remark,
    };

    private static readonly Address RouterAddress = Address.Parse("fe80::2");

    private static readonly Action<byte[]> AnyUpdate = Update(Sessions.External with { EnforceFirstAs = false });

    /// <summary>What is read is answered.</summary>
    private static void Question(byte[] frame)
    {
        if (NeighbourSpeech.TryReadQuestion(frame, out var asked, out var asker, out var mac))
            NeighbourSpeech.Answer(asked, new(0x020000000001), asker, mac);
        if (NeighbourSpeech.TryReadSolicitation(frame, out asked, out _)) NeighbourSpeech.SolicitedGroup(asked);
    }

    private static void Message(byte[] octets)
    {
        if (octets.Length < MessageHeader.Octets) return;
        if (MessageHeader.Check(octets, false, out var type, out var length) is { } error)
        {
            Notification(NotificationCodec.Encode(error).AsSpan(MessageHeader.Octets));
            return;
        }
        if (length > octets.Length) return;
        var body = octets[MessageHeader.Octets..length];
        if (type == MessageType.Open) Open(body);
        else if (type == MessageType.Update) AnyUpdate(body);
        else if (type == MessageType.Notification) Notification(body);
        else if (type == MessageType.RouteRefresh) RouteRefresh(body);
    }

    private static void Open(ReadOnlySpan<byte> body)
    {
        if (OpenCodec.Decode(body, out var open) != null) return;
        var again = OpenCodec.Encode(open!);
        Require(OpenCodec.Decode(again.AsSpan(MessageHeader.Octets), out var second) == null,
            "an OPEN that was taken is refused when we send it");
        Require(again.AsSpan().SequenceEqual(OpenCodec.Encode(second!)), "an OPEN changes on its second way");
    }

    private static void Capabilities(byte[] block)
    {
        if (block.Length > 250) block = block[..250];
        Open([4, 0xfd, 0xea, 0, 90, 10, 99, 0, 2, (byte)(block.Length + 2), 2, (byte)block.Length, .. block]);
    }

    private static void Notification(ReadOnlySpan<byte> body)
    {
        var notification = NotificationCodec.Decode(body);
        Require(!notification.Describe().Any(char.IsControl), "a control character comes through");
        if (body.Length is >= 2 and <= NotificationCodec.MaxData)
            Require(NotificationCodec.Encode(notification).AsSpan(MessageHeader.Octets).SequenceEqual(body),
                "a NOTIFICATION changes on its way");
    }

    /// <summary>What the runtime allocates once is no input's.</summary>
    private static Action<byte[]> Objects()
    {
        foreach (var sound in Corpus.For("object")) Object(sound);
        return Object;
    }

    /// <summary>An object as an API server or etcd spells it.</summary>
    private static void Object(byte[] json)
    {
        if (JsonTree.Read(json, 1, out _) is not { } tree) return;
        foreach (var definition in ResourceJson.Read([tree], "fuzz").Definitions)
        {
            var isRefused = definition.Problems.Any(problem => problem.Severity == ProblemSeverity.Error);
            Require(isRefused == (definition.Value == null), "an object is refused without a reason, or counts in spite of one");
            Require(definition.Problems.All(problem => problem.Reason.Length > 0), "a problem says nothing");
            if (definition.Value is AnyNetworkPolicy policy) Policy(policy.Spec);
            if (definition.Value is Pod pod && pod.Endpoint("cali") is { } endpoint)
                Require(endpoint.Interface.Length == 15 && endpoint.Nets.All(net => net.IsHost), "an endpoint is none");
        }
    }

    /// <summary>Nothing of it matches more than one of its fields says, and its selectors are known by their text.</summary>
    private static void Policy(PolicySpec spec)
    {
        Require(spec.Tier.Length > 0, "a policy without a tier");
        Selector(spec.AppliesTo);
        foreach (var entity in spec.Ingress.Concat(spec.Egress).SelectMany(rule => new[] { rule.Source, rule.Destination }))
        {
            Require(entity.In == null || entity.NotIn == null, "an end of a rule is selected twice");
            Require(entity.Ports.Concat(entity.NotPorts).All(port => port.Name != null ? port.Name.Length > 0 : port.First is > 0
                && port.First <= port.Last), "a port is none");
            if ((entity.In ?? entity.NotIn) is { } selector) Selector(selector);
        }
    }

    private static void Selectors(byte[] text)
    {
        if (Resources.Selector.TryParse(System.Text.Encoding.UTF8.GetString(text), out var selector, out var error)) Selector(selector);
        else Require(error.Length > 0, "a selector is refused without a reason");
    }

    /// <summary>Joined ones are as deep as their parts, and one level deeper than what is parsed.</summary>
    private static void Selector(Selector selector)
    {
        if (!Resources.Selector.TryParse(selector.ToString(), out var again, out var error))
            Require(error.Contains("levels of nesting", StringComparison.Ordinal), $"its own text is no selector: {error}");
        else Require(again.Equals(selector), "a selector's text says another");
    }

    /// <summary>What the pool of arrays and the runtime allocate once is no input's.</summary>
    private static Action<byte[]> TableImages()
    {
        foreach (var sound in Corpus.For("table-image")) TableImage(sound);
        return TableImage;
    }

    /// <summary>What another process has written of its tables: read to its end or refused in words, and what is read is written
    /// again.</summary>
    private static void TableImage(byte[] octets)
    {
        if (WrittenAgain(octets) is not { } again) return;
        Require(WrittenAgain(again) is { } second && second.AsSpan().SequenceEqual(again), "an image changes on its second way");
    }

    /// <returns>Null: it was refused.</returns>
    private static byte[]? WrittenAgain(byte[] octets)
    {
        using var reader = new TableImageReader(new MemoryStream(octets));
        var into = new MemoryStream();
        using var writer = new TableImageWriter(into);
        try
        {
            while (reader.Next(out var record)) WriteAgain(record, writer);
        }
        catch (InvalidDataException refused)
        {
            var isSaid = refused.Message.StartsWith("the image of the tables: expected ", StringComparison.Ordinal);
            Require(isSaid, "an image is refused without words");
            return null;
        }
        writer.End();
        return into.ToArray();
    }

    private static void WriteAgain(in ImageRecord record, TableImageWriter writer)
    {
        Describe(new AttributeView(record.Attributes));
        switch (record.Kind)
        {
            case ImageRecordKind.Paths:
                Require(record.Announced.Nlri.Octets.SequenceEqual(record.Nlri.Octets), "an inlet takes other prefixes");
                writer.Paths(record.Peer, record.Age, record.Changed, record.Nlri, record.Attributes);
                break;
            case ImageRecordKind.Told:
                writer.Told(record.Peer, record.Nlri, record.Attributes);
                break;
            case ImageRecordKind.AgeEnds:
                writer.AgeEnds(record.Age);
                break;
            case ImageRecordKind.Holding:
                var members = new List<(ushort, MemberDebts)>();
                for (var rest = record.Members; !rest.IsEmpty; rest = rest[3..])
                    members.Add(((ushort)(rest[0] << 8 | rest[1]), (MemberDebts)rest[2]));
                writer.Holding(record.Nlri.Family, record.Nlri.AddPath, members);
                break;
            default:
                throw new InvalidOperationException($"a record of kind {record.Kind}");
        }
    }

    private static void RouteRefresh(ReadOnlySpan<byte> body)
    {
        if (RouteRefreshCodec.Decode(body, out var refresh) == null)
            Require(RouteRefreshCodec.Encode(refresh).AsSpan(MessageHeader.Octets).SequenceEqual(body[..4]),
                "a ROUTE-REFRESH changes on its way");
    }

    private static Action<byte[]> Update(Negotiated session)
    {
        var decoder = new UpdateDecoder(session);
        var second = new UpdateDecoder(Wide(session));
        var editor = new AttributeEditor();
        return body =>
        {
            var update = decoder.Decode(body);
            Require(update.Damage.Penalty == Penalty.SessionReset == (update.Reset != null),
                "a reset without its NOTIFICATION, or the other way round");
            Check(update.Announced, second, editor);
            Check(update.MpAnnounced, second, editor);
        };
    }

    /// <summary>A session on which everything that we ever announce can be said.</summary>
    private static Negotiated Wide(Negotiated session) =>
        session with { FourOctetAs = true, AddPathReceive = FamilySet.None, ExtendedMessages = true, ExtendedNextHop = true };

    private static void Attributes(byte[] block)
    {
        if (block.Length > 60000) block = block[..60000];
        AnyUpdate([0, 0, (byte)(block.Length >> 8), (byte)block.Length, .. block, 24, 198, 18, 1]);
    }

    private static void Check(AnnouncedRun run, UpdateDecoder second, AttributeEditor editor)
    {
        if (run.Nlri.Octets.IsEmpty) return;
        Require(new AttributeView(run.Attributes).Summarize().Equals(run.Summary), "the summary is not the attributes'");
        editor.Load(run.Attributes);
        Require(editor.Finish(out _).SequenceEqual(run.Attributes), "canonical octets are not what the editor makes of them");
        Describe(new AttributeView(run.Attributes));

        var into = new ArrayBufferWriter<byte>();
        var family = run.Summary.NextHopLength == 4 ? IpFamily.IPv4 : IpFamily.IPv6;
        new UpdateEncoder(new(true, 65535, true, FamilySet.None)).Announce(family, run.Attributes, [0], into);
        if (into.WrittenCount == 0) return;
        var again = second.Decode(into.WrittenSpan[MessageHeader.Octets..]);
        var attributes = again.Announced.Nlri.Octets.IsEmpty ? again.MpAnnounced.Attributes : again.Announced.Attributes;
        Require(again.Damage.Penalty == Penalty.None, "what we announce is damaged");
        Require(attributes.SequenceEqual(run.Attributes), "attributes change on their second way");
    }

    /// <summary>What is taken is written again as it came, and no session falls over it, whatever its state.</summary>
    private static Action<byte[]> Bfd()
    {
        var (session, now) = (new BfdSession(7, BfdTimes.Default, new(1), 0), 0L);
        return datagram =>
        {
            if (ControlPacket.Read(datagram, out var packet) != Discard.None) return;
            Span<byte> again = stackalloc byte[ControlPacket.Octets];
            packet.Write(again);
            // Neither the length of what follows nor the echo interval is kept.
            Require(again[..3].SequenceEqual(datagram.AsSpan(0, 3)) && again[4..20].SequenceEqual(datagram.AsSpan(4, 16)),
                "a BFD packet changes on its way");
            if (session.DetectAt <= ++now) session.Expire(now);
            session.Receive(packet, now, now, out _);
            session.Sent(now);
            Require(session.Due > now, "a BFD session is due again at once");
        };
    }

    private static void Describe(AttributeView view)
    {
        _ = view.AsPath.ToString();
        _ = (view.Communities.Count, view.LargeCommunities.Count, view.ExtendedCommunities.Count, view.ClusterList.Count);
        _ = (view.Aggregator, view.Otc, view.Aigp, view.NextHop);
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException(otherwise);
    }
}
