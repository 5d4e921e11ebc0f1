using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Sources.Tests.Yaml;

/// <summary>The folder watched, with the system's own notifications and clock. Every wait is for the news itself; the limit only ends a
/// test that would never end.</summary>
public sealed class YamlFolderSourceTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Manifests manifests = new();
    private readonly CancellationTokenSource end = new();
    private readonly ResourceStore store = new(1);
    private readonly ResourceFeed feed;
    private Task running = Task.CompletedTask;

    public YamlFolderSourceTests() => feed = store.Subscribe(Concern.Plan);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await end.CancelAsync();
        await running;
    }

    public void Dispose()
    {
        feed.Dispose();
        end.Dispose();
        manifests.Dispose();
    }

    private void Start(string? path = null, TimeProvider? time = null)
    {
        var loops = new Net.Loops(
            TimeProvider.System, NullLogger<Net.Loops>.Instance,
            (loop, defect) => Environment.FailFast(loop.Name, defect));
        var source = new YamlFolderSource(0, path ?? manifests.Path, FolderRules.Default, time ?? TimeProvider.System);
        running = new SourcesLoop(store, [source], loops, NullLogger<SourcesLoop>.Instance).RunAsync(end.Token);
    }

    private SourceState State => store.Status(0, "files", "").State;

    /// <summary>Reads on until the peers are these.</summary>
    private async Task UntilAsync(string peers)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!store.IsInSync || Manifests.Peers(store.Current) != peers) await feed.ReadAsync(limit.Token);
    }

    [Fact]
    public async Task A_folder_is_followed()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        Start();
        await UntilAsync("a=1");
        manifests.Write("a.yaml", Manifests.Peer("a", 2));
        await UntilAsync("a=2");
        manifests.Replace("sub/b.yaml", Manifests.Peer("b", 3));
        await UntilAsync("a=2 b=3");
        File.Move(manifests.Of("a.yaml"), manifests.Of("c.yaml"));
        manifests.Write("c.yaml", Manifests.Peer("a", 4));
        await UntilAsync("a=4 b=3");
        Directory.Delete(manifests.Of("sub"), recursive: true);
        await UntilAsync("a=4");
        manifests.Write("d.yaml", Manifests.Peer("d", 7));
        await UntilAsync("a=4 d=7");
        File.Delete(manifests.Of("c.yaml"));
        await UntilAsync("d=7");
    }

    [Fact]
    public async Task The_first_news_is_everything()
    {
        for (var i = 1; i < 40; i++) manifests.Write($"{i}.yaml", Manifests.Peer($"p{i}", i));
        Start();
        using var limit = new CancellationTokenSource(Limit);
        Assert.Equal(39, (await feed.ReadAsync(limit.Token)).Changed.Length);
    }

    [Fact]
    public async Task One_file_is_followed()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("b.yaml", Manifests.Peer("b", 2));
        Start(manifests.Of("a.yaml"));
        await UntilAsync("a=1");
        manifests.Replace("a.yaml", Manifests.Peer("a", 5));
        await UntilAsync("a=5");
    }

    [Fact]
    public async Task A_folder_may_come_after_the_start()
    {
        Start(manifests.Of("later"));
        await UntilAsync("");
        Assert.Single(store.Current.Problems);
        manifests.Write("later/a.yaml", Manifests.Peer("a", 1));
        await UntilAsync("a=1");
        manifests.Write("later/a.yaml", Manifests.Peer("a", 2));
        await UntilAsync("a=2");
    }

    /// <summary>The system's clock, but nobody is woken by it for a look at everything: only notifications remain.</summary>
    private sealed class WithoutSlowLooks : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime < TimeSpan.FromSeconds(1) ? dueTime : Timeout.InfiniteTimeSpan, period);
    }

    [Fact]
    public async Task A_folder_that_takes_the_place_of_another_is_followed_at_once()
    {
        manifests.Write("res/a.yaml", Manifests.Peer("a", 1));
        manifests.Write("new/a.yaml", Manifests.Peer("a", 2));
        Start(manifests.Of("res"), new WithoutSlowLooks());
        await UntilAsync("a=1");
        Directory.Move(manifests.Of("res"), manifests.Of("old"));
        Directory.Move(manifests.Of("new"), manifests.Of("res"));
        await UntilAsync("a=2");
        manifests.Write("res/a.yaml", Manifests.Peer("a", 3));
        await UntilAsync("a=3");
        // What was moved away is nobody's.
        manifests.Write("old/a.yaml", Manifests.Peer("a", 4));
        manifests.Write("res/b.yaml", Manifests.Peer("b", 5));
        await UntilAsync("a=3 b=5");
    }

    [Fact]
    public async Task A_folder_that_is_removed_and_comes_again_is_followed_at_once()
    {
        manifests.Write("res/a.yaml", Manifests.Peer("a", 1));
        Start(manifests.Of("res"), new WithoutSlowLooks());
        await UntilAsync("a=1");
        Directory.Delete(manifests.Of("res"), recursive: true);
        using var limit = new CancellationTokenSource(Limit);
        while (store.Current.Problems.IsEmpty) await feed.ReadAsync(limit.Token);
        Assert.Equal("a=1", Manifests.Peers(store.Current));
        Assert.Null(State.InSyncSince);
        Assert.StartsWith("cannot be listed", State.LastError?.Text, StringComparison.Ordinal);
        manifests.Replace("res/a.yaml", Manifests.Peer("a", 2));
        await UntilAsync("a=2");
        Assert.NotNull(State.InSyncSince);
        manifests.Replace("res/a.yaml", Manifests.Peer("a", 3));
        await UntilAsync("a=3");
    }

    [Fact]
    public async Task A_folder_behind_a_link_is_another_when_the_link_leads_elsewhere()
    {
        manifests.Write("v1/a.yaml", Manifests.Peer("a", 1));
        manifests.Write("v2/a.yaml", Manifests.Peer("a", 2));
        Directory.CreateSymbolicLink(manifests.Of("res"), "v1");
        Start(manifests.Of("res"), new WithoutSlowLooks());
        await UntilAsync("a=1");
        Directory.Delete(manifests.Of("res"));
        Directory.CreateSymbolicLink(manifests.Of("res"), "v2");
        await UntilAsync("a=2");
        manifests.Write("v2/a.yaml", Manifests.Peer("a", 3));
        await UntilAsync("a=3");
    }

    [Fact]
    public async Task A_mounted_ConfigMap_is_followed()
    {
        manifests.Write("..1/a.yaml", Manifests.Peer("a", 1));
        manifests.Write("..2/a.yaml", Manifests.Peer("a", 2));
        Directory.CreateSymbolicLink(manifests.Of("..data"), "..1");
        File.CreateSymbolicLink(manifests.Of("a.yaml"), "..data/a.yaml");
        Start();
        await UntilAsync("a=1");
        Directory.Delete(manifests.Of("..data"));
        Directory.CreateSymbolicLink(manifests.Of("..data"), "..2");
        await UntilAsync("a=2");
    }
}
