using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session.Tests;

/// <summary>
/// Rows of the shared table of messages and the reactions that the RFCs ask for, as far as a session alone can show them: sent
/// instead of an OPEN (S), after the OPENs (C), on an established session (E).
/// </summary>
public partial class ReactionsTests
{
    private const string Table = "data/wire/reactions.tsv", Stayed = "refresh ipv6 0";

    public static TheoryData<string, string, string, string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, string, string, string>();
            if (SharedData.Find(Table) is not { } file) return rows;
            foreach (var cells in File.ReadLines(file).Skip(1).Select(line => line.Split('\t')))
                if (cells[1] is "S" or "C" or "E") rows.Add(cells[0], cells[1], cells[2], cells[3], cells[^1]);
            return rows;
        }
    }

    [NeedsTheory(Needs.Shared + Table)]
    [MemberData(nameof(Rows))]
    public async Task A_session_reacts_as_the_rfcs_ask(string row, string phase, string peerKind, string expected, string octets)
    {
        var peerAs = new Asn(peerKind == "i" ? 65001u : 65002u);
        var settings = HandPeer.PassiveSession() with { PeerAs = peerAs, RouterId = Some.Id("10.99.0.1") };
        await using var us = new Speaker(settings, listen: Loopback.A);
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        var theirs = Some.PeersSettings with { LocalAs = peerAs, ExtendedMessages = false };
        await BringToAsync(peer, us, phase, Negotiation.Open(theirs, default));
        await peer.SendAsync(Octets(octets));
        var seen = await ReactionAsync(peer, us, phase);
        Assert.True(expected.Split('|').Any(one => Fits(one, seen)), $"{row}: expected {expected}, saw {seen}");
    }

    private static async Task BringToAsync(HandPeer peer, Speaker us, string phase, OpenMessage open)
    {
        if (phase == "E")
        {
            await peer.EstablishAsync(open);
            await Loopback.Up(us);
            return;
        }
        await peer.ReceiveAsync();
        if (phase == "C") await peer.SendAsync(OpenCodec.Encode(open));
    }

    private static async Task<string> ReactionAsync(HandPeer peer, Speaker us, string phase)
    {
        if (phase == "E")
        {
            // A refresh behind the message: what it says to the sink shows that the session has stayed.
            await peer.SendAsync(RouteRefreshCodec.Encode(new(Family.IPv6Unicast)));
            await Until.TrueAsync("an end or the refresh", () => us.Told.Any(line => line == Stayed || line.StartsWith("down")));
            if (us.Told.Contains(Stayed)) return "KEEP";
        }
        while (true)
        {
            var (type, body) = await peer.ReceiveAsync();
            if (type == 0) return "CLOSE";
            if (type == MessageType.Keepalive && phase == "S") return "OK";
            if (type == MessageType.Notification) return $"N {body[0]}/{body[1]}:{Convert.ToHexStringLower(body.AsSpan(2))}";
        }
    }

    private static bool Fits(string expected, string seen) =>
        seen == expected || (!expected.Contains(':') && seen.StartsWith(expected + ":", StringComparison.Ordinal));

    private static byte[] Octets(string text)
    {
        var repeated = Repeated().Match(text);
        var octets = Convert.FromHexString(repeated.Groups[1].Value);
        var times = repeated.Groups[2].Success ? int.Parse(repeated.Groups[2].Value) : 1;
        return [.. Enumerable.Repeat(octets, times).SelectMany(some => some)];
    }

    [GeneratedRegex(@"^([0-9a-f]*)(?:\*(\d+))?$")]
    private static partial Regex Repeated();
}
