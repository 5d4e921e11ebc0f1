namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>Our answers beside BIRD 2's own, for the same peers and routes: every line, code and column.</summary>
public sealed class GoldenTests(BirdLab lab) : IClassFixture<BirdLab>
{
    private static readonly string[] Tables =
    [
        "show route", "show route all", "show route primary", "show route primary all", "show route filtered",
        "show route filtered all", "show route count", "show route stats", "show route table master4", "show route table all count",
        "show route table master6 all", "show route protocol tor4", "show route protocol tor4 all", "show route protocol tor4 count",
        "show route protocol static1 stats", "show route protocol shut", "show route filtered protocol tor4",
        "show route filtered count", "show route export tor4", "show route export tor4 all table master4 protocol static1",
        "show route export tor4 count", "show route preexport tor4", "show route noexport tor4", "show route noexport tor4 stats",
        "show route exported tor4.ipv4 count", "show route export shut", "show route in 192.0.0.0/16",
        "show route in 192.0.0.0/16 count", "show route in 2001:db8::/32 all", "show route where net ~ [10.0.0.0/8+]",
        "show route where false", "show route where false stats", "show route where net.type = NET_IP6 stats",
        "show route where bgp_path ~ [= 65002 * 64999 =]", "show route where (65002,100) ~ bgp_community count",
        "show route where bgp_community ~ [(65002,*)] count", "show route where bgp_large_community ~ [(65002,*,*)] count",
        "show route where bgp_ext_community ~ [(rt,65002,*)] count", "show route where bgp_med > 20 && bgp_local_pref = 100 count",
        "show route where ! (bgp_med > 20) count", "show route where bgp_med !~ [1..5] count", "show route where bgp_med != 50 count",
        "show route where source ~ [RTS_BGP, RTS_DEVICE] count", "show route where dest = RTD_BLACKHOLE count",
        "show route where gw = 10.99.0.2 count", "show route where from = 10.99.0.2 count", "show route where ifname ~ \"e*\" count",
        "show route where proto = \"tor4\" count", "show route where net.len ~ [8..24] count",
        "show route where preference = 200 count", "show route where bgp_path.last = 0 count",
        "show route where bgp_path.first = 65002 && 1 + 1 = 2 count", "show route where defined(bgp_med) count",
        "show route where defined(bgp_path) count", "show route where bgp_path = bgp_path count",
        "show route where true || false && false count", "show route where bgp_next_hop = 10.99.0.2 count",
        "show route where bgp_origin = ORIGIN_EGP", "show route where bgp_path.len = 3 count",
        "show route where bgp_path ~ [64990..64999] count", "show route where 65002 ~ bgp_path count",
        "show route where krt_source = 3 count", "show route where net = 10.50.0.0/16 || net = 192.0.2.0/24",
        "show route where scope = SCOPE_UNIVERSE count",
        "show route filter { accept; }", "show route filter { reject; } stats", "show route filter { } count", "show route filter exp4",
        "show route table master4 filter exp4 count", "show route filter { if net ~ [10.0.0.0/8+] then accept; reject; } all",
        "show route filter { if source = RTS_BGP && bgp_path.len > 1 then { accept; } else reject; } all",
        "show route filter { if bgp_path ~ [= 65002 * =] then accept; } count",
        "show route filter { if net ~ [203.0.113.0/24{24,25}, 10.48.0.0/12{14,16}] then { if net.len = 24 then reject; else accept; } }",
        "show route filter { if ! (proto = \"tor4\") then accept; reject; } count",
        "show route filter { if bgp_local_pref = 150 || bgp_med = 50 then accept; reject; } count",
        "show route filter { if (65002,100) ~ bgp_community then { { accept; } } reject; } count",
        "show route filter { if bgp_med > 20 then if net.len = 25 then reject; else accept; } count",
        "show route filtered filter { if net.len = 24 then accept; } all", "show route protocol tor4 filter { accept; } stats",
    ];

    private static readonly string[] Exact =
    [
        "show interfaces", "show interfaces summary", "show static", "show static static2", "show static tor4", "show symbols exp4",
        "show symbols tor4", "show symbols nope", "show symbols table", "show symbols function", "show route 192.0.2.0/24",
        "show route 192.0.2.0/24 all", "show route 192.0.2.0/24 primary all", "show route for 192.0.2.1",
        "show route for 10.51.3.0/24 all", "show route for 2001:db8:a::1 all", "show route 10.99.0.0/24 stats",
        "show route 9.9.9.0/24", "show route for 9.9.9.9", "show route for 203.0.113.200 all", "show route 10.99.0.0/24 where false",
        "show route export tor4 10.99.0.0/24", "show route export tor4 9.9.0.0/24", "show route count for 10.50.0.1",
        "show protocols \"tor*\"", "show protocols 'tor4'", "show protocols all \"zz*\"", "configure status", "echo all",
        "echo {info, warning} 4096", "echo off", "restrict", "disable shut", "enable tor4", "enable \"t*\"", "disable \"zz*\"",
        "configure confirm", "eval 1+1", "eval (1,2)", "eval (1,2,3)", "eval (rt,1,2)", "eval (rt, 1.2.3.4, 5)",
        "eval (generic,0x43000000,2)", "eval (unknown 0x4004, 1,2)", "eval [1,3..5]", "eval [(1,*),(2,3..4)]", "eval [(1..3,5..6)]",
        "eval [(rt,1,*)]", "eval [(1,2,*)]", "eval [1.2.3.4..1.2.3.9]", "eval [= 1 * ? [1..2] + =]", "eval 1.2.3.0/24",
        "eval 1.2.3.0/24.len", "eval 1.2.3.0/24.type", "eval (1,2).asn", "eval (1,2,3).data2", "eval 1.2.3.4.mask(8)", "eval 10 / 3",
        "eval 3-5", "eval 0x10", "eval true", "eval 5 ~ [1,3..5]", "eval \"ab\" ~ \"*b\"", "eval RTS_BGP", "eval ORIGIN_IGP",
        "eval NET_IP6", "eval fe80::1", "eval net", "eval proto", "eval RTS_BGP = 11", "eval 1 = \"a\"", "eval 1.2.3.4 ~ 1.2.3.0/24",
        "eval \"b\" > \"a\"", "eval 1/0", "eval (70000, 1)", "eval (rt, 70000, 70000)",
    ];

