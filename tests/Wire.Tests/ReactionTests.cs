using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire.Tests;

/// <summary>
/// The reactions that the RFCs ask for, as shared/data/wire/reactions.tsv has them: one test for each row that Wire decides.
/// (Timing, the FSM and who the peer is are Session's; own AS and own next hop are the RIB's.)
/// </summary>
public class ReactionTests
{
    private const string Table = "data/wire/reactions.tsv";
    private static readonly string[] OthersDecide = ["N 5/1", "N 5/2", "N 5/3", "CLOSE", "RESEND", "IGN"];

    /// <summary>Same identifier, AS other than configured: the session knows, the octets do not.</summary>
    private static readonly string[] PeerDecides = ["O04", "O05", "O15"];

    public static TheoryData<string, string, string, string> Rows()
    {
        var rows = new TheoryData<string, string, string, string>();
        if (SharedData.Find(Table) is not { } file) rows.Add("absent", "", "", "");
        else
            foreach (var cells in File.ReadLines(file).Skip(1).Select(x => x.Split('\t')))
                if (!PeerDecides.Contains(cells[0]) && !OthersDecide.Contains(cells[3])) rows.Add(cells[0], cells[1] + cells[2], cells[3],
                    cells[10]);
        return rows;
    }

    [NeedsTheory(Needs.Shared + Table)]
    [MemberData(nameof(Rows))]
    public void A_message_has_the_reaction_that_its_rfc_asks_for(string id, string phaseAndPeer, string expected, string hex)
    {
        var seen = React(phaseAndPeer[0], phaseAndPeer[1] == 'e' ? Sessions.External : Sessions.Internal, Octets(hex));
        Assert.True(expected.Split('|').Any(x => Fits(x, seen)), $"{id}: expected {expected}, saw {seen}");
    }

    private static byte[] Octets(string hex) =>
        hex.Split('*') is [var one, var times] ? [.. Enumerable.Repeat(Convert.FromHexString(one), int.Parse(times)).SelectMany(x => x)]
            : Convert.FromHexString(hex);

    private static string React(char phase, Negotiated session, ReadOnlySpan<byte> message)
    {
        if (MessageHeader.Check(message, session.ExtendedMessages, out var type, out var length) is { } error) return Text(error);
        var body = message[19..length];
        if (type == MessageType.Open) return OpenCodec.Decode(body, out _) is { } refusal ? Text(refusal) : "OK";
        if (type == MessageType.RouteRefresh) return RouteRefreshCodec.Decode(body, out _) is { } invalid ? Text(invalid) : "up";
        if (type != MessageType.Update) return "up";
        var update = new UpdateDecoder(session).Decode(body);
        if (update.Reset is { } reset) return Text(reset);
        if (phase == 'E') return "up";
        return update.Announced.Nlri.Octets.IsEmpty && update.MpAnnounced.Nlri.Octets.IsEmpty ? "no route" : "route";
    }

    private static string Text(Notification error) => $"N {(byte)error.Code}/{error.Subcode}:{Convert.ToHexStringLower(error.Data.Span)}";

    private static bool Fits(string expected, string seen) => expected switch
    {
        "TAW" => seen is "no route",
        "AD" or "OK" => seen is "route" or "OK",
        "KEEP" => seen is "up",
        _ when expected.Contains(':', StringComparison.Ordinal) => seen == expected,
        _ => seen.Split(':')[0] == expected,
    };
}
