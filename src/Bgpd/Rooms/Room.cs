using Microsoft.Extensions.Hosting;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>
/// A room as the host sees it. First all of them are made, in their order, so that what cannot be had is told before anybody is spoken to;
/// then each begins to act; in the end each is left, in the reverse order.
/// </summary>
internal abstract class Room : IHostedLifecycleService, IAsyncDisposable
{
    private Task? left;

    /// <summary>It is there afterwards, and the rooms before it are.</summary>
    public virtual Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>All rooms are there: from now on it acts.</summary>
    public virtual Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends it, however far it had come. Called once.</summary>
    protected abstract ValueTask LeaveAsync();

    private Task Left => left ??= LeaveAsync().AsTask();

    public Task StopAsync(CancellationToken cancellationToken) => Left.WaitAsync(cancellationToken);

    public ValueTask DisposeAsync() => new(Left);

    /// <summary>Before any room is made.</summary>
    public virtual Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    /// <summary>All rooms are there still.</summary>
    public virtual Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