    private static readonly string[] Wrong =
    [
        "", "show", "foo", "show foo", "show protocols nope", "show protocols tor4 x", "show protocols all all", "show protocols 5",
        "show protocols tor4,", "show protocols exp4", "show status x", "show memory x", "show interfaces foo", "show static nope",
        "show symbols attribute", "show bfd sessions", "show ospf", "@#$", "down x", "restrict x", "echo", "echo foo", "echo {foo}",
        "disable", "disable nope", "reload in", "debug tor4", "debug tor4 {foo}", "debug nope all", "configure foo",
        "configure check foo", "configure timeout x", "configure soft x", "configure undo x", "eval", "eval foo", "eval 1;",
        "eval 1 +", "eval (1,2", "eval (1", "eval [1,", "eval [1", "eval defined 1", "eval true.len", "eval 1.2.3.4/24",
        "eval 300000000000", "show route foo", "show route 5", "show route \"x\"", "show route for", "show route for foo",
        "show route 192.0.2.1", "show route in 1.2.3.4", "show route table", "show route table nope", "show route table tor4",
        "show route protocol", "show route protocol nope", "show route protocol exp4", "show route export", "show route export nope",
        "show route export shut", "show route 1.2.3.0/33", "show route 1.2.3.4/24", "show route ::/129",
        "show route for 1.2.3.4 for 1.2.3.5", "show route primary filtered", "show route export tor4 export tor6",
        "show route protocol tor4 protocol tor6", "show route table master6 192.0.2.0/24", "show route import table tor4",
        "show route where", "show route where (", "show route where foo = 1", "show route where bgp_path",
        "show route where bgp_path.len", "show route where bgp_community", "show route where bgp_ext_community",
        "show route where bgp_large_community", "show route where net", "show route where gw", "show route where source",
        "show route where dest", "show route where proto", "show route where bgp_origin", "show route where bgp_originator_id",
        "show route where bgp_cluster_list", "show route where bgp_atomic_aggr", "show route where net.type", "show route where scope",
        "show route where (1,2)", "show route where (1,2,3)", "show route where (rt,1,2)", "show route where [1,2]",
        "show route where [= 1 =]", "show route where bgp_path.len > 1.2.3.4", "show route where bgp_med < \"a\"",
        "show route where !5", "show route where 1 && true", "show route where true || 5", "show route where 1 + true = 2",
        "show route where tor4 = 1", "show route where net ~", "show route where net ~ [", "show route where net ~ [1",
        "show route where bgp_path ~ [= 1", "show route where true where true", "show route where true foo",
        "show route where net.foo = 1", "show route where 1 = 1 = true",
        "show route filter", "show route filter nope", "show route filter tor4", "show route filter exp4 where true",
        "show route filter exp4 foo", "graceful", "graceful foo", "graceful restart x",
    ];

    [NeedsFact(Needs.Namespaces, "bird")]
    public async Task Protocols_are_shown_as_bird_shows_them() =>
        await CompareAsync(
            ["show protocols", "show protocols all", "show protocols all tor4", "show protocols all wrong"], BirdOutput.Lines);

    [NeedsFact(Needs.Namespaces, "bird")]
    public async Task Status_is_shown_as_bird_shows_it() => await CompareAsync(["show status"], BirdOutput.Lines);

    [NeedsFact(Needs.Namespaces, "bird")]
    public async Task Tables_are_shown_as_bird_shows_them() => await CompareAsync(Tables, BirdOutput.RouteLines);

    [NeedsFact(Needs.Namespaces, "bird")]
    public async Task Single_answers_are_the_same_octet_for_octet() => await CompareAsync(Exact, BirdOutput.Lines);

    [NeedsFact(Needs.Namespaces, "bird")]
    public async Task Mistakes_are_answered_in_birds_words() => await CompareAsync(Wrong, BirdOutput.Lines);

    private async Task CompareAsync(IEnumerable<string> commands, Func<string, string[]> form)
    {
        var protocols = await SettledAsync();
        await using var ours = new SocketFixture(new GoldenModel(protocols).Speaker);
        List<string> differences = [];
        foreach (var command in commands)
        {
            var expected = form(lab.Ask(command));
            var actual = form(ours.Ask(command));
            if (!expected.SequenceEqual(actual)) differences.Add($"--- {command}\n{Difference(expected, actual)}");
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static bool Has(string answer, string words) => answer.Contains(words, StringComparison.Ordinal);

    /// <summary>What stands only in one of the two answers; all of it where just the order differs.</summary>
    private static string Difference(string[] bird, string[] ours)
    {
        string[] lines = [.. bird.Except(ours).Select(line => "BIRD: " + line), .. ours.Except(bird).Select(line => "ours: " + line)];
        return string.Join('\n', lines.Length > 0 ? lines : [.. bird, "ours:", .. ours]);
    }

    private async Task<string> SettledAsync()
    {
        await lab.AskWhenAsync("show route count", answer => Has(answer, "12 of 12") && Has(answer, "5 of 5"));
        return await lab.AskWhenAsync("show protocols all",
            answer => Has(answer, "Bad peer AS") && Has(answer, "Passive") && Has(answer, "Route limit exceeded"));
    }
}
