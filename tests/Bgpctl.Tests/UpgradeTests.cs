using System.Text.Json.Nodes;

namespace Calico.Bgp.Bgpctl.Tests;

public sealed class UpgradeTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    private void Succeeds(int sessions) =>
        lab.Daemon.Upgrade = new(null) { Process = 4711, Release = "0.3.0", Sessions = sessions, Took = TimeSpan.FromSeconds(1.5) };

    [Theory]
    [InlineData("upgrade", "upgrade  60")]
    [InlineData("upgrade /opt/bgpd", "upgrade /opt/bgpd 60")]
    [InlineData("upgrade /opt/../opt/bgpd --within 90s", "upgrade /opt/bgpd 90")]
    [InlineData("upgrade --within 500ms", "upgrade  0.5")]
    public async Task The_daemon_is_told_which_file_and_how_long(string command, string expected)
    {
        Succeeds(2);
        Assert.Equal(0, await lab.RunAsync(command.Split(' ')));
        Assert.Equal([expected, "give way"], lab.Daemon.Orders);
    }

    /// <summary>The daemon has another folder than whoever asks.</summary>
    [Fact]
    public async Task A_file_is_the_one_of_the_folder_from_which_it_is_asked_for()
    {
        Succeeds(2);
        await lab.RunAsync("upgrade", "new/bgpd");
        Assert.Equal($"upgrade {Path.Combine(Environment.CurrentDirectory, "new/bgpd")} 60", lab.Daemon.Orders[0]);
    }

    [Theory]
    [InlineData(0, "0 sessions")]
    [InlineData(1, "1 session")]
    [InlineData(12, "12 sessions")]
    public async Task What_has_taken_over_is_told(int sessions, string words)
    {
        Succeeds(sessions);
        Assert.Equal(0, await lab.RunAsync("upgrade"));
        Assert.Equal(("", $"process 4711, bgpd 0.3.0, has taken over {words} in 1.5 s\n"), (lab.Errors.ToString(), lab.Output.ToString()));
    }

    [Fact]
    public async Task In_JSON_it_is_the_daemons_answer()
    {
        Succeeds(2);
        Assert.Equal(0, await lab.RunAsync("upgrade", "--json"));
        var said = JsonNode.Parse(lab.Output.ToString())!;
        Assert.Equal(
            (4711, "0.3.0", 2, 1.5),
            ((int)said["process"]!, (string)said["release"]!, (int)said["sessions"]!, (double)said["seconds"]!));
    }

    [Fact]
    public async Task One_that_was_refused_is_no_success_and_says_why()
    {
        Assert.Equal(1, await lab.RunAsync("upgrade", "/tmp/new"));
        Assert.Equal(("", "bgpctl: /tmp/new cannot be run: Permission denied\n"), (lab.Output.ToString(), lab.Errors.ToString()));
    }

    [Theory]
    [InlineData("upgrade --within soon", "soon")]
    [InlineData("upgrade --within 2h", "expected a time of at most an hour")]
    [InlineData("upgrade /opt/a /opt/b", "/opt/b")]
    [InlineData("upgrade ", "expected a file for BINARY, got \"\"")]
    public async Task Words_that_are_wrong_upgrade_nothing(string command, string said)
    {
        Assert.NotEqual(0, await lab.RunAsync(command.Split(' ')));
        Assert.Contains(said, lab.Errors.ToString(), StringComparison.Ordinal);
        Assert.Empty(lab.Daemon.Orders);
    }
}
