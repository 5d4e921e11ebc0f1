using System.Text.Json.Nodes;

namespace Calico.Bgp.Conformance.Life;

/// <content>What it says on standard error.</content>
public sealed partial class LifeTests
{
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_line_of_the_log_has_its_time_in_UTC_how_bad_it_is_and_the_room_that_says_it()
    {
        Start(Configuration());
        await RunsAsync();
        daemon!.Signal("TERM");
        await daemon.EndedAsync();
        var lines = Said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning) [a-z]+: ", line));
        Assert.Contains(lines, line => line.Contains("Z info bgpd: ending: routes stay", StringComparison.Ordinal));
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_line_of_the_JSON_log_says_the_same_by_name()
    {
        Start(Configuration("log: { format: json }"));
        await RunsAsync();
        daemon!.Signal("TERM");
        await daemon.EndedAsync();
        var lines = Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        var running = Assert.Single(lines, line => (int)line["event"]! == 1000);
        Assert.Equal(("info", "bgpd", "10.0.0.1"),
            ((string?)running["level"], (string?)running["room"], (string?)running["values"]!["routerId"]));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", (string?)running["time"]);
        Assert.Contains("router id 10.0.0.1", (string?)running["text"], StringComparison.Ordinal);
    }

    /// <summary>systemd.exec(5): the variable says which descriptor is the journal's; here a file stands for it.</summary>
    [NeedsTheory(Needs.Daemon, "birdc")]
    [InlineData("$(stat -L -c %d:%i /proc/self/fd/2)", "<6>bgpd: ending: routes stay")]
    [InlineData("8:1", "Z info bgpd: ending: routes stay")]
    public async Task The_journal_is_given_priorities_and_nobody_else(string stream, string expected)
    {
        var script = $"JOURNAL_STREAM={stream} exec {Project.Daemon} --config {Configuration()}";
        daemon = Background.Start(space, Log, null, "sh", "-c", script);
        await RunsAsync();
        daemon.Signal("TERM");
        await daemon.EndedAsync();
        Assert.Contains(expected, Said, StringComparison.Ordinal);
        var lines = Said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Equal(expected[0] == '<', line[0] == '<'));
    }
}
