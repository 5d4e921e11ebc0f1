using System.Net;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class CnatExplanationsTests : IAsyncLifetime
{
    private const string Path = "/v1/cnat/explain?src=10.0.0.9&sport=40001&dst=30.0.0.2&protocol=tcp&dport=80";

    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    private static BackendEnd End(string address, ushort? port) => new(TranslationPlace.Of(Address.Parse(address)), port);

    private static TranslationEnd To(string address, ushort port, params string[] dependsOn) => new(
        PacketVerdict.Accept, End(address, port), true, End("1.2.3.4", null), true, "chain svc-spread4-2-1f: dnat")
    {
        DependsOn = [.. dependsOn],
    };

    [Fact]
    public async Task The_backend_is_told_with_the_source_that_it_sees_and_the_session_that_is_there()
    {
        lab.Dataplane.Explanation = new(null, [To("20.0.0.1", 8080)])
        {
            Interface = "v0",
            Session = lab.Dataplane.Sessions[0],
            Trail = ["chain svc-prerouting: vmap"],
        };
        var told = await lab.JsonAsync(Path);
        Assert.Equal(7, (int)told["session"]!["id"]!);
        told["session"] = null;
        Assert.Equal(
            """
            {"translation":null,"verdict":"passes","backend":"20.0.0.1:8080","as":"1.2.3.4","sourceTranslated":true,"interface":"v0",
            "rule":"chain svc-spread4-2-1f: dnat","ways":[],"session":null,"trail":["chain svc-prerouting: vmap"]}
            """.ReplaceLineEndings(""),
            told.ToJsonString());
        Assert.Equal("10.0.0.9:40001 30.0.0.2:80 Tcp", lab.Dataplane.Explained);
    }

    [Fact]
    public async Task Where_it_depends_each_way_is_told_with_what_it_depends_on()
    {
        lab.Dataplane.Explanation = new(null,
        [
            To("20.0.0.1", 8080, "the interface (iifname eth0)"),
            To("20.0.0.2", 8080, "the interface (not iifname eth0)") with { Verdict = PacketVerdict.Drop },
        ]);
        var told = await lab.JsonAsync(Path);
        Assert.Equal(("depends", null, null), ((string?)told["verdict"], (string?)told["backend"], (string?)told["rule"]));
        Assert.Equal(
            ["passes 20.0.0.1:8080 1.2.3.4 the interface (iifname eth0)", "dropped 20.0.0.2:8080  the interface (not iifname eth0)"],
            told["ways"]!.AsArray().Select(way => $"{way!["verdict"]} {way["backend"]} {way["as"]} {way["dependsOn"]![0]}"));
    }

    [Fact]
    public async Task What_cannot_be_told_any_further_depends_though_it_is_one_way()
    {
        lab.Dataplane.Explanation = new(null,
            [To("30.0.0.2", 80, "the source port, which chooses one of 3") with { Verdict = PacketVerdict.Open, IsTranslated = false }]);
        var told = await lab.JsonAsync(Path);
        Assert.Equal(("depends", "depends", null), ((string?)told["verdict"], (string?)told["ways"]![0]!["verdict"],
            (string?)told["ways"]![0]!["backend"]));
    }

    [Fact]
    public async Task What_is_wrong_is_refused_and_without_services_the_answer_says_so()
    {
        Assert.Equal("sport", (string?)(await lab.JsonAsync(Path.Replace("40001", "web"), HttpStatusCode.BadRequest))["where"]);
        Assert.Equal("servicesOff", (string?)(await lab.JsonAsync(Path, HttpStatusCode.NotFound))["code"]);
    }

    [Theory]
    [InlineData("in")]
    [InlineData("out")]
    public async Task An_interface_that_is_not_there_is_a_mistake(string key)
    {
        lab.Dataplane.Explanation = new(null, [To("20.0.0.1", 8080)]);
        await lab.JsonAsync($"{Path}&{key}=eth0");
        var error = await lab.JsonAsync($"{Path}&{key}=nosuch", HttpStatusCode.BadRequest);
        Assert.Equal((key, "expected an interface of this host, got nosuch"), ((string?)error["where"], (string?)error["message"]));
    }

    [Fact]
    public async Task A_peer_that_the_resources_do_not_make_is_told_why()
    {
        var builder = new SnapshotBuilder(ResourceSnapshot.Empty);
        builder.Put(new(Kinds.Node, new("", "a")), new Node(new("a")));
        var peer = new BgpPeer(new("tor")) { PeerIP = new(Address.Parse("192.0.2.1"), null) };
        builder.Put(peer.Id, peer);
        using var plan = new PlanFollower(
            new SpeakerConfig { RouterId = new(1), As = new(64512), HostName = "a" }, new() { Node = "a" }, builder.Build([]));
        lab.Daemon.Planned = plan;
        Assert.EndsWith(", got \"tor\"; Node/a: has no address for BGP (projectcalico.org/IPv4Address, projectcalico.org/IPv6Address): "
            + "BGPPeers make no peers here", (string?)(await lab.JsonAsync("/v1/explain/peer/tor", HttpStatusCode.NotFound))["message"],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Service_is_explained_with_what_of_it_leads_to_another()
    {
        var builder = new SnapshotBuilder(ResourceSnapshot.Empty);
        foreach (var service in (Service[])[new(new("web", "shop")), new(new("more", "shop"))]) builder.Put(service.Id, service);
        using var plan = new PlanFollower(
            new SpeakerConfig { RouterId = new(1), As = new(64512), HostName = "a" }, new() { Node = "a" }, builder.Build([]));
        lab.Daemon.Planned = plan;
        var told = (await lab.JsonAsync("/v1/explain/service/shop/web"))["problems"]!.AsArray();
        Assert.Equal("it leads to another", (string?)Assert.Single(told));
        Assert.Null((await lab.JsonAsync("/v1/explain/service/shop/more"))["problems"]);
    }
}
