using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Control.Tests.Http;

public sealed partial class MetricsTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task Errors_of_each_kind_have_a_time_of_their_own()
    {
        const string Name = "calico_bgp_peer_last_error_timestamp_seconds";
        var text = await ScrapeAsync();
        var now = FakeSpeaker.Now.ToUnixTimeSeconds();
        Assert.Contains($"{Name}{{peer=\"node2\",kind=\"sent\"}} {now - 60}\n", text, StringComparison.Ordinal);
        Assert.Contains($"{Name}{{peer=\"node2\",kind=\"socket\"}} {now - 15}\n", text, StringComparison.Ordinal);
        Assert.Contains($"{Name}{{peer=\"tor1\",kind=\"received\"}} {now - 3725}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_type_is_that_of_the_text_format()
    {
        using var answer = await lab.Tcp.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task Every_line_is_lawful()
    {
        var lines = (await ScrapeAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain(lines, line => !Lawful().IsMatch(line));
    }

    [Fact]
    public async Task All_samples_of_a_metric_stand_together_below_its_type()
    {
        var current = "";
        var seen = new HashSet<string>();
        foreach (var line in (await ScrapeAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal)) Assert.True(seen.Add(current = line.Split(' ')[2]), line);
            else if (line[0] != '#') Assert.Equal(current, line.Split('{', ' ')[0]);
        }
    }

    [Fact]
    public async Task No_sample_comes_twice()
    {
        var samples = (await ScrapeAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')
            .Select(line => line[..line.LastIndexOf(' ')]).ToArray();
        Assert.Equal(samples.Distinct(), samples);
    }

    [Theory]
    [InlineData("""calico_bgp_bfd_session_up{peer="tor1"} 1""")]
    [InlineData("""calico_bgp_bfd_session_up{peer="node2"} 0""")]
    [InlineData("""calico_bgp_bfd_losses_total{peer="tor1"} 1""")]
    [InlineData("""calico_bgp_bfd_detection_time_seconds{peer="tor1"} 0.15""")]
    [InlineData("""bird_protocol_up{name="tor1",proto="BGP",ip_version="4","""
        + """import_filter="ACCEPT",export_filter="only-default",state="Established"} 1""")]
    [InlineData("""bird_protocol_up{name="node2",proto="BGP",ip_version="4","""
        + """import_filter="ACCEPT",export_filter="only-default",state="Active"} 0""")]
    [InlineData("""bird_protocol_prefix_import_count{name="tor1",proto="BGP",ip_version="4","""
        + """import_filter="ACCEPT",export_filter="only-default"} 1000000""")]
    [InlineData("""bird_protocol_prefix_filter_count{name="new-tor",proto="BGP",ip_version="4","""
        + """import_filter="REJECT",export_filter="REJECT"} 4""")]
    [InlineData("""bird_protocol_changes_update_import_receive_count{name="tor1",proto="BGP",ip_version="6","""
        + """import_filter="ACCEPT",export_filter="only-default"} 6""")]
    [InlineData("""bird_protocol_prefix_export_count{name="kernel1",proto="Kernel",ip_version="4","""
        + """import_filter="ACCEPT",export_filter="only-default"} 1000000""")]
    [InlineData("""bird_bgp_state_count{name="off",proto="BGP",state="Idle"} 1""")]
    [InlineData("""calico_bgp_sessions{state="established"} 2""")]
    [InlineData("""calico_bgp_sessions{state="openSent"} 0""")]
    [InlineData("""calico_bgp_messages_total{peer="tor1",direction="in",type="update"} 300000""")]
    [InlineData("""calico_bgp_message_bytes_total{peer="tor1",direction="in"} 9876543210""")]
    [InlineData("""calico_bgp_routes{peer="tor1",family="ipv4",place="received"} 1000012""")]
    [InlineData("""calico_bgp_fib_routes{state="wanted"} 1000001""")]
    [InlineData("""calico_bgp_peer_hold_time_seconds{peer="tor1"} 90""")]
    [InlineData("""calico_bgp_as_set_updates_total{peer="tor1",family="ipv4"} 0""")]
    [InlineData("calico_bgp_fib_writes_total 3000000000")]
    [InlineData("calico_bgp_fib_failures_total 4")]
    [InlineData("calico_bgp_ready 1")]
    [InlineData("calico_bgp_config_last_reload_successful 0")]
    [InlineData("""calico_bgp_source_in_sync{source="/etc/bgpd/resources"} 1""")]
    [InlineData("""calico_bgp_source_in_sync{source="https://192.0.2.70:2379"} 0""")]
    public async Task A_scrape_has(string sample) => Assert.Contains(sample, (await ScrapeAsync()).Split('\n'));

    /// <summary>A BGPPeer whose Secret is missing: told as a problem here, and by name in the status.</summary>
    [Fact]
    public async Task Problems_of_the_resources_are_counted_and_told_with_their_place()
    {
        var builder = new SnapshotBuilder(ResourceSnapshot.Empty);
        var node = new Node(new Metadata("a")) { IPv4 = new(Address.Parse("10.0.0.1"), Prefix.Parse("10.0.0.0/24")) };
        var peer = new BgpPeer(new Metadata("tor"))
        {
            PeerIP = new(Address.Parse("10.0.0.254"), null),
            AsNumber = new Asn(65001),
            Password = new("keys", "tor"),
        };
        builder.Put(node.Id, node);
        builder.Put(peer.Id, peer);
        var speaker = new SpeakerConfig { RouterId = new(1), As = new(64512), HostName = "a" };
        using var plan = new PlanFollower(speaker, new() { Node = "a" }, builder.Build([]));
        lab.Daemon.Planned = plan;
        lab.Daemon.Sources =
        [
            new("files", "/etc/calico", SourceState.Unread.Current(FakeSpeaker.Now), ImmutableSortedDictionary<string, int>.Empty),
            new("files", "/srv/more", SourceState.Unread, ImmutableSortedDictionary<string, int>.Empty),
        ];
        var lines = (await ScrapeAsync()).Split('\n');
        Assert.Contains("calico_bgp_resource_problems{severity=\"error\"} 0", lines);
        Assert.Contains("calico_bgp_resource_problems{severity=\"warning\"} 1", lines);
        Assert.Contains("calico_bgp_source_in_sync{source=\"/etc/calico\"} 1", lines);
        Assert.Contains("calico_bgp_source_in_sync{source=\"/srv/more\"} 0", lines);
        var status = await lab.Tcp.GetStringAsync("/v1/status");
        var problem = Assert.Single(JsonNode.Parse(status)!["resources"]!["problems"]!.AsArray())!;
        Assert.Equal(
            ("BGPPeer/tor", "the password's Secret kube-system/keys is not there: the session stays down", "nodes.yaml", 7),
            ((string?)problem["object"], (string?)problem["reason"], (string?)problem["file"], (int)problem["line"]!));
    }

    [Fact]
    public async Task Labels_are_escaped()
    {
        lab.Speaker.Router = lab.Speaker.Router with { HostName = "a\"b\\c\nd" };
        Assert.Contains("host=\"a\\\"b\\\\c\\nd\"} 1", await ScrapeAsync());
    }

    // HELP, TYPE, or name{label="value",…} number; inside a value a backslash, a quote and a line feed only escaped.
    [GeneratedRegex("""^(# HELP [a-z_]+ .+|# TYPE [a-z_]+ (gauge|counter)|"""
        + """[a-z_]+(\{[a-z_]+="(\\[\\"n]|[^\\"\n])*"(,[a-z_]+="(\\[\\"n]|[^\\"\n])*")*\})? -?[0-9.]+(E[-+]?[0-9]+)?)$""")]
    private static partial Regex Lawful();

    private Task<string> ScrapeAsync() => lab.Tcp.GetStringAsync("/metrics");
}
