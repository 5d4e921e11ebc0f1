using Calico.Bgp.Configuration;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>The daemon's side of <c>nat</c>: the dataplane with what it stands on, and those that tell it of resources and of routes.</summary>
internal sealed class Translating : IAsyncDisposable
{
    private readonly NftablesLoop nftables;
    private readonly ConnectionTable connections;
    private readonly ResourceFeed? feed;
    private readonly CancellationTokenSource ending = new();
    private Task following = Task.CompletedTask;

    private Translating(DaemonConfig config, NatSettings nat, Resourcing? resources, IKernel kernel, TimeProvider time, ILoggerFactory logs)
    {
        nftables = Open(time, logs);
        connections = new();
        Dataplane = new(config.Speaker.HostName, nat, nftables, kernel, connections, time, logs.CreateLogger<DataplaneLoop>());
        feed = resources?.Subscribe();
    }

    public DataplaneLoop Dataplane { get; }

    /// <summary>Null where bgpd.yaml does not speak of NAT: nothing of nftables is touched then.</summary>
    public static Translating? Start(
        DaemonConfig config, Resourcing? resources, IKernel kernel, ISpeaker speaker, TimeProvider time, ILoggerFactory logs)
    {
        if (config.Nat is not { } nat) return null;
        var made = new Translating(config, nat, resources, kernel, time, logs);
        made.Dataplane.Start();
        if (made.feed == null) made.Dataplane.Take(ResourceSnapshot.Empty);
        made.following = Task.WhenAll(
            made.FollowAsync(), new UpstreamObserver(speaker, made.Dataplane, config.Speaker.Kernel.Metric, time, logs.CreateLogger<UpstreamObserver>()).RunAsync(made.ending.Token));
        return made;
    }

    /// <exception cref="IOException">The kernel does not let us at its rules.</exception>
    public static NftablesLoop Open(TimeProvider time, ILoggerFactory logs)
    {
        var nftables = new NftablesLoop(DataplaneLoop.Table, time, logs.CreateLogger<NftablesLoop>());
        try
        {
            nftables.Start();
            return nftables;
        }
        catch (System.ComponentModel.Win32Exception refused)
        {
            throw new IOException($"nat: nftables cannot be spoken to: {refused.Message} (root or CAP_NET_ADMIN is needed)", refused);
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            while (feed != null) Dataplane.Take((await feed.ReadAsync(ending.Token).ConfigureAwait(false)).After);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested) { }
        // The plan's reader has told of it.
        catch (SourcesFailedException) { }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        await following.ConfigureAwait(false);
        await Dataplane.DisposeAsync().ConfigureAwait(false);
        await nftables.DisposeAsync().ConfigureAwait(false);
        connections.Dispose();
        feed?.Dispose();
        ending.Dispose();
    }
}
