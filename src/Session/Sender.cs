using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <summary>
/// One connection's way out. Routes wait in a queue of shared buffers; several are handed to the kernel in one gathering send.
/// KEEPALIVE, NOTIFICATION and the like overtake the queue, but never the batch that is half sent. There is no task while there
/// is nothing to send: who adds the first thing starts one, or, where it is little (<see cref="OutBuffer.IsPrompt"/>), sends it himself.
/// </summary>
internal sealed class Sender(Socket socket, ushort peer, TimeProvider time, ConnectionCounters counters, Action<Exception> failed)
    : IOutlet, IThreadPoolWorkItem
{
    // A peer that reads slowly delays our keepalives by one batch at most; and the kernel takes 1,024 segments at once.
    private const int BatchOctets = 1 << 18, BatchSegments = 512;

    private readonly Lock gate = new();
    private readonly Queue<ArraySegment<byte>> urgent = new();
    private readonly Queue<OutBuffer> queue = new();
    private readonly List<(long Octets, Action Drained)> waiting = [];
    private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Whose turn it is to send: the task's, or the caller's.
    private readonly List<OutBuffer> batch = [];
    private readonly List<ArraySegment<byte>> segments = [];

    private bool sending, closed, frozen;
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
        var (isPrompt, isLate) = (buffer.IsPrompt, false);
        lock (gate)
        {
            if (!closed)
            {
                queue.Enqueue(buffer);
                backlog += buffer.Length;
                if (sending) return;
                Begin();
                if (!isPrompt) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
            else isLate = true;
        }
        if (isLate) buffer.Release();
        else if (isPrompt) SendHere();
    }

    /// <summary>Ahead of all routes that wait.</summary>
    public void SendNow(ReadOnlyMemory<byte> message)
    {
        lock (gate)
        {
            if (closed) return;
            urgent.Enqueue(ArrayOf(message));
            if (sending) return;
            Begin();
        }
        SendHere();
    }

    /// <summary>Lets a last message out and drops everything else.</summary>
    public void Finish(ReadOnlyMemory<byte>? last)
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
            DropQueue();
            if (last is { } message) urgent.Enqueue(ArrayOf(message));
            if (sending) return;
            if (urgent.Count == 0)
            {
                finished.TrySetResult();
                return;
            }
            Begin();
        }
        SendHere();
    }

    /// <summary>Nothing waits, and the kernel has all that was sent; from now on what comes waits. False: it is not so now.</summary>
    public bool TryFreeze()
    {
        lock (gate)
        {
            if (sending || closed || queue.Count > 0 || urgent.Count > 0) return false;
            frozen = true;
            Begin();
            return true;
        }
    }

    /// <summary>What has come meanwhile goes.</summary>
    public void Thaw()
    {
        lock (gate)
        {
            if (!frozen) return;
            frozen = false;
            progress = time.GetTimestamp();
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
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

    private void Begin()
    {
        sending = true;
        progress = time.GetTimestamp();
    }

    /// <summary>The caller sends what the kernel takes at once; what is left is for the pool.</summary>
    private void SendHere()
    {
        if (!Gather()) return;
        try
        {
            // Nothing to send: all of it is for others.
            var sent = 0;
            var error = SocketError.Success;
            if (segments.Count > 0) sent = socket.Send(Some(), SocketFlags.None, out error);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                Abandon();
                return;
            }
            if (Advance(sent))
            {
                Sent();
                if (!Gather()) return;
            }
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        catch (ObjectDisposedException)
        {
            Abandon();
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (Gather())
            {
                while (segments.Count > 0)
                {
                    var sent = segments.Count == 1
                        ? await socket.SendAsync(segments[0], SocketFlags.None)
                        : await socket.SendAsync(Some(), SocketFlags.None);
                    Progress();
                    Advance(sent);
                }
                Sent();
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The reader meets the same end and tells the session.
            Abandon();
        }
        catch (Exception mistake)
        {
            Abandon();
            failed(mistake);
        }
    }

    /// <summary>What the kernel takes in one call.</summary>
    private List<ArraySegment<byte>> Some() => segments.Count <= BatchSegments ? segments : segments.GetRange(0, BatchSegments);

    /// <summary>What goes next, unless there is a rest to send first. False: nothing is left, and the task ends.</summary>
    private bool Gather()
    {
        lock (gate)
        {
            if (segments.Count > 0) return true;
            if (urgent.TryDequeue(out var message)) segments.Add(message);
            var octets = segments.Count > 0 ? BatchOctets : 0L;
            while (octets < BatchOctets && segments.Count < BatchSegments && queue.TryDequeue(out var buffer))
            {
                batch.Add(buffer);
                octets += buffer.SegmentsFor(peer, segments);
            }
            if (segments.Count > 0 || batch.Count > 0)
            {
                foreach (var segment in segments) counters.CountOut(segment);
                return true;
            }
            sending = false;
            if (closed) finished.TrySetResult();
            return false;
        }
    }

    /// <summary>So many octets have gone. True: all that was gathered.</summary>
    private bool Advance(int sent)
    {
        var whole = 0;
        while (whole < segments.Count && sent >= segments[whole].Count) sent -= segments[whole++].Count;
        segments.RemoveRange(0, whole);
        if (segments.Count == 0) return true;
        segments[0] = segments[0][sent..];
        return false;
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
            CallDrained();
        }
    }

    private static ArraySegment<byte> ArrayOf(ReadOnlyMemory<byte> message) =>
        MemoryMarshal.TryGetArray(message, out var array) ? array : message.ToArray();

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
            segments.Clear();
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
