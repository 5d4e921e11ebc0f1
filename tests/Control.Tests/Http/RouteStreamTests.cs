using System.Net;
using System.Text.Json.Nodes;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class RouteStreamTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task Routes_come_as_one_array() => Assert.Equal(7, (await lab.JsonAsync("/v1/routes")).AsArray().Count);

    [Fact]
    public async Task No_routes_are_an_empty_array()
    {
        lab.Speaker.Table = [];
        Assert.Empty((await lab.JsonAsync("/v1/routes")).AsArray());
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("?prefix=192.0.2.0/24", true)]
    [InlineData("?prefix=192.0.2.7", true)]
    [InlineData("?prefix=192.0.0.0/16&scope=in", true)]
    [InlineData("?family=ipv6", false)]
    [InlineData("?prefix=198.51.100.0/24", false)]
    [InlineData("?protocol=tor1", false)]
    [InlineData("?selection=best", false)]
    public async Task An_own_route_that_waits_for_a_way_out_is_told_where_the_whole_table_is_asked_for(string query, bool told)
    {
        ConfiguredHop hop = new(new(Address.Parse("172.16.0.1"), 0), "eth9", "there is no interface eth9");
        lab.Speaker.ConfiguredRoutes = [new(Prefix.Parse("192.0.2.0/24"), RouteType.Unicast, "static1", [hop])];
        var dormant = (await lab.JsonAsync($"/v1/routes{query}")).AsArray().Where(route => (bool?)route!["dormant"] == true).ToArray();
        Assert.Equal(told ? ["waits for a way out: there is no interface eth9"] : [], dormant.Select(route => (string)route!["reason"]!));
    }

    [Fact]
    public async Task Ndjson_has_a_line_per_route()
    {
        var text = await lab.Unix.GetStringAsync("/v1/routes?format=ndjson");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var protocols = lines.Select(line => (string?)JsonNode.Parse(line)!["protocol"]);
        Assert.Equal(["tor1", "new-tor", "tor1", "tor1", "tor1", "static1", "new-tor"], protocols);
    }

    [Fact]
    public async Task Every_attribute_is_told()
    {
        var route = (await lab.JsonAsync("/v1/routes?prefix=0.0.0.0/0")).AsArray()[0]!["attributes"]!;
        Golden.Check("attributes.json", Golden.Pretty(route));
    }

    [Fact]
    public async Task A_route_without_attributes_has_null()
    {
        var route = (await lab.JsonAsync("/v1/routes?prefix=10.1.0.0/26")).AsArray()[0]!;
        Assert.Null(route["attributes"]);
    }

    [Fact]
    public async Task The_query_reaches_the_speaker_whole()
    {
        await lab.JsonAsync("/v1/routes?prefix=10.0.0.0/8&scope=in&family=ipv4&peer=10.192.0.254&protocol=tor1&selection=received");
        Assert.Equal(
            new RouteQuery(RouteSelection.Received, IpFamily.IPv4, Prefix.Parse("10.0.0.0/8"), PrefixScope.In, "tor1", "tor1"),
            lab.Speaker.LastQuery);
    }

    [Fact]
    public async Task An_address_asks_for_the_longest_match()
    {
        await lab.JsonAsync("/v1/routes?prefix=2001:db8::7");
        Assert.Equal(new RouteQuery(RouteSelection.All, null, Prefix.Parse("2001:db8::7/128"), PrefixScope.For), lab.Speaker.LastQuery);
    }

    [Theory]
    [InlineData("prefix=10.0.0/8", "expected a prefix such as 192.0.2.0/24 or an address, got \"10.0.0/8\"")]
    [InlineData("scope=under", "expected scope exact, for or in, got \"under\"")]
    [InlineData("selection=received", "expected peer=NAME beside this selection, got none")]
    [InlineData("perfix=10.0.0.0/8", "expected one of prefix, scope, family, protocol, peer, selection, format, got \"perfix\"")]
    public async Task A_wrong_query_is_told_what_was_expected(string query, string error)
    {
        var answer = await lab.JsonAsync($"/v1/routes?{query}", HttpStatusCode.BadRequest);
        Assert.Equal(error, (string?)answer["message"]);
    }

    [Fact]
    public async Task An_unknown_peer_is_answered_before_the_table_is_touched()
    {
        await lab.JsonAsync("/v1/routes?peer=nobody", HttpStatusCode.NotFound);
        Assert.Null(lab.Speaker.LastQuery);
    }

    [Theory]
    [InlineData("10.192.0.254")]
    [InlineData("tor1")]
    public async Task Who_brought_a_route_may_be_named_as_people_name_a_peer(string name)
    {
        await lab.JsonAsync($"/v1/routes?protocol={name}");
        Assert.Equal("tor1", lab.Speaker.LastQuery?.Protocol);
    }

    // 20,000 batches of 7 routes are some 80 MB of JSON; sockets and pipes hold a few hundred KB.
    [Fact]
    public async Task A_reader_who_stops_stops_the_table_walk()
    {
        lab.Speaker.Batches = 20_000;
        using var answer = await lab.Unix.GetAsync("/v1/routes", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[100]);
        Assert.InRange(lab.Speaker.BatchesTaken, 1, 10_000);
    }

    [Fact]
    public async Task The_kernels_routes_show_what_it_refused()
    {
        var routes = (await lab.JsonAsync("/v1/kernel/routes")).AsArray();
        var (problem, via) = ((string?)routes[1]!["problem"], (string?)routes[1]!["wanted"]!["nextHops"]![0]!["via"]);
        Assert.Equal(("Network is unreachable", "10.192.9.9"), (problem, via));
    }
}
