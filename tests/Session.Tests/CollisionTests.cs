using Calico.Bgp.Net;

namespace Calico.Bgp.Session.Tests;

/// <summary>RFC 4271 section 6.8 with RFC 6286 section 2.3: which of two connections survives (conformance F01, F02, F03).</summary>
public class CollisionTests
{
    private const string Low = "10.0.0.1", High = "10.0.0.9";

    [Theory]
    // An OPEN on the connection that the higher identifier opened: the other one goes, in whatever state.
    [InlineData(High, Low, true, Phase.OpenSent, nameof(Verdict.DropOther))]
    [InlineData(High, Low, true, Phase.OpenConfirm, nameof(Verdict.DropOther))]
    [InlineData(Low, High, false, Phase.Connect, nameof(Verdict.DropOther))]
    [InlineData(Low, High, false, Phase.OpenSent, nameof(Verdict.DropOther))]
    [InlineData(Low, High, false, Phase.OpenConfirm, nameof(Verdict.DropOther))]
    // On the losing one, and our winning connection is still being dialled: it was not there in time.
    [InlineData(High, Low, false, Phase.Connect, nameof(Verdict.DropOther))]
    // Our OPEN is on the winning one already.
    [InlineData(High, Low, false, Phase.OpenSent, nameof(Verdict.DropThis))]
    [InlineData(High, Low, false, Phase.OpenConfirm, nameof(Verdict.DropThis))]
    // The peer has not yet spoken on its winning one, and may give it up.
    [InlineData(Low, High, true, Phase.OpenSent, nameof(Verdict.KeepBoth))]
    [InlineData(Low, High, true, Phase.OpenConfirm, nameof(Verdict.DropThis))]
    public void The_connection_that_the_higher_identifier_opened_survives(
        string local, string peer, bool ours, Phase other, string expected) =>
        Assert.Equal(expected, Judge(local, 65001, peer, 65002, new(ours, Phase.OpenSent), new(!ours, other)).ToString());

    [Theory]
    [InlineData(65009, 65002, true, nameof(Verdict.DropOther))]
    [InlineData(65001, 65002, false, nameof(Verdict.DropOther))]
    [InlineData(65009, 65002, false, nameof(Verdict.DropThis))]
    [InlineData(65001, 65002, true, nameof(Verdict.DropThis))]
    public void With_equal_identifiers_the_larger_as_number_decides(uint local, uint peer, bool ours, string expected) =>
        Assert.Equal(expected, Judge(Low, local, Low, peer, new(ours, Phase.OpenSent), new(!ours, Phase.OpenConfirm)).ToString());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_established_session_is_not_disturbed(bool ours) =>
        Assert.Equal(Verdict.DropThis, Judge(Low, 65001, High, 65002, new(ours, Phase.OpenSent), new(!ours, Phase.Established)));

    [Fact]
    public void Of_two_connections_that_the_peer_opened_the_one_it_speaks_on_last_survives() =>
        Assert.Equal(Verdict.DropOther, Judge(Low, 65001, High, 65002, new(false, Phase.OpenSent), new(false, Phase.OpenConfirm)));

    private static Verdict Judge(string local, uint localAs, string peer, uint peerAs, Contender self, Contender other)
    {
        var us = Some.Negotiated with { LocalId = Some.Id(local), LocalAs = new Asn(localAs) };
        return Collision.Judge(us with { PeerId = Some.Id(peer), PeerAs = new Asn(peerAs) }, self, other);
    }
}
