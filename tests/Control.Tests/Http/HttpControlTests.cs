using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Calico.Bgp.Control.Http;
using Calico.Bgp.Speaker;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class HttpControlTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task Live_says_so_while_the_loops_answer() => Assert.True((bool)(await lab.JsonAsync("/live"))["live"]!);

    [Fact]
    public async Task A_loop_that_has_met_a_defect_is_not_live()
    {
        var loop = lab.Loops.Start("dataplane", Net.OnDefect.EndProcess, _ => throw new InvalidOperationException("broken"));
        await loop.Ended;
        using var answer = await lab.Unix.GetAsync("/live");
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, """{"live":false,"reason":"the loop dataplane has ended on a defect"}"""),
            (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Contains(
            "calico_bgp_loop_defects_total{loop=\"dataplane\"} 1", await lab.Unix.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_that_does_not_answer_is_not_live()
    {
        lab.Speaker.Hangs = true;
        await using var server = Server($"unix:{lab.Socket}.hasty", new HastyClock());
        await server.StartAsync();
        using var client = HttpLab.Client($"{lab.Socket}.hasty");
        using var answer = await client.GetAsync("/live");
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, """{"live":false,"reason":"the routing loop has not answered for 5 s"}"""),
            (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    /// <summary>DNS rebinding: a browser asks our address under a page's own name.</summary>
    [Theory]
    [InlineData("evil.example", null, HttpStatusCode.MisdirectedRequest, "foreignHost")]
    [InlineData("evil.example:9179", null, HttpStatusCode.MisdirectedRequest, "foreignHost")]
    [InlineData("localhost.evil.example", null, HttpStatusCode.MisdirectedRequest, "foreignHost")]
    [InlineData("127.0.0.1:9179", "http://evil.example", HttpStatusCode.Forbidden, "foreignOrigin")]
    [InlineData("127.0.0.1:9179", "null", HttpStatusCode.Forbidden, "foreignOrigin")]
    public async Task A_port_does_not_answer_under_other_names_nor_to_other_pages(
        string host, string? origin, HttpStatusCode status, string code)
    {
        using var answer = await lab.Tcp.SendAsync(Asking(host, origin));
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(code, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["code"]);
    }

    [Theory]
    [InlineData("localhost", null)]
    [InlineData("LOCALHOST:9179", "http://localhost:3000")]
    [InlineData("192.0.2.7:9179", null)]
    [InlineData("[2001:db8::1]:9179", "http://[2001:db8::1]:9179")]
    [InlineData("kube-master", null)]
    [InlineData("bgpd.lab.example", null)]
    public async Task A_port_answers_under_addresses_and_its_own_names(string host, string? origin)
    {
        using var answer = await lab.Tcp.SendAsync(Asking(host, origin));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task The_Unix_socket_answers_under_any_name()
    {
        using var answer = await lab.Unix.SendAsync(Asking("evil.example", "http://evil.example"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static HttpRequestMessage Asking(string host, string? origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/ready");
        request.Headers.Host = host;
        if (origin != null) request.Headers.Add("Origin", origin);
        return request;
    }

    [Fact]
    public async Task Probes_may_ask_by_HEAD()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/ready");
        Assert.Equal(HttpStatusCode.OK, (await lab.Tcp.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Ready_says_so_once_the_tables_are_exchanged() => Assert.True((bool)(await lab.JsonAsync("/ready"))["ready"]!);

    [Fact]
    public async Task Not_ready_names_the_peers_it_waits_for()
    {
        lab.Speaker.Ready = false;
        var answer = await lab.JsonAsync("/ready", HttpStatusCode.ServiceUnavailable);
        Assert.Equal("waiting for node2 (active)", (string?)answer["reason"]);
        lab.Speaker.Awaited = ["tor1", "node2"];
        answer = await lab.JsonAsync("/ready", HttpStatusCode.ServiceUnavailable);
        Assert.Equal("waiting for tor1 (its first table), node2 (active)", (string?)answer["reason"]);
    }

    [Fact]
    public async Task Status_counts_sessions_and_names_the_file()
    {
        var status = await lab.JsonAsync("/v1/status");
        Assert.Equal(
            ("10.192.0.2", 64512, 4, 3, 2, "/etc/bgpd/bgpd.yaml"),
            ((string?)status["routerId"], (int)status["as"]!, (int)status["sessions"]!["configured"]!, (int)status["sessions"]!["enabled"]!,
                (int)status["sessions"]!["established"]!, (string?)status["configFile"]));
    }

    [Fact]
    public async Task A_peer_is_found_by_its_name_or_its_address()
    {
        var byName = await lab.JsonAsync("/v1/peers/tor1");
        var byAddress = await lab.JsonAsync("/v1/peers/10.192.0.254");
        Assert.Equal(byName.ToJsonString(), byAddress.ToJsonString());
    }

    [Fact]
    public async Task A_peers_password_is_never_told()
    {
        var text = (await lab.JsonAsync("/v1/peers/tor1")).ToJsonString();
        Assert.True(text.Contains("\"authenticated\":true") && !text.Contains("secret"), text);
    }

    [Fact]
    public async Task An_unknown_peer_is_answered_with_the_known_names()
    {
        var answer = await lab.JsonAsync("/v1/peers/tor7", HttpStatusCode.NotFound);
        Assert.Equal("expected the name of a peer (tor1, node2, new-tor, off), got \"tor7\"", (string?)answer["message"]);
    }

    [Fact]
    public async Task An_unknown_path_is_answered_with_the_known_ones()
    {
        var answer = await lab.JsonAsync("/v2", HttpStatusCode.NotFound);
        Assert.StartsWith("expected one of /live, /ready", (string?)answer["message"]);
    }

    [Fact]
    public async Task The_wrong_method_is_told_the_right_one()
    {
        using var answer = await lab.Unix.GetAsync("/v1/reload");
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "POST"), (answer.StatusCode, answer.Content.Headers.Allow.Single()));
    }

    [Theory]
    [InlineData("enable", "enable tor1")]
    [InlineData("disable?text=new%20cable", "disable tor1 new cable")]
    [InlineData("restart", "restart tor1")]
    [InlineData("reload-in", "reload tor1 In")]
    [InlineData("reload-out", "reload tor1 Out")]
    public async Task Orders_on_the_unix_socket_reach_the_speaker(string order, string expected)
    {
        using var answer = await lab.Unix.PostAsync($"/v1/peers/tor1/{order}", null);
        Assert.Equal((HttpStatusCode.OK, expected), (answer.StatusCode, lab.Speaker.Orders.Single()));
    }

    [Theory]
    [InlineData("drain", HttpStatusCode.OK, "drain all 60")]
    [InlineData("drain?peer=tor1&wait=90&text=new%20cable", HttpStatusCode.OK, "drain tor1 90 new cable")]
    [InlineData("undrain?peer=10.192.0.254", HttpStatusCode.OK, "undrain tor1")]
    [InlineData("undrain", HttpStatusCode.OK, "undrain all")]
    [InlineData("drain?peer=tor9", HttpStatusCode.NotFound, null)]
    [InlineData("drain?wait=soon", HttpStatusCode.BadRequest, null)]
    [InlineData("drain?wait=-1", HttpStatusCode.BadRequest, null)]
    [InlineData("undrain?wait=1", HttpStatusCode.BadRequest, null)]
    public async Task A_drain_is_of_one_peer_or_of_all(string order, HttpStatusCode status, string? expected)
    {
        using var answer = await lab.Unix.PostAsync($"/v1/{order}", null);
        Assert.Equal((status, expected), (answer.StatusCode, lab.Speaker.Orders.SingleOrDefault()));
    }

    /// <summary>Whoever has asked has the answer before this process gives way.</summary>
    [Theory]
    [InlineData("upgrade", "upgrade  60")]
    [InlineData("upgrade?binary=/opt/bgpd%202", "upgrade /opt/bgpd 2 60")]
    [InlineData("upgrade?binary=/opt/bgpd&within=1500ms", "upgrade /opt/bgpd 1.5")]
    [InlineData("upgrade?within=1h", "upgrade  3600")]
    public async Task After_an_upgrade_this_process_gives_way(string order, string expected)
    {
        lab.Daemon.Upgrade = new(null) { Process = 4711, Release = "0.3.0", Sessions = 2, Took = TimeSpan.FromSeconds(1.5) };
        using var answer = await lab.Unix.PostAsync($"/v1/{order}", null);
        Assert.Equal(
            (HttpStatusCode.OK, """{"process":4711,"release":"0.3.0","sessions":2,"seconds":1.5}"""),
            (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal([expected, "give way"], lab.Daemon.Orders);
        await lab.Daemon.Answered!.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task An_upgrade_that_was_refused_says_why_and_this_process_stays()
    {
        using var answer = await lab.Unix.PostAsync("/v1/upgrade?binary=/tmp/new", null);
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(
            (HttpStatusCode.Conflict, "notUpgraded", "/tmp/new cannot be run: Permission denied"),
            (answer.StatusCode, (string?)said["code"], (string?)said["message"]));
        Assert.Equal(["upgrade /tmp/new 60"], lab.Daemon.Orders);
    }

    [Theory]
    [InlineData("/v1/upgrade?within=0s", "within")]
    [InlineData("/v1/upgrade?within=-1s", "within")]
    [InlineData("/v1/upgrade?within=61m", "within")]
    [InlineData("/v1/upgrade?within=soon", "within")]
    [InlineData("/v1/upgrade?within=", "within")]
    [InlineData("/v1/upgrade?binaary=/opt/bgpd", "binaary")]
    public async Task An_upgrade_that_is_misspelt_is_none(string path, string where)
    {
        using var answer = await lab.Unix.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(where, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["where"]);
        Assert.Empty(lab.Daemon.Orders);
    }

    private static StringContent Json(string body) => new(body, System.Text.Encoding.UTF8, "application/json");

    [Fact]
    public async Task A_program_announces_a_route_and_takes_it_back()
    {
        const string body = """
            {"prefix": "192.0.2.1/32", "ttl": "10s", "nextHop": "10.0.0.9", "communities": ["65001:5", "no-export", "1:2:3"],
             "localPref": 300, "med": 7, "producer": "metallb"}
            """;
        using var answer = await lab.Unix.PostAsync("/v1/routes", Json(body));
        Assert.Equal("""{"prefix":"192.0.2.1/32","producer":"metallb","ttl":10}""", await answer.Content.ReadAsStringAsync());
        var asked = Assert.Single(lab.Speaker.Orders);
        Assert.StartsWith("announce metallb 192.0.2.1/32 00:00:10 ", asked, StringComparison.Ordinal);
        foreach (var part in (string[])["NextHop = 10.0.0.9", "[65001:5, 65535:65281]", "[1:2:3]", "LocalPref = 300", "Med = 7"])
            Assert.Contains(part, asked, StringComparison.Ordinal);
        using var gone = await lab.Unix.DeleteAsync("/v1/routes?prefix=192.0.2.1/32&producer=metallb");
        Assert.Equal("withdraw metallb 192.0.2.1/32", lab.Speaker.Orders.Last());
        Assert.Equal(HttpStatusCode.OK, gone.StatusCode);
        using var unknown = await lab.Unix.DeleteAsync("/v1/routes?prefix=192.0.2.1/32&producer=nobody");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Theory]
    [InlineData("", "expected JSON")]
    [InlineData("[]", "expected an object with the key prefix, got []")]
    [InlineData("{}", "expected the key prefix")]
    [InlineData("""{"prefix": 7}""", "expected a text for prefix, got 7")]
    [InlineData("""{"prefix": "192.0.2.1/24"}""", "expected no host bits in a prefix (192.0.2.0/24)")]
    [InlineData("""{"prefix": "224.0.0.0/4"}""", "expected a prefix that can be announced")]
    [InlineData("""{"prefix": "192.0.2.1/32", "tll": "10s"}""", "got \"tll\"")]
    [InlineData("""{"prefix": "192.0.2.1/32", "ttl": "0s"}""", "expected a time from 1s to 720h")]
    [InlineData("""{"prefix": "192.0.2.1/32", "ttl": "soon"}""", "got \"soon\"")]
    [InlineData("""{"prefix": "192.0.2.1/32", "nextHop": "fe80::1"}""", "not link-local")]
    [InlineData("""{"prefix": "2001:db8::/64", "nextHop": "10.0.0.1"}""", "for IPv6 an IPv6 one")]
    [InlineData("""{"prefix": "192.0.2.1/32", "communities": "65001:5"}""", "expected a list")]
    [InlineData("""{"prefix": "192.0.2.1/32", "communities": ["65001:*"]}""", "expected a community such as")]
    [InlineData("""{"prefix": "192.0.2.1/32", "localPref": -1}""", "expected a number from 0 to 4294967295 for localPref, got -1")]
    [InlineData("""{"prefix": "192.0.2.1/32", "producer": "a b"}""", "expected a name of at most 32 letters")]
    public async Task Nonsense_about_a_route_is_refused_in_words(string body, string words)
    {
        using var answer = await lab.Unix.PostAsync("/v1/routes", Json(body));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal("badBody", (string?)error["code"]);
        Assert.Contains(words, (string?)error["message"], StringComparison.Ordinal);
        Assert.Empty(lab.Speaker.Orders);
    }

    [Fact]
    public async Task A_body_that_is_longer_than_any_route_is_no_defect_of_ours()
    {
        var body = $$"""{"prefix": "192.0.2.1/32", "producer": "{{new string('x', 70000)}}"}""";
        // It is refused by what is said of its length, and whoever is still sending it then finds a closed door instead of the answer.
        using var asked = new HttpRequestMessage(HttpMethod.Post, "/v1/routes") { Content = Json(body) };
        asked.Headers.ExpectContinue = true;
        using var answer = await lab.Unix.SendAsync(asked);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public void No_octets_make_the_reader_of_routes_throw() => Prop.ForAll<byte[], int>((octets, at) =>
    {
        var body = """{"prefix": "192.0.2.1/32", "ttl": "10s", "communities": ["1:2", "\ud800"], "med": 7, "producer": "a"}"""u8.ToArray();
        foreach (var octet in octets) body[(at++ & int.MaxValue) % body.Length] = octet;
        LeaseRequest.Read(body, out _);
        LeaseRequest.Read(octets, out _);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task A_quota_and_a_port_refuse_routes()
    {
        using var over = await lab.Unix.PostAsync("/v1/routes", Json("""{"prefix": "192.0.2.1/32", "producer": "greedy"}"""));
        Assert.Equal(HttpStatusCode.Forbidden, over.StatusCode);
        Assert.Contains("greedy has enough", await over.Content.ReadAsStringAsync());
        using var port = await lab.Tcp.PostAsync("/v1/routes", Json("""{"prefix": "192.0.2.1/32"}"""));
        using var gone = await lab.Tcp.DeleteAsync("/v1/routes?prefix=192.0.2.1/32");
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (port.StatusCode, gone.StatusCode));
        Assert.Single(lab.Speaker.Orders);
    }

    [Theory]
    [InlineData("/v1/reload")]
    [InlineData("/v1/drain")]
    [InlineData("/v1/upgrade")]
    [InlineData("/v1/peers/tor1/disable")]
    public async Task Orders_on_a_port_are_refused(string path)
    {
        using var answer = await lab.Tcp.PostAsync(path, null);
        Assert.Equal((HttpStatusCode.Forbidden, 0), (answer.StatusCode, lab.Speaker.Orders.Count + lab.Daemon.Orders.Count));
    }

    [Fact]
    public async Task A_port_may_look() => Assert.Equal(HttpStatusCode.OK, (await lab.Tcp.GetAsync("/v1/peers")).StatusCode);

    [Fact]
    public async Task Reload_lists_what_changed()
    {
        using var answer = await lab.Unix.PostAsync("/v1/reload", null);
        var changes = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["changes"]!.AsArray();
        Assert.Equal(["peer tor1: import accept -> only-default", "peer tor9: added"], changes.Select(change => (string?)change));
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_comes_back_as_an_error()
    {
        lab.Daemon.Result = ConfigureResult.Refused(
            new("bgpd.yaml:3:5", "expected a number"), new ConfigureProblem("bgpd.yaml:9:1", "expected peers"));
        using var answer = await lab.Unix.PostAsync("/v1/reload", null);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        const string Message = "bgpd.yaml:3:5: expected a number\\nbgpd.yaml:9:1: expected peers";
        Assert.Equal(
            $$"""{"code":"configurationRefused","message":"{{Message}}","where":"bgpd.yaml:3:5"}""",
            await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/v1/reload?chek=true")]
    [InlineData("/v1/reload?check=yes")]
    [InlineData("/v1/peers/tor1/restart?txt=new%20cable")]
    public async Task An_order_with_a_word_that_is_not_known_is_not_obeyed(string path)
    {
        using var answer = await lab.Unix.PostAsync(path, null);
        Assert.Equal((HttpStatusCode.BadRequest, 0), (answer.StatusCode, lab.Speaker.Orders.Count + lab.Daemon.Orders.Count));
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void Only_owner_and_group_may_open_the_socket() => Assert.Equal(
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
        File.GetUnixFileMode(lab.Socket));

    [Fact]
    public async Task A_socket_where_somebody_answers_is_left_alone()
    {
        await using var second = Server($"unix:{lab.Socket}");
        var refused = await Assert.ThrowsAsync<IOException>(() => second.StartAsync());
        Assert.Equal($"control.http unix:{lab.Socket}: another process answers there; stop it or choose another path", refused.Message);
    }

    [Fact]
    public async Task A_socket_that_a_dead_daemon_left_is_replaced()
    {
        var path = $"{lab.Socket}.old";
        LeaveBehind(path);
        await using var server = Server($"unix:{path}");
        await server.StartAsync();
        using var client = HttpLab.Client(path);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/live")).StatusCode);
    }

    [Fact]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        var path = $"{lab.Socket}.txt";
        await File.WriteAllTextAsync(path, "precious");
        await using var server = Server($"unix:{path}");
        await Assert.ThrowsAsync<IOException>(() => server.StartAsync());
        Assert.Equal("precious", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_what_to_do()
    {
        var port = lab.Tcp.BaseAddress!.Port;
        await using var second = Server($"127.0.0.1:{port}");
        var refused = await Assert.ThrowsAsync<IOException>(() => second.StartAsync());
        Assert.Contains($"127.0.0.1:{port}: Address already in use; `ss -ltnp 'sport = :{port}'` shows who has the port", refused.Message);
    }

    [Fact]
    public async Task The_socket_is_gone_after_the_server()
    {
        var path = $"{lab.Socket}.2";
        var server = Server($"unix:{path}");
        await server.StartAsync();
        await server.DisposeAsync();
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("unix:relative.sock")]
    [InlineData("127.0.0.1")]
    [InlineData("example.net:80")]
    [InlineData("::1:80")]
    [InlineData("127.0.0.1:70000")]
    public void A_malformed_endpoint_is_told_what_was_expected(string text)
    {
        Assert.False(HttpEndpoint.TryParse(text, out _, out var problem));
        Assert.EndsWith($"got \"{text}\"", problem);
    }

    [Theory]
    [InlineData("unix:/run/bgpd/bgpd.sock")]
    [InlineData("127.0.0.1:9179")]
    [InlineData("[::1]:9179")]
    public void A_good_endpoint_is_written_as_it_was_read(string text)
    {
        Assert.True(HttpEndpoint.TryParse(text, out var endpoint, out _));
        Assert.Equal(text, endpoint.ToString());
    }

    private HttpControl Server(string endpoint, TimeProvider? time = null) =>
        new([endpoint], lab.Speaker, lab.Daemon, lab.Loops, time ?? TimeProvider.System, NullLoggerFactory.Instance);

    /// <summary>Every timer is due at once.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    // .NET removes the file of a socket that it closes; a killed process does not. So the file is moved away under the open socket.
    private static void LeaveBehind(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path + ".bound"));
        File.Move(path + ".bound", path);
    }
}
