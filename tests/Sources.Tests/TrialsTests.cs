using System.Text;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Sources.Tests;

/// <summary>Objects over what the sources say: in force for a while, confirmed, taken back.</summary>
public sealed class TrialsTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Minute = TimeSpan.FromMinutes(1);
    private static readonly ResourceId Web = new(Kinds.GlobalNetworkPolicy, new("web")), Dns = new(Kinds.GlobalNetworkPolicy, new("dns"));

    private readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);
    private readonly ResourceStore store = new(2);
    private readonly Said cluster = new();
    private readonly CancellationTokenSource ending = new();
    private readonly Trials trials;
    private readonly ResourceFeed feed;
    private Task running = Task.CompletedTask;

    public TrialsTests()
    {
        trials = new(store, time, NullLogger<Trials>.Instance);
        feed = store.Subscribe(Concern.Policy);
    }

    /// <summary>The cluster has <c>web</c>, of order 1.</summary>
    public async Task InitializeAsync()
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Assert.Fail($"{loop}: {defect}"));
        running = new SourcesLoop(store, [cluster, trials.Source(1)], loops, NullLogger<SourcesLoop>.Instance).RunAsync(ending.Token);
        await cluster.SayAsync(Policy("web", 1));
        await feed.ReadAsync(ending.Token).AsTask().WaitAsync(Patience);
    }

    public async Task DisposeAsync()
    {
        await ending.CancelAsync();
        await running;
    }

    public void Dispose()
    {
        feed.Dispose();
        ending.Dispose();
    }

    private sealed class Said : ISource
    {
        private readonly Channel<SourceUpdate> updates = Channel.CreateUnbounded<SourceUpdate>();

        public string Kind => "kubernetes";
        public string Name => "cluster";

        /// <summary>All that it has; ends when it counts.</summary>
        public async Task SayAsync(params string[] policies)
        {
            var counts = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var all = TrialFile.Read("cluster", Encoding.UTF8.GetBytes(string.Join("\n---\n", policies)), out _);
            updates.Writer.TryWrite(new(0, [new(new(0, "all"), all, [])], SourceState.Unread with { HasListed = true })
            {
                Counts = counts.SetResult,
            });
            await counts.Task.WaitAsync(Patience);
        }

        public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
        {
            await foreach (var update in updates.Reader.ReadAllAsync(cancellation)) await into.WriteAsync(update, cancellation);
        }
    }

    private static string Policy(string name, int order) =>
        $"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{ name: {name} }}\n"
        + $"spec: {{ order: {order}, selector: all(), ingress: [{{ action: Allow }}] }}\n";

    private double? Order(ResourceId id) => ((AnyNetworkPolicy?)store.Current.Find(id))?.Spec.Order;

    private Task<TrialResult> TryAsync(params string[] policies) => trials.TryAsync(
        "web.yaml", Encoding.UTF8.GetBytes(string.Join("\n---\n", policies)), Minute).WaitAsync(Patience);

    private string State => string.Join(", ", trials.State.Objects.Select(one =>
        $"{one.Id.Key.Name}{(one.IsConfirmed ? " confirmed" : "")}{(one.IsMasking ? " masking" : "")}"));

    /// <summary>What was rung by a clock counts once the sources' loop has taken it.</summary>
    private async Task ComesAsync(ResourceId id, double? order)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (Order(id) != order) await feed.ReadAsync(patience.Token);
    }

    [Fact]
    public async Task What_is_tried_counts_before_the_source_and_goes_when_nobody_confirms_it()
    {
        var done = await TryAsync(Policy("web", 5), Policy("dns", 6));
        Assert.Equal((TrialOutcome.Done, 2), (done.Outcome, done.Objects.Length));
        Assert.Equal((5, 6), (Order(Web), Order(Dns)));
        Assert.Equal(time.GetUtcNow() + Minute, trials.State.Until);
        time.Advance(Minute);
        await ComesAsync(Web, 1);
        Assert.Null(Order(Dns));
        Assert.Equal("", State);
    }

    [Fact]
    public async Task What_is_confirmed_stays_and_is_taken_back_when_somebody_says_so()
    {
        await TryAsync(Policy("web", 5));
        Assert.Equal(TrialOutcome.Done, (await trials.ConfirmAsync().WaitAsync(Patience)).Outcome);
        time.Advance(Minute * 2);
        Assert.Equal(("web confirmed", null), (State, trials.State.Until));
        Assert.Equal(5, Order(Web));
        Assert.Equal(TrialOutcome.Nothing, (await trials.ConfirmAsync().WaitAsync(Patience)).Outcome);
        Assert.Equal(TrialOutcome.Done, (await trials.RevertAsync().WaitAsync(Patience)).Outcome);
        Assert.Equal((1, ""), (Order(Web), State));
        Assert.Equal(TrialOutcome.Nothing, (await trials.RevertAsync().WaitAsync(Patience)).Outcome);
    }

    [Fact]
    public async Task A_second_file_is_refused_while_one_is_tried_and_lies_over_what_was_confirmed_afterwards()
    {
        await TryAsync(Policy("web", 5));
        var second = await TryAsync(Policy("web", 7));
        Assert.Equal(TrialOutcome.Busy, second.Outcome);
        Assert.StartsWith("web.yaml is being tried, and is taken back in 60 s unless it is confirmed", second.Words);
        Assert.Equal(5, Order(Web));
        await trials.ConfirmAsync().WaitAsync(Patience);
        await TryAsync(Policy("web", 7));
        Assert.Equal(7, Order(Web));
        await trials.RevertAsync().WaitAsync(Patience);
        Assert.Equal((5, "web confirmed"), (Order(Web), State));
    }

    [Fact]
    public async Task A_source_that_says_something_else_meanwhile_does_not_count_until_the_trial_is_over()
    {
        await TryAsync(Policy("web", 5));
        await cluster.SayAsync(Policy("web", 9));
        Assert.Equal((5, "web masking"), (Order(Web), State));
        time.Advance(Minute);
        await ComesAsync(Web, 9);
    }

    [Fact]
    public async Task What_was_confirmed_is_let_go_when_its_source_speaks_of_it()
    {
        await TryAsync(Policy("web", 5), Policy("dns", 6));
        await trials.ConfirmAsync().WaitAsync(Patience);
        await cluster.SayAsync(Policy("web", 1), Policy("other", 3));
        Assert.Equal("dns confirmed, web confirmed", State);
        await cluster.SayAsync(Policy("web", 5), Policy("other", 3));
        Assert.Equal("dns confirmed", State);
        await cluster.SayAsync(Policy("web", 8), Policy("other", 3));
        await ComesAsync(Web, 8);
        Assert.Equal(6, Order(Dns));
    }

    [Fact]
    public async Task Other_sources_in_the_place_of_those_before_leave_what_is_in_force()
    {
        await TryAsync(Policy("web", 5));
        await trials.ConfirmAsync().WaitAsync(Patience);
        await ending.CancelAsync();
        await running;
        store.Restart(2);
        using var again = new CancellationTokenSource();
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Assert.Fail($"{loop}: {defect}"));
        running = new SourcesLoop(store, [cluster, trials.Source(1)], loops, NullLogger<SourcesLoop>.Instance).RunAsync(again.Token);
        await cluster.SayAsync(Policy("web", 1), Policy("other", 4));
        await ComesAsync(new(Kinds.GlobalNetworkPolicy, new("other")), 4);
        Assert.Equal((5, "web confirmed"), (Order(Web), State));
        await again.CancelAsync();
    }

    /// <summary>Into a process that reads the same sources, and in which the same time goes by.</summary>
    private async Task<TrialsTests> HandOverAsync()
    {
        var next = new TrialsTests();
        next.time.Advance(time.GetUtcNow() - next.time.GetUtcNow());
        await next.InitializeAsync();
        await next.trials.TakeOverAsync(trials.Hand()).WaitAsync(Patience);
        return next;
    }

    [Fact]
    public async Task What_is_tried_goes_over_into_another_process_with_the_time_that_is_left()
    {
        await TryAsync(Policy("dns", 6));
        await trials.ConfirmAsync().WaitAsync(Patience);
        await TryAsync(Policy("web", 5));
        await cluster.SayAsync(Policy("web", 9));
        time.Advance(Minute / 3);
        using var next = await HandOverAsync();
        Assert.Equal((5, 6), (next.Order(Web), next.Order(Dns)));
        Assert.Equal(("dns confirmed, web masking", trials.State.Until), (next.State, next.trials.State.Until));
        Assert.Equal(TrialOutcome.Busy, (await next.TryAsync(Policy("web", 7))).Outcome);
        next.time.Advance(Minute / 3);
        Assert.Equal(5, next.Order(Web));
        next.time.Advance(Minute / 3);
        await next.ComesAsync(Web, 1);
        Assert.Equal((6, "dns confirmed"), (next.Order(Dns), next.State));
        // What has been confirmed there goes over again.
        using var last = await next.HandOverAsync();
        Assert.Equal((1, 6, "dns confirmed"), (last.Order(Web), last.Order(Dns), last.State));
        await last.DisposeAsync();
        await next.DisposeAsync();
    }

    /// <summary>What was said after the other one has been told would be lost with this process.</summary>
    [Fact]
    public async Task Between_the_offer_and_the_end_orders_are_refused_and_taken_again_where_nobody_has_taken_over()
    {
        await TryAsync(Policy("web", 5));
        trials.Hand();
        Assert.All([await trials.ConfirmAsync(), await trials.RevertAsync(), await TryAsync(Policy("dns", 6))], refused =>
            Assert.Equal((TrialOutcome.Busy, true), (refused.Outcome, refused.Words.StartsWith("an upgrade is under way"))));
        Assert.Equal(5, Order(Web));
        trials.Keep();
        Assert.Equal(TrialOutcome.Done, (await trials.ConfirmAsync().WaitAsync(Patience)).Outcome);
        Assert.Equal("web confirmed", State);
    }

    [Fact]
    public async Task What_has_run_out_meanwhile_or_is_not_read_any_more_does_not_come_back()
    {
        await TryAsync(Policy("web", 5));
        var handed = trials.Hand();
        time.Advance(Minute);
        await ComesAsync(Web, 1);
        await trials.TakeOverAsync(handed).WaitAsync(Patience);
        await trials.TakeOverAsync([handed[0] with { Text = "kind: Unheard"u8.ToArray(), Until = null }]).WaitAsync(Patience);
        Assert.Equal((1, ""), (Order(Web), State));
    }

    [Theory]
    [InlineData("", "web.yaml: expected objects, got none")]
    [InlineData("a: [", "web.yaml:8: this is not YAML")]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: { name: bad }\nspec: { selector: 'a ==' }",
        "GlobalNetworkPolicy/bad: spec.selector: expected ")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: d }\nspec: { clusterIP: 10.0.0.1, ports: [{ port: 1 }] }",
        "Service/d/s: expected an object that network policy alone follows from, got a Service")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }", "expected objects, got none")]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicies\nmetadata: { name: d }", "has no effect here")]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: { name: web }\nspec: { selector: all() }",
        "GlobalNetworkPolicy/web stands there more than once")]
    public async Task Of_a_file_that_is_refused_in_part_nothing_is_put_into_force(string other, string problem)
    {
        var isAlone = other.Length == 0 || other.Contains("apps/v1", StringComparison.Ordinal);
        var result = isAlone ? await TryAsync(other) : await TryAsync(Policy("web", 5), other);
        Assert.Equal(TrialOutcome.Refused, result.Outcome);
        Assert.Contains(problem, result.Words);
        Assert.Equal((1, ""), (Order(Web), State));
    }
}
