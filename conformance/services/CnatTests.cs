using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Packets;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>bgpctl cnat on a node whose translations have real connections: VPP's own lines, sessions, and what is foretold.</summary>
public sealed class CnatTests : IAsyncLifetime
{
    private const string On = "services: { enabled: true }";

    private static readonly bool[] Families = [false, true];

    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Bgpctl, "nft") != null) return;
        site = await ServiceSite.MakeAsync();
        // Nothing is forgotten however slow the machine is; and ages and counters are there to be shown.
        site.Node.Set("net/netfilter/nf_conntrack_udp_timeout=3600", "net/netfilter/nf_conntrack_udp_timeout_stream=3600",
            "net/netfilter/nf_conntrack_acct=1", "net/netfilter/nf_conntrack_timestamp=1");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static string Vip(bool six) => six ? Vip6 : Vip4;

    private static string Client(bool six) => six ? Client6 : Client4;

    private static string End(string address, int port) => address.Contains(':') ? $"[{address}]:{port}" : $"{address}:{port}";

    private async Task<string> SayAsync(string line, int expected = 0)
    {
        var answer = await site.CnatAsync(line.Split(' '));
        Assert.True(answer.Code == expected, $"`{line}`: {answer}");
        return expected == 0 ? answer.Output : answer.Errors;
    }

    private async Task<JsonNode> AskAsync(string line) => JsonNode.Parse(await SayAsync(line + " --json"))!;

    /// <summary>Columns a space apart.</summary>
    private static string[] Rows(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task The_lines_of_VPPs_texts_do_what_they_say()
    {
        await site.Backends[0].IpAsync("addr add 20.0.0.1/32 dev lo");
        await site.Node.IpAsync($"route add 20.0.0.1 via {Backend(0, false)}");
        using var server = new Answerer(site.Backends[0], "20.0.0.1", 8080);
        await site.StartAsync(On);
        await SayAsync("translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080");
        using (var socket = await Answerer.ConnectAsync(site.Client, Client4, "30.0.0.2", 80, sourcePort: 21000, seconds: Patience))
        {
            var answer = await Answerer.AnswerAsync(socket, seconds: Patience);
            Assert.Equal(new Answered("20.0.0.1", new(IPAddress.Parse(Client4), 21000)), answer);
            Assert.Equal(
                ["ID PROTO KIND ADDRESS PORT TO BALANCE OF STATE", "0 tcp vip 30.0.0.2 80 ->20.0.0.1:8080 hash cli in force"],
                Rows(await SayAsync("show translation")));
            var session = Assert.Single(Rows(await SayAsync("show session verbose")).Skip(1));
            Assert.Matches("^[0-9]+ 0 tcp 10.1.0.2:21000 30.0.0.2:80 20.0.0.1:8080 10.1.0.2:21000 established .* packets, .* packets, ",
                session);
        }
        await SayAsync("cnat translation del 0");
        Assert.Null(await Answerer.AskAsync(site.Client, Client4, "30.0.0.2", 80, tcp: true, attempts: 1));
        await site.Node.IpAsync("addr add 30.0.0.2/32 dev lo");
        using var own = new Answerer(site.Node, "30.0.0.2", 7777);
        await SayAsync("cnat translation add proto TCP real 30.0.0.2 80 to 1.2.3.4->20.0.0.1 8080");
        var seen = await Answerer.AskAsync(site.Client, Client4, "30.0.0.2", 80, tcp: true);
        Assert.Equal(("20.0.0.1", "1.2.3.4"), (seen?.Server, seen?.Seen.Address.ToString()));
        Assert.Equal("30.0.0.2", (await Answerer.AskAsync(site.Client, Client4, "30.0.0.2", 7777, tcp: true))?.Server);
        // As the texts print it, typed into a shell.
        await SayAsync("translation del 1");
        var shell = await site.ShellAsync("cnat translation add proto TCP real 30.0.0.2 80 to 1.2.3.4->20.0.0.1 8080");
        Assert.True(shell.Good, shell.ToString());
        Assert.Equal("1.2.3.4", (await Answerer.AskAsync(site.Client, Client4, "30.0.0.2", 80, tcp: true))?.Seen.Address.ToString());
        Assert.Contains("ex_ctl is a word of the tool that made cnat's documentation",
            await SayAsync("snat exclude 20::/100 ex_ctl _calico_master", expected: 2), StringComparison.Ordinal);
        Assert.Contains("cant is a slip", await SayAsync("cant show translation", expected: 2), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task Source_NAT_in_VPPs_words_gives_what_comes_in_by_an_interface_another_source_but_for_what_is_excluded()
    {
        await site.StartAsync(On);
        var lines = await site.LinesAsync([
            "cnat snat with 30::1", "cnat snat with 30.0.0.1", "set interface feature c0 ip6-cnat-snat arc ip6-unicast",
            $"cnat snat exclude {Backend(1, true)}/128", $"cnat snat exclude {Backend(1, false)}/32",
        ]);
        Assert.True(lines.Good, lines.ToString());
        foreach (var six in Families)
        {
            Assert.Equal(six ? "30::1" : "30.0.0.1", await SeenByAsync(0, six));
            Assert.Equal(Client(six), await SeenByAsync(1, six));
            var told = await AskAsync($"explain {End(Client(six), 26000)} {Backend(0, six)} tcp:{Port} in c0");
            Assert.Equal((six ? "30::1" : "30.0.0.1", true), ((string?)told["as"], (bool)told["sourceTranslated"]!));
        }
        Assert.Contains("include    c0", await SayAsync("show snat"), StringComparison.Ordinal);
        await SayAsync($"snat exclude del {Backend(1, true)}/128");
        Assert.Equal("30::1", await SeenByAsync(1, six: true));
        using (var begun = await Answerer.ConnectAsync(site.Client, Client4, Backend(2, false), Port, seconds: Patience))
        {
            Assert.Equal("30.0.0.1", (await Answerer.AnswerAsync(begun, seconds: Patience)).Seen.Address.ToString());
            Assert.Contains("; 1 connection ended", await SayAsync($"snat exclude {Backend(2, false)}/32 cut"), StringComparison.Ordinal);
            Assert.False(await begun.GoesOnAsync(5));
        }
        Assert.Equal(Client4, await SeenByAsync(2, six: false));
        await SayAsync("purge");
        foreach (var six in Families) Assert.Equal(Client(six), await SeenByAsync(0, six));

        async Task<string?> SeenByAsync(int backend, bool six) =>
            (await Answerer.AskAsync(site.Client, Client(six), Backend(backend, six), Port, tcp: true))?.Seen.Address.ToString();
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task What_is_saved_is_in_force_when_the_daemon_starts_again_and_its_connections_go_on()
    {
        await site.StartAsync(On);
        var saved = await SayAsync($"translation add proto tcp vip {Vip4} 80 to ->{Backend(0, false)} {Port} --save");
        Assert.Contains($"saved in {site.SavedIn}, which is bgpd's own", saved, StringComparison.Ordinal);
        await SayAsync($"translation add proto tcp vip {Vip4} 81 to ->{Backend(1, false)} {Port}");
        await SayAsync("snat exclude 20::/100 --save");
        using var socket = await Answerer.ConnectAsync(site.Client, Client4, Vip4, 80, seconds: Patience);
        await Answerer.AnswerAsync(socket, seconds: Patience);
        await site.KillAsync();
        await StartAgainAsync();
        var row = Assert.Single((await AskAsync("show translation"))["translations"]!.AsArray())!;
        Assert.Equal((80, true), ((int)row["translation"]!["port"]!, (bool)row["saved"]!));
        Assert.Contains("exclude 20::/100", await SayAsync("show snat"), StringComparison.Ordinal);
        Assert.True(await socket.GoesOnAsync());
        Assert.Equal(Backend(0, false), (await Answerer.AskAsync(site.Client, Client4, Vip4, 80, tcp: true))?.Server);

        await site.KillAsync();
        await File.WriteAllTextAsync(site.SavedIn, "half of it {");
        await StartAgainAsync();
        Assert.Equal("no translations\n", await SayAsync("show translation"));
        Assert.Contains("is left as it is, and nothing is saved", await site.LogAsync(), StringComparison.Ordinal);
        Assert.Equal("half of it {", await File.ReadAllTextAsync(site.SavedIn));
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task What_was_said_goes_over_to_the_process_that_takes_over_saved_or_not()
    {
        await site.StartAsync(On);
        await SayAsync($"translation add proto tcp vip {Vip4} 80 to ->{Backend(0, false)} {Port} --save");
        await SayAsync($"translation add proto tcp vip {Vip4} 81 to ->{Backend(1, false)} {Port}");
        await SayAsync("snat exclude 20::/100");
        using var socket = await Answerer.ConnectAsync(site.Client, Client4, Vip4, 81, seconds: Patience);
        await Answerer.AnswerAsync(socket, seconds: Patience);
        await site.UpgradeAsync();
        var rows = (await AskAsync("show translation"))["translations"]!.AsArray();
        Assert.Equal([(80, true), (81, false)],
            rows.Select(row => ((int)row!["translation"]!["port"]!, (bool)row["saved"]!)).Order());
        Assert.Contains("exclude 20::/100", await SayAsync("show snat"), StringComparison.Ordinal);
        Assert.True(await socket.GoesOnAsync());
        Assert.Equal(Backend(1, false), (await Answerer.AskAsync(site.Client, Client4, Vip4, 81, tcp: true))?.Server);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task Connections_live_as_long_as_their_translation_says_and_those_of_others_as_the_kernel_has_it()
    {
        string Of(string protocol, int port, bool six, string more) => $"    - {{ protocol: {protocol}, vip: \"{Vip(six)}\", port: {port}, "
            + $"{more}backends: [{{ to: \"{End(Backend(0, six), Port)}\" }}] }}\n";
        await site.StartAsync("services:\n  translations:\n" + string.Concat(Families.Select(six =>
            Of("tcp", 80, six, "timeouts: { tcp: 2h, other: 10m }, ") + Of("udp", 80, six, "timeouts: { other: 10m }, ")
            + Of("tcp", 81, six, "") + Of("udp", 81, six, ""))));
        foreach (var six in Families)
            foreach (var from in (Netns[])[site.Client, site.Node])
                foreach (var port in (int[])[80, 81])
                {
                    var (source, ports) = (from == site.Client ? Client(six) : six ? Node6 : Node4, 30000 + port);
                    using var tcp = await Answerer.ConnectAsync(from, source, Vip(six), port, sourcePort: ports, seconds: Patience);
                    await Answerer.AnswerAsync(tcp, seconds: Patience);
                    Assert.NotNull(await Answerer.AskAsync(from, source, Vip(six), port, tcp: false, sourcePort: ports));
                    double Left(string protocol, JsonNode sessions) => (double)sessions["sessions"]!.AsArray()
                        .Single(one => (string)one!["protocol"]! == protocol && (string)one["source"]! == End(source, ports))!["left"]!;
                    var now = await AskAsync($"show session ip {source} port {ports}");
                    var (established, answered) = (Left("tcp", now), Left("udp", now));
                    if (port == 80) Assert.True(established is > 600 and <= 7200 && answered is > 0 and <= 600, now.ToJsonString());
                    else Assert.True(established > 7200 && answered > 600, now.ToJsonString());
                }
        Assert.True((await site.Node.RunAsync("nft", "list", "ruleset")).Good);
        Assert.True((await site.Node.RunAsync("nft", "-j", "list", "ruleset")).Good);
        await site.ReloadAsync(On);
        Assert.DoesNotContain("ct timeout", await site.ListAsync(), StringComparison.Ordinal);
    }

    /// <summary>Its table is there from before.</summary>
    private async Task StartAgainAsync()
    {
        await site.StartAsync(On);
        await Until.TrueAsync("services are on",
            async () => (await site.CnatAsync("show", "translation", "--json")).Output.Contains("\"enabled\":true"),
            Patience, site.LogAsync);
    }

    /// <summary>Connections to both protocols of both families, whose ports are told apart.</summary>
    private async Task<Dictionary<string, Socket>> ConnectAsync()
    {
        var sockets = new Dictionary<string, Socket>();
        foreach (var six in Families)
            for (var port = 22000; port < 22003; port++)
            {
                var socket = await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), 80, sourcePort: port, seconds: Patience);
                await Answerer.AnswerAsync(socket, seconds: Patience);
                // After this all is acknowledged, and nobody speaks by himself.
                Assert.True(await socket.GoesOnAsync());
                sockets.Add(End(Client(six), port), socket);
            }
        return sockets;
    }

    private static void AssertSame(IEnumerable<string> expected, IEnumerable<string> actual) =>
        Assert.Equal(expected.Order(), actual.Order());

    /// <summary>The kernel's numbers of the sessions that are there, by who asks.</summary>
    private async Task<Dictionary<string, long>> SessionsAsync(string filter = "") =>
        (await AskAsync($"show session max 1000{filter}"))["sessions"]!.AsArray()
            .ToDictionary(one => (string)one!["source"]!, one => (long)one!["id"]!);

    private async Task<DateTimeOffset> BeginAsync(string client)
    {
        var sessions = (await AskAsync("show session max 1000"))["sessions"]!.AsArray();
        var one = sessions.Single(one => (string?)one!["source"] == client)!;
        return DateTimeOffset.Parse((string)one["since"]!, CultureInfo.InvariantCulture);
    }

    private static string Both(string protocol, int port) => string.Concat(Families.Select(six =>
        $"translation add proto {protocol} vip {Vip(six)} {port}"
        + string.Concat(Enumerable.Range(0, 3).Select(i => $" to ->{Backend(i, six)} {Port}")) + "\n"));

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task One_session_some_or_all_are_ended_and_the_others_live_on()
    {
        await site.StartAsync(On);
        var added = await site.LinesAsync([Both("tcp", 80) + Both("udp", 53).TrimEnd()]);
        Assert.True(added.Good, added.ToString());
        var sockets = await ConnectAsync();
        foreach (var six in Families) Assert.NotNull(await Answerer.AskAsync(site.Client, Client(six), Vip(six), 53, tcp: false, 23000));
        string[] udp = [End(Client4, 23000), End(Client6, 23000)];
        var before = await SessionsAsync();
        AssertSame([.. sockets.Keys, .. udp], before.Keys);
        AssertSame(sockets.Keys, (await SessionsAsync(" proto tcp")).Keys);

        var one = sockets.Keys.First();
        var began = await BeginAsync(one);
        Assert.Equal("1 session ended\n", await SayAsync($"session purge {before[one]}"));
        var after = await SessionsAsync();
        Assert.False(after.ContainsKey(one));
        Assert.Equal(before.Where(session => session.Key != one).ToDictionary(), after);
        foreach (var socket in sockets.Values) Assert.True(await socket.GoesOnAsync());
        // What it says next is the first packet of another session, which the kernel may give the number of the one before.
        AssertSame(before.Keys, (await SessionsAsync()).Keys);
        Assert.True(await BeginAsync(one) > began);

        Assert.Equal("1 session ended\n", await SayAsync($"session purge proto udp ip {Client6}"));
        AssertSame([.. sockets.Keys, udp[0]], (await SessionsAsync()).Keys);
        Assert.Equal("3 sessions ended\n", await SayAsync("session purge translation 1"));
        AssertSame([.. sockets.Keys.Where(client => client.StartsWith(Client4, StringComparison.Ordinal)), udp[0]],
            (await SessionsAsync()).Keys);
        Assert.Equal("4 sessions ended\n", await SayAsync("session purge"));
        Assert.Equal("no sessions\n", await SayAsync("show session"));
        Assert.Equal(4, (await AskAsync("show translation"))["translations"]!.AsArray().Count);

        foreach (var socket in sockets.Values) Assert.True(await socket.GoesOnAsync());
        Assert.Contains("translations 0, 1, 2, 3 are gone", await SayAsync("purge"), StringComparison.Ordinal);
        Assert.Equal("no translations\n", await SayAsync("show translation"));
        foreach (var socket in sockets.Values) Assert.False(await socket.GoesOnAsync(2));
        foreach (var socket in sockets.Values) socket.Dispose();
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task The_backend_that_explain_says_is_the_one_that_is_reached()
    {
        const int flows = 40;
        await site.StartAsync(On);
        string Three(bool six, string from = "") =>
            string.Concat(Enumerable.Range(0, 3).Select(i => $" to {from}->{Backend(i, six)} {Port}"));
        string[] translations = [.. Families.SelectMany(six => (string[])
        [
            $"translation add proto tcp vip {Vip(six)} 80{Three(six)} weight 3",
            $"translation add proto udp vip {Vip(six)} 53{Three(six, six ? "fd01::77" : "10.1.0.77")}",
            $"translation add proto tcp vip {Vip(six)} 81 maglev flow-hash source,sourcePort{Three(six)}",
        ])];
        Assert.True((await site.LinesAsync(translations)).Good);
        await site.Node.IpAsync("addr add 10.1.0.77/32 dev lo");
        await site.Node.IpAsync("addr add fd01::77/128 dev lo");
        var asked = new List<(bool Six, bool Tcp, int Port, int SourcePort)>();
        foreach (var six in Families)
            foreach (var port in (int[])[80, 53, 81])
                for (var i = 0; i < flows; i++) asked.Add((six, port != 53, port, 24000 + (port * 100) + i));
        var told = await site.LinesAsync(asked.Select(one =>
            $"explain {End(Client(one.Six), one.SourcePort)} {Vip(one.Six)} {(one.Tcp ? "tcp" : "udp")}:{one.Port}"), "--json");
        Assert.True(told.Good, told.ToString());
        var answers = told.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(asked.Count, answers.Length);
        var reached = new HashSet<string>();
        foreach (var (one, answer) in asked.Zip(answers))
        {
            using var socket = await Answerer.ConnectAsync(
                site.Client, Client(one.Six), Vip(one.Six), one.Port, one.Tcp, one.SourcePort, Patience);
            var (server, seen) = await Answerer.AnswerAsync(socket, one.Tcp ? 0 : 1, Patience);
            Assert.Equal(End(server, Port), (string?)answer["backend"]);
            Assert.Equal(one.Tcp ? End(seen.Address.ToString(), seen.Port) : seen.Address.ToString(), (string?)answer["as"]);
            reached.Add($"{one.Port} {server}");
        }
        Assert.Equal(3 * 6, reached.Count);
        await SayWhatElseAsync();
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task The_backend_that_a_client_keeps_is_the_one_that_explain_says()
    {
        string Kept(bool six, Func<int, int> weight) => $"    - {{ protocol: tcp, vip: \"{Vip(six)}\", port: 80, affinity: 1h, backends: ["
            + string.Join(", ", Enumerable.Range(0, 3).Select(i => $"{{ to: \"{End(Backend(i, six), Port)}\", weight: {weight(i)} }}"))
            + "] }\n";
        string Config(Func<bool, int, int> weight) => "services:\n  translations:\n"
            + string.Concat(Families.Select(six => Kept(six, i => weight(six, i))));
        async Task<string?> ToldAsync(bool six) => (string?)(await AskAsync($"explain {Client(six)} {Vip(six)} tcp:80"))["backend"];
        async Task<string> ReachedAsync(bool six) =>
            (await Answerer.AskAsync(site.Client, Client(six), Vip(six), 80, tcp: true))!.Server;
        await site.StartAsync(Config((_, _) => 1));
        var kept = new Dictionary<bool, string>();
        foreach (var six in Families)
        {
            var told = await ToldAsync(six);
            kept[six] = await ReachedAsync(six);
            Assert.Equal(End(kept[six], Port), told);
        }
        // By the hash of their addresses they would go elsewhere now.
        await site.ReloadAsync(Config((six, i) => Backend(i, six) == kept[six] ? 1 : 100));
        foreach (var six in Families)
        {
            Assert.Equal(End(kept[six], Port), await ToldAsync(six));
            Assert.Equal(kept[six], await ReachedAsync(six));
        }
    }

    /// <summary>A session that is there; what nobody takes; what is not known.</summary>
    private async Task SayWhatElseAsync()
    {
        using var socket = await Answerer.ConnectAsync(site.Client, Client4, Vip4, 80, sourcePort: 25500, seconds: Patience);
        var server = (await Answerer.AnswerAsync(socket, seconds: Patience)).Server;
        var known = await AskAsync($"explain {Client4}:25500 {Vip4} tcp:80");
        Assert.Equal(End(server, Port), (string?)known["session"]!["backend"]);
        Assert.Contains($"it goes to {server}:8080, as {Client4}:25500", await SayAsync($"explain {Client4}:25500 {Vip4} tcp:80"),
            StringComparison.Ordinal);
        Assert.Equal("dropped", (string?)(await AskAsync($"explain {Client4} {Vip4} tcp:6666"))["verdict"]);
        Assert.Equal("passes", (string?)(await AskAsync($"explain {Client4} {Backend(0, false)} tcp:8080"))["verdict"]);
        Assert.StartsWith("it depends on the source port, which chooses one of", await SayAsync($"explain {Client4} {Vip4} tcp:80"),
            StringComparison.Ordinal);
    }
}
