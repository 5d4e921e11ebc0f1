using System.Text.Json.Nodes;
using Calico.Bgp.Control.Status;
using Calico.Bgp.Control.Tests.Http;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Control.Tests.Status;

public class NodeStatusReportTests
{
    private const NodeStatusClasses All = NodeStatusClasses.Agent | NodeStatusClasses.BGP | NodeStatusClasses.Routes;

    private readonly FakeSpeaker speaker = new();

    private async Task<JsonNode> StatusAsync(NodeStatusClasses classes)
    {
        var report = await NodeStatusReport.MakeAsync(classes, speaker, CancellationToken.None);
        return JsonNode.Parse(report.Patch(FakeSpeaker.Now))!["status"]!;
    }

    [Fact]
    public async Task It_is_written_as_Calico_writes_it() => Golden.Check("status.json", Golden.Pretty(await StatusAsync(All)));

    [Theory]
    [InlineData(NodeStatusClasses.None, "")]
    [InlineData(NodeStatusClasses.Agent, "agent")]
    [InlineData(NodeStatusClasses.BGP, "bgp")]
    [InlineData(NodeStatusClasses.Routes, "routes")]
    public async Task A_class_that_is_not_asked_for_is_taken_away(NodeStatusClasses classes, string expected)
    {
        var status = (await StatusAsync(classes)).AsObject();
        Assert.Equal(["lastUpdated", "agent", "bgp", "routes"], status.Select(field => field.Key));
        Assert.Equal(expected, string.Join(' ', status.Skip(1).Where(field => field.Value != null).Select(field => field.Key)));
    }

    [Theory]
    [InlineData("Mesh_10_0_0_1", "NodeMesh")]
    [InlineData("Global_10_0_0_1", "GlobalPeer")]
    [InlineData("Node_10_0_0_1", "NodePeer")]
    [InlineData("Local_Workload_10_0_0_1", "NodePeer")]
    [InlineData("tor1", "NodePeer")]
    public async Task A_peer_is_of_the_type_that_its_name_says(string name, string type)
    {
        speaker.Protocols = [speaker.Protocols.First(protocol => protocol.Session != null) with { Name = name }];
        Assert.Equal(type, (string?)(await StatusAsync(NodeStatusClasses.BGP))["bgp"]!["peersV4"]![0]!["type"]);
    }

    [Fact]
    public async Task Agents_are_not_ready_before_the_daemon_is()
    {
        speaker.Ready = false;
        Assert.Equal("NotReady", (string?)(await StatusAsync(NodeStatusClasses.Agent))["agent"]!["birdV6"]!["state"]);
    }

    [Fact]
    public async Task A_large_table_is_told_in_part_and_not_read_to_its_end()
    {
        speaker.Batches = int.MaxValue;
        var routes = (await StatusAsync(NodeStatusClasses.Routes))["routes"]!;
        Assert.Equal(NodeStatusReport.MostRoutes, routes["routesV4"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_time_does_not_make_two_reports_differ()
    {
        var first = await NodeStatusReport.MakeAsync(All, speaker, CancellationToken.None);
        speaker.Router = speaker.Router with { Now = speaker.Router.Now.AddSeconds(10) };
        var second = await NodeStatusReport.MakeAsync(All, speaker, CancellationToken.None);
        Assert.Equal(first.Patch(FakeSpeaker.Now), second.Patch(FakeSpeaker.Now));
    }
}
