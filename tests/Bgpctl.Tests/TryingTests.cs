using System.Collections.Immutable;
using Calico.Bgp.Control.Tests.Http;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>bgpctl policy try, confirm and revert, against the real HTTP server.</summary>
public sealed class TryingTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();
    private readonly FakeTrials trials = new();
    private readonly string file = Path.GetTempFileName();

    public async Task InitializeAsync()
    {
        await lab.InitializeAsync();
        lab.Daemon.Trials = trials;
        await File.WriteAllTextAsync(file, "kind: é\n");
    }

    public Task DisposeAsync()
    {
        File.Delete(file);
        return lab.DisposeAsync();
    }

    private sealed class FakeTrials : ITrials
    {
        private static readonly ResourceId Web = new(Kinds.NetworkPolicy, new("shop", "web"));

        public TrialState State { get; set; } = TrialState.None;
        public TrialOutcome Outcome { get; set; }
        public List<string> Asked { get; } = [];

        public Task<TrialResult> TryAsync(string file, ReadOnlyMemory<byte> text, TimeSpan within)
        {
            Asked.Add($"{Path.GetFileName(file)} {text.Length} {within.TotalSeconds}");
            if (Outcome == TrialOutcome.Done) State = new([new(Web, "web.yaml", false, true)], FakeSpeaker.Now + within);
            return Task.FromResult(new TrialResult(Outcome, "it is not", State.Objects, State));
        }

        public Task<TrialResult> ConfirmAsync() => DoneAsync("confirm", new([new(Web, "web.yaml", true, true)], null));

        public Task<TrialResult> RevertAsync() => DoneAsync("revert", TrialState.None);

        private Task<TrialResult> DoneAsync(string order, TrialState after)
        {
            Asked.Add(order);
            ImmutableArray<TrialObject> objects = after.Objects.IsEmpty ? [new(Web, "web.yaml", false, false)] : after.Objects;
            State = after;
            return Task.FromResult(new TrialResult(Outcome, "nothing is being tried", objects, after));
        }
    }

    [Fact]
    public async Task Without_a_terminal_it_says_how_to_confirm_and_ends()
    {
        Assert.Equal(0, await lab.RunAsync("policy", "try", file, "--confirm-within", "90s"));
        Assert.Equal($"{Path.GetFileName(file)} 9 90", Assert.Single(trials.Asked));
        Assert.Equal(
            """
            NetworkPolicy/shop/web: in force
            all is taken back in 1m30s, unless it is confirmed: `bgpctl policy confirm`; `bgpctl policy lint` names traps

            """, lab.Output.ToString());
    }

    /// <summary>A host endpoint decides as much as a policy, and no list of policies has it.</summary>
    [Fact]
    public async Task What_is_tried_and_is_no_policy_stands_below_the_list()
    {
        ResourceId uplink = new(Kinds.HostEndpoint, new("uplink")), tier = new(Kinds.Tier, new("first"));
        trials.State = new(
            [new(uplink, "f.yaml", false, false), new(tier, "f.yaml", true, false)], new(2026, 11, 30, 12, 3, 4, TimeSpan.Zero));
        Assert.Equal(0, await lab.RunAsync("policy", "list"));
        Assert.EndsWith("\nHostEndpoint/uplink: tried (until 12:03:04 UTC)\nTier/first: confirmed (until the next start)\n",
            lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enter_confirms_and_what_makes_it_last_is_said()
    {
        Assert.Equal(0, await Commands.RunAsync(
            ["policy", "try", file, "--socket", lab.Socket], new Screen(lab.Output, lab.Errors, null) { Input = new StringReader("\n") },
            new ManualTimeProvider(FakeSpeaker.Now)));
        Assert.Equal("confirm", trials.Asked[^1]);
        Assert.Contains(
            "NetworkPolicy/shop/web: stays, though its source says something else since: that does not count now\nuntil bgpd starts again",
            lab.Output.ToString());
        Assert.Contains("`kubectl apply -f web.yaml`", lab.Output.ToString());
    }

    [Theory]
    [InlineData("n\n", "revert")]
    [InlineData("No\n", "revert")]
    [InlineData("yes\n", "confirm")]
    [InlineData("what?\nn\n", "revert")]
    [InlineData("abort\n", null)] // and the terminal is gone
    public async Task What_is_typed_is_taken_as_it_is_meant_and_nothing_else_confirms(string typed, string? order)
    {
        Assert.Equal(0, await Commands.RunAsync(
            ["policy", "try", file, "--socket", lab.Socket], new Screen(lab.Output, lab.Errors, null) { Input = new StringReader(typed) },
            new ManualTimeProvider(FakeSpeaker.Now)));
        Assert.Equal(order == null ? [] : [order], trials.Asked.Skip(1));
        Assert.Equal(typed.Length > 4, lab.Output.ToString().Contains("Enter, or yes, keeps it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_a_file_of_objects_is_told_before_the_daemon_is_asked()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Assert.Equal(1, await lab.RunAsync("policy", "try", folder));
        await File.WriteAllTextAsync(file, new string('#', (4 << 20) + 1));
        Assert.Equal(1, await lab.RunAsync("policy", "try", file));
        Assert.Equal(
            $"""
            bgpctl: {folder} is a folder: expected a file of objects
            bgpctl: {file} is too long: expected 4 MiB of objects at most

            """, lab.Errors.ToString());
        foreach (var time in (string[])["0s", "25h"]) Assert.Equal(2, await lab.RunAsync("policy", "try", file, "--confirm-within", time));
        Assert.Contains("expected a time up to 24h for --confirm-within, got \"25h\"", lab.Errors.ToString(), StringComparison.Ordinal);
        Assert.Empty(trials.Asked);
    }

    [Fact]
    public async Task Who_does_not_press_it_in_time_is_told_that_it_is_taken_back()
    {
        var time = new ManualTimeProvider(FakeSpeaker.Now);
        var running = Commands.RunAsync(
            ["policy", "try", file, "--socket", lab.Socket], new Screen(lab.Output, lab.Errors, null) { Input = new Nobody() }, time);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.WhenAny(running, Task.Delay(20));
        }
        Assert.Equal(1, await running);
        Assert.Equal("bgpctl: nobody has confirmed it: it is taken back\n", lab.Errors.ToString());
        Assert.DoesNotContain("confirm", trials.Asked);
    }

    /// <summary>A terminal at which nobody sits; the read ends with the process.</summary>
    private sealed class Nobody : TextReader
    {
        public override ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken) =>
            new(new TaskCompletionSource<string?>().Task);
    }

    [Theory]
    [InlineData(TrialOutcome.Refused, "try", 422)]
    [InlineData(TrialOutcome.Busy, "try", 409)]
    [InlineData(TrialOutcome.Nothing, "confirm", 404)]
    [InlineData(TrialOutcome.Nothing, "revert", 404)]
    public async Task What_the_daemon_refuses_is_told_in_its_words(TrialOutcome outcome, string order, int status)
    {
        trials.Outcome = outcome;
        Assert.Equal(1, await lab.RunAsync(order == "try" ? ["policy", order, file] : ["policy", order]));
        Assert.Equal($"bgpctl: {(order == "try" ? "it is not" : "nothing is being tried")}\n", lab.Errors.ToString());
        using var http = HttpLab.Client(lab.Socket);
        using var answer = await http.PostAsync($"/v1/policy/{order}{(order == "try" ? "?file=f" : "")}", new StringContent("x"));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("?file=f&within=-1", "expected seconds, up to 86400, for ?within=, got \"-1\"")]
    [InlineData("?within=5", "expected a file's name for ?file=, got none")]
    [InlineData("?file=f&for=5", "expected one of file, within, got \"for\"")]
    public async Task A_question_that_makes_no_sense_tries_nothing(string query, string problem)
    {
        using var http = HttpLab.Client(lab.Socket);
        using var answer = await http.PostAsync("/v1/policy/try" + query, new StringContent("x"));
        Assert.Equal(400, (int)answer.StatusCode);
        var message = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["message"]!.GetValue<string>();
        Assert.Equal(problem, message);
        Assert.Empty(trials.Asked);
    }

    [Fact]
    public async Task A_file_of_more_than_what_other_orders_may_have_is_taken()
    {
        await File.WriteAllTextAsync(file, new string('#', 300_000));
        Assert.Equal(0, await lab.RunAsync("policy", "try", file));
        Assert.Equal($"{Path.GetFileName(file)} 300000 60", Assert.Single(trials.Asked));
    }

    [Fact]
    public async Task Taken_back_is_said_object_by_object()
    {
        Assert.Equal(0, await lab.RunAsync("policy", "revert"));
        Assert.Equal("NetworkPolicy/shop/web: taken back\n", lab.Output.ToString());
    }

    [Fact]
    public async Task Status_and_the_list_show_what_is_tried_and_for_how_long()
    {
        await lab.RunAsync("policy", "try", file);
        lab.Output.GetStringBuilder().Clear();
        await lab.RunAsync("status");
        Assert.Contains(
            "NetworkPolicy/shop/web (its source says something else since): taken back in 1m00s unless it is confirmed",
            lab.Output.ToString());
        await lab.RunAsync("policy", "list");
        Assert.Contains("tried (until ", lab.Output.ToString());
    }
}
