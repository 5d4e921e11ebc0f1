// Rules of export and import that need three neighbours to be seen. Where something must not be sent, a second route that must be sent
// follows it on the same way: once that has come, the first would have.
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Rfc;

public sealed class RulesTests
{
    private const string First = "203.0.113.0/24", Second = "198.51.100.0/24";
    private static readonly Routers.Neighbour Ext = Stage.External("ext", 2), Ext2 = Stage.External("ext2", 3, 65003),
        Int = Stage.Internal("int", 4), Int2 = Stage.Internal("int2", 5);
    private static readonly byte[] LocalPref = Octets.Attribute(0x40, 5, 0, 0, 0, 100);

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc4271_9_2_1_what_an_internal_neighbour_says_is_not_for_another_internal_one()
    {
        await using var stage = await Stage.MakeAsync(Ext, Int, Int2);
        var (external, from, to) = (await stage.JoinAsync(Ext), await stage.JoinAsync(Int), await stage.JoinAsync(Int2));
        await from.AnnounceAsync(First, Int.Remote, Stage.Attributes([], LocalPref));
        await Stage.HasAsync(external, First);
        await external.AnnounceAsync(Second, Ext.Remote, Stage.Attributes([65002]));
        await Stage.HasAsync(to, Second);
        Assert.Null(to.Route(First));
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc1997_NO_EXPORT_stays_inside_and_NO_ADVERTISE_with_us()
    {
        await using var stage = await Stage.MakeAsync(Ext, Ext2, Int);
        var (from, external, inside) = (await stage.JoinAsync(Ext), await stage.JoinAsync(Ext2), await stage.JoinAsync(Int));
        await from.AnnounceAsync("203.0.113.0/25", Ext.Remote,
            Stage.Attributes([65002], Octets.Attribute(0xc0, 8, 0xff, 0xff, 0xff, 0x02)));
        await from.AnnounceAsync(First, Ext.Remote, Stage.Attributes([65002], Octets.Attribute(0xc0, 8, 0xff, 0xff, 0xff, 0x01)));
        await from.AnnounceAsync(Second, Ext.Remote, Stage.Attributes([65002]));
        await Stage.HasAsync(inside, First);
        await Stage.HasAsync(external, Second);
        Assert.Null(external.Route(First));
        Assert.Null(inside.Route("203.0.113.0/25") ?? external.Route("203.0.113.0/25"));
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc4271_9_2_a_route_that_is_gone_is_withdrawn_once_from_those_who_had_it()
    {
        await using var stage = await Stage.MakeAsync(Ext, Ext2, Int);
        var (from, external, inside) = (await stage.JoinAsync(Ext), await stage.JoinAsync(Ext2), await stage.JoinAsync(Int));
        await from.AnnounceAsync(First, Ext.Remote, Stage.Attributes([65002]));
        await Stage.HasAsync(external, First);
        await Stage.HasAsync(inside, First);
        await from.SendAsync(Octets.Withdraw(First));
        await Stage.LosesAsync(external, First);
        await Stage.LosesAsync(inside, First);
        Assert.Single(external.Received, message => message[18] == Octets.Update && UpdateReader.Read(message).Withdrawn.Contains(First));
        Assert.DoesNotContain(from.Received, message => message[18] == Octets.Update && UpdateReader.Read(message).Withdrawn.Count > 0);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc9774_3_a_path_with_an_AS_SET_counts_as_a_withdrawal_until_the_file_allows_it()
    {
        await using var stage = await Stage.MakeAsync(Ext, Int);
        var (from, to) = (await stage.JoinAsync(Ext), await stage.JoinAsync(Int));
        await from.AnnounceAsync(First, Ext.Remote, Stage.Attributes([65002]));
        await Stage.HasAsync(to, First);
        var withSet = Octets.Hex("0201 0000fdea 0102 0000fdeb 0000fdec");
        await from.AnnounceAsync(First, Ext.Remote, [.. Octets.Attribute(0x40, 1, 0), .. Octets.Attribute(0x40, 2, withSet)]);
        await Stage.LosesAsync(to, First);
        var why = (await stage.Router.AskAsync("show route filtered all")).Trim();
        Assert.Contains("RFC 9774", why, StringComparison.Ordinal);
        await stage.Router.ReconfigureAsync(stage.Router.Spec with { AllowAsSets = true });
        await Stage.HasAsync(to, First);
        await stage.Router.ReconfigureAsync(stage.Router.Spec with { AllowAsSets = false });
        await Stage.LosesAsync(to, First);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc8212_an_external_neighbour_without_policies_gives_and_gets_nothing()
    {
        var bare = Ext2 with { Filters = "" };
        await using var stage = await Stage.MakeAsync(Ext, bare, Int);
        var (external, without, inside) = (await stage.JoinAsync(Ext), await stage.JoinAsync(bare), await stage.JoinAsync(Int));
        await without.AnnounceAsync(First, bare.Remote, Stage.Attributes([65003]));
        await Until.TrueAsync("the route was judged", async () => (await stage.Router.AskAsync("show route filtered")).Contains(First), 10);
        await external.AnnounceAsync(Second, Ext.Remote, Stage.Attributes([65002]));
        await Stage.HasAsync(inside, Second);
        Assert.Null(inside.Route(First));
        Assert.Null(without.Route(Second));
        Assert.Contains("8212", await stage.Router.AskAsync("show protocols all ext2"));
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc4724_2_an_empty_table_ends_too()
    {
        await using var stage = await Stage.MakeAsync(Ext);
        var peer = await stage.JoinAsync(Ext);
        await Until.TrueAsync("End-of-RIB comes", () => peer.Received.Any(message => message.Length == 23 && message[18] == Octets.Update),
            10);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc4486_too_many_prefixes_end_the_session_with_family_and_limit()
    {
        var limited = Ext with { More = "prefixLimit: 2" };
        await using var stage = await Stage.MakeAsync(limited, Int);
        var (peer, inside) = (await stage.JoinAsync(limited), await stage.JoinAsync(Int));
        foreach (var prefix in new[] { First, Second, "192.0.2.0/24" }) await peer.AnnounceAsync(
            prefix, limited.Remote, Stage.Attributes([65002]));
        await Until.TrueAsync("a NOTIFICATION comes", () => peer.Notification != null, 10);
        Assert.Equal("0601" + "000101" + "00000002", Convert.ToHexStringLower(peer.Notification.AsSpan(19)));
        Assert.False(inside.Closed);
        var said = "";
        await Until.TrueAsync(
            "birdc says why, in BIRD's words", async () =>
                (said = await stage.Router.AskAsync("show protocols all ext")).Contains("Automatic shutdown: Route limit exceeded"),
            10, () => said);
        Assert.Contains("    Receive limit:  2 [HIT]\n      Action:       disable\n", said, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc4486_a_neighbour_that_is_taken_out_of_the_file_is_told_and_no_other_notices()
    {
        await using var stage = await Stage.MakeAsync(Ext, Ext2);
        var (stays, goes) = (await stage.JoinAsync(Ext), await stage.JoinAsync(Ext2));
        await stage.Router.ReconfigureAsync(stage.Router.Spec with { Neighbours = [Ext] });
        await Until.TrueAsync("a NOTIFICATION comes", () => goes.Notification != null, 10);
        Assert.Equal((6, 3), (goes.Notification![19], goes.Notification[20]));
        Assert.False(stays.Closed);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Rfc4456_8_a_route_that_was_here_before_is_not_taken()
    {
        var client = Int with { Client = true };
        await using var stage = await Stage.MakeAsync(client, Int2);
        var (from, to) = (await stage.JoinAsync(client), await stage.JoinAsync(Int2));
        await from.AnnounceAsync(First, client.Remote, Stage.Attributes([], [.. LocalPref, .. Octets.Attribute(0x80, 9, 10, 99, 0, 1)]));
        await from.AnnounceAsync("192.0.2.0/24", client.Remote,
            Stage.Attributes([], [.. LocalPref, .. Octets.Attribute(0x80, 9, 9, 9, 9, 9), .. Octets.Attribute(0x80, 10, 10, 99, 0, 1)]));
        await from.AnnounceAsync(Second, client.Remote, Stage.Attributes([], LocalPref));
        await Stage.HasAsync(to, Second);
        Assert.Null(to.Route(First) ?? to.Route("192.0.2.0/24"));
    }
}
