using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel;
using Calico.Bgp.Speaker.Handover;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>The two sides of a hand-over in one process, with the descriptors that two would have.</summary>
internal sealed class Between : IHeir, ITestator
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>What is left of a process that has handed over: its descriptors are not closed before it ends.</summary>
    public static readonly List<object> Ended = [];

    private readonly TaskCompletionSource offered = New(), restored = New(), given = New(), taken = New(), died = New();
    private IReadOnlyList<Stream> written = [];
    private HandedMoments? moments;

    // Of sockets that are collected the kernel would be told that nobody waits for anything on them.
    public Between() => Ended.Add(this);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HandedState State { get; private set; } = null!;
    public IReadOnlyList<Stream> Images => written;
    public IReadOnlyList<Socket> Sockets { get; private set; } = [];
    public bool HasEnded => died.Task.IsCompleted;
    public Task Offered => offered.Task.WaitAsync(Patience);

    public Stream Memory(string name) => DescriptorSocket.Memory(name);

    public async Task OfferAsync(HandedState state, IReadOnlyList<Stream> images, IReadOnlyList<Socket> sockets, CancellationToken stop)
    {
        (State, written) = (state, images);
        foreach (var image in images) image.Position = 0;
        var (from, to) = DescriptorSocket.Pair();
        using var both = new DescriptorSocket(Dup(to));
        using (from)
        {
            await from.SendAsync([.. sockets.Select(socket => (SafeHandle)socket.SafeHandle)], stop);
            var came = await both.ReceiveAsync(sockets.Count, stop);
            Sockets = [.. came.Select(one => new Socket(new SafeSocketHandle(one, ownsHandle: true)))];
        }
        offered.SetResult();
        await Either(restored.Task).WaitAsync(stop);
    }

    private static int Dup(SafeHandle of)
    {
        var number = (int)of.DangerousGetHandle();
        of.SetHandleAsInvalid();
        return number;
    }

    public async Task GiveAsync(HandedMoments now, CancellationToken stop)
    {
        moments = now;
        given.SetResult();
        await Either(taken.Task).WaitAsync(stop);
        AtLast();
    }

    public async Task<HandedMoments> RestoredAsync(CancellationToken stop)
    {
        restored.SetResult();
        await given.Task.WaitAsync(stop);
        return moments!;
    }

    public Task TakenAsync(CancellationToken stop)
    {
        taken.SetResult();
        return Task.CompletedTask;
    }

    public void End() => died.TrySetResult();

    /// <summary>Done when all that had to be said has been said, and before the one that hands over has heard the last of it.</summary>
    public Action AtLast { get; init; } = () => { };

    private async Task Either(Task other)
    {
        await Task.WhenAny(other, died.Task);
        if (!other.IsCompleted) throw new HandoverException("it has died");
    }
}
