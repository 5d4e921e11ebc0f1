// Two routes to one prefix that differ in one step of the decision (RFC 4271 section 9.1.2.2): the better one wins whichever comes first.
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Rfc;

public sealed class DecisionTests
{
    private const string Prefix = "203.0.113.0/24";
    private const string Igp = "40010100", Egp = "40010101", Path1 = "40020602010000fdea", Path2 = "40020a02020000fdea0000fdeb",
        NoPath = "400200", Pref = "400504", Med = "800404";

    [NeedsTheory(Needs.Daemon, "birdc")]
    [InlineData("higher local preference", true, true, Igp + NoPath + Pref + "000000c8", Igp + NoPath + Pref + "00000064")]
    [InlineData("shorter path", false, false, Egp + Path1, Igp + Path2)]
    [InlineData("a set counts one", false, false, Egp + "40021002010000fdea01020000fdeb0000fdec",
        Igp + "40021202040000fdea0000fdeb0000fdec0000fded")]
    [InlineData("lower origin", false, false, Igp + Path1 + Med + "00000064", Egp + Path1)]
    [InlineData("lower MED of one neighbouring AS", false, false, Igp + Path1 + Med + "00000001", Igp + Path1 + Med + "00000002")]
    [InlineData("external before internal", false, true, Igp + Path1, Igp + Path1 + Pref + "00000064")]
    [InlineData("lower identifier", false, false, Igp + Path1, Igp + Path1)]
    public async Task Of_two_routes_the_better_one_wins_in_either_order(string step, bool aIsInternal, bool bIsInternal, string a, string b)
    {
        var (betterPeer, worsePeer) = (Peer("better", 2, aIsInternal), Peer("worse", 3, bIsInternal));
        await using var stage = await Stage.MakeAsync(betterPeer, worsePeer);
        await stage.Router.ReconfigureAsync(stage.Router.Spec with { AllowAsSets = true });
        var (better, worse) = (await stage.JoinAsync(betterPeer), await stage.JoinAsync(worsePeer));
        await better.AnnounceAsync(Prefix, betterPeer.Remote, Octets.Hex(a));
        await worse.AnnounceAsync(Prefix, worsePeer.Remote, Octets.Hex(b));
        await WinsAsync(stage, step);
        await better.SendAsync(Octets.Withdraw(Prefix));
        await Until.TrueAsync("one route is left", async () => !(await stage.Router.AskAsync($"show route {Prefix}")).Contains("[better"),
            10);
        await better.AnnounceAsync(Prefix, betterPeer.Remote, Octets.Hex(a));
        await WinsAsync(stage, step);
    }

    private static Routers.Neighbour Peer(string name, int host, bool inside) =>
        inside ? Stage.Internal(name, host) : Stage.External(name, host);

    private static Task WinsAsync(Stage stage, string step) =>
        Until.TrueAsync($"{step}: both are there and the better one is used", async () =>
    {
        var lines = (await stage.Router.AskAsync($"show route {Prefix}")).Split('\n');
        return lines.Any(line => line.Contains("[better") && line.Contains('*'))
            && lines.Any(line => line.Contains("[worse") && !line.Contains('*'));
    }, 10, async () => await stage.Router.AskAsync($"show route {Prefix} all"));
}
