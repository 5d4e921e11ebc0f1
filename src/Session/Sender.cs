using System.Net.Sockets;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <summary>
/// One connection's way out. Routes wait in a queue of shared buffers; several are handed to the kernel in one gathering send.
/// KEEPALIVE, NOTIFICATION and the like overtake the queue, but never the batch that is half sent. There is no task while there
/// is nothing to send: who adds the first thing starts one.
/// </summary>
internal sealed class Sender(Socket socket, ushort peer, TimeProvider time, ConnectionCounters counters) : IOutlet, IThreadPoolWorkItem
{
    // A peer that reads slowly delays our keepalives by one batch at most; and the kernel takes 1,024 segments at once.
    private const int BatchOctets = 1 << 18, BatchSegments = 512;

    private readonly Lock gate = new();
    private readonly Queue<ReadOnlyMemory<byte>> urgent = new();
    private readonly Queue<OutBuffer> queue = new();
    private readonly List<(long Octets, Action Drained)> waiting = [];
    private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The sending task's own.
    private readonly List<OutBuffer> batch = [];
    private readonly List<ArraySegment<byte>> segments = [];

    private bool sending, closed;
    private long backlog, progress;

    public ushort Peer => peer;
    public long Backlog => Volatile.Read(ref backlog);

    /// <summary>Completes when the last octet has gone after <see cref="Finish"/>.</summary>
    public Task Finished => finished.Task;

    /// <summary>How long the kernel has not taken anything that waits; zero where nothing waits (RFC 9687 section 4.1).</summary>
    public TimeSpan Stalled
    {
        get { lock (gate) return sending ? time.GetElapsedTime(progress) : TimeSpan.Zero; }
    }

    public void Send(OutBuffer buffer)
    {
        lock (gate)
        {
            if (!closed)
            {
                queue.Enqueue(buffer);
                backlog += buffer.Length;
                WakeUp();
                return;
            }
        }
        buffer.Release();
    }

    /// <summary>Ahead of all routes that wait.</summary>
    public void SendNow(ReadOnlyMemory<byte> message)
    {
        lock (gate)
        {
            if (closed) return;
            urgent.Enqueue(message);
            WakeUp();
        }
    }

    /// <summary>Lets a last message out and drops everything else.</summary>
    public void Finish(ReadOnlyMemory<byte>? last)
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
            DropQueue();
            if (last is { } message) urgent.Enqueue(message);
            if (sending) return;
            if (urgent.Count == 0) finished.TrySetResult();
            else WakeUp();
        }
    }

    public void WhenDrained(long octets, Action drained)
    {
        lock (gate)
        {
            waiting.Add((octets, drained));
            CallDrained();
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAllAsync();

    private void WakeUp()
    {
        if (sending) return;
        sending = true;
        progress = time.GetTimestamp();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (Gather(out var message))
            {
                if (message.Length > 0) await SendAsync(message);
                else await SendBatchAsync();
                Sent();
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The reader meets the same end and tells the session.
            Abandon();
        }
    }

    /// <summary>False: nothing is left, and the task ends.</summary>
    private bool Gather(out ReadOnlyMemory<byte> message)
    {
        lock (gate)
        {
            if (urgent.TryDequeue(out message)) return true;
            var octets = 0L;
            while (octets < BatchOctets && segments.Count < BatchSegments && queue.TryDequeue(out var buffer))
            {
                batch.Add(buffer);
                octets += buffer.SegmentsFor(peer, segments);
            }
            if (batch.Count > 0) return true;
            sending = false;
            if (closed) finished.TrySetResult();
            return false;
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> message)
    {
        counters.CountOut(message.Span);
        while (message.Length > 0) message = message[await socket.SendAsync(message, SocketFlags.None)..];
    }

    private async Task SendBatchAsync()
    {
        foreach (var segment in segments) counters.CountOut(segment);
        if (segments.Count == 1)
        {
            ReadOnlyMemory<byte> rest = segments[0];
            while (rest.Length > 0) rest = rest[await socket.SendAsync(rest, SocketFlags.None)..];
            return;
        }
        if (segments.Count <= BatchSegments) await SendWholeAsync(segments);
        else foreach (var some in segments.Chunk(BatchSegments)) await SendWholeAsync([.. some]);
    }

    private async Task SendWholeAsync(List<ArraySegment<byte>> some)
    {
        while (some.Count > 0)
        {
            var sent = await socket.SendAsync(some, SocketFlags.None);
            Progress();
            var whole = 0;
            while (whole < some.Count && sent >= some[whole].Count) sent -= some[whole++].Count;
            if (whole == some.Count) return;
            some = some.GetRange(whole, some.Count - whole);
            some[0] = some[0][sent..];
        }
    }

    private void Sent()
    {
        lock (gate)
        {
            progress = time.GetTimestamp();
            foreach (var buffer in batch)
            {
                if (!closed) backlog -= buffer.Length;
                buffer.Release();
            }
            batch.Clear();
            segments.Clear();
            CallDrained();
        }
    }

    private void Progress()
    {
        lock (gate) progress = time.GetTimestamp();
    }

    private void Abandon()
    {
        lock (gate)
        {
            closed = true;
            DropQueue();
            urgent.Clear();
            foreach (var buffer in batch) buffer.Release();
            batch.Clear();
            sending = false;
            finished.TrySetResult();
        }
    }

    private void DropQueue()
    {
        foreach (var buffer in queue) buffer.Release();
        queue.Clear();
        backlog = 0;
        CallDrained();
    }

    // Called on the pool: who is told may take locks of its own.
    private void CallDrained()
    {
        for (var i = waiting.Count - 1; i >= 0; i--)
        {
            if (backlog > waiting[i].Octets) continue;
            ThreadPool.UnsafeQueueUserWorkItem(static drained => drained(), waiting[i].Drained, preferLocal: false);
            waiting.RemoveAt(i);
        }
    }
}
