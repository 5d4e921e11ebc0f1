using System.Buffers;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <content>
/// A connection at rest, which another process may have. What the peer says waits in its kernel and ours, and what had come already is
/// copied; the socket stays open here, so that we can go on where nobody takes it.
/// </content>
internal sealed partial class Connection
{
    /// <summary>Until it goes on; what the reader finds when both have come to rest.</summary>
    private sealed class Standing
    {
        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Filled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource<byte[]> Unread { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private readonly Lock turns = new();
    private volatile Standing? rest;
    private bool isFilling;
    private CancellationTokenSource lifting = new();
    private ReadOnlyMemory<byte> early;

    /// <summary>Nothing is lifted from the socket any more, and the sink has taken all whole messages up to a burst.</summary>
    /// <returns>What had been lifted and not been heard; null: the connection has ended.</returns>
    public async Task<byte[]?> StandStillAsync()
    {
        var standing = new Standing();
        lock (turns)
        {
            rest = standing;
            if (!isFilling) standing.Filled.SetResult();
        }
        // A receive may wait though the socket was ready for it: the kernel says so at times, and nothing comes.
        await lifting.CancelAsync();
        await Task.WhenAny(standing.Filled.Task, filling);
        // From here on nothing is added: a reader that is woken by this sees all that there is.
        pipe.Reader.CancelPendingRead();
        await Task.WhenAny(standing.Unread.Task, reading);
        return standing.Unread.Task.IsCompletedSuccessfully ? await standing.Unread.Task : null;
    }

    /// <summary>Nobody has taken it, or it ends.</summary>
    public void GoOn()
    {
        Standing? standing;
        lock (turns)
        {
            (standing, rest) = (rest, null);
            if (standing != null && !closed)
            {
                lifting = new();
                // Who has spoken meanwhile was not silent, and the hold timer may be looked at before it is read. Asked for before anybody
                // lifts again: octets on their way from the socket into the pipe are in neither.
                if (HasUnread) Volatile.Write(ref lastHeard, time.GetTimestamp());
            }
        }
        standing?.Over.TrySetResult();
    }

    private async Task StandStillAsync(Standing standing, ReadOnlySequence<byte> unread)
    {
        standing.Unread.TrySetResult(unread.ToArray());
        pushedBack = true;
        await standing.Over.Task;
        pushedBack = false;
    }

    /// <returns>Null: it is to stand still, and nothing was lifted.</returns>
    private async ValueTask<int?> LiftAsync(Memory<byte> room)
    {
        try
        {
            return await socket.ReceiveAsync(room, lifting.Token);
        }
        catch (OperationCanceledException) when (!closed)
        {
            EndFilling();
            return null;
        }
    }

    private bool TryBeginFilling(out Task standing)
    {
        lock (turns)
        {
            standing = rest?.Over.Task ?? Task.CompletedTask;
            isFilling = rest == null;
            return isFilling;
        }
    }

    private void EndFilling()
    {
        lock (turns)
        {
            isFilling = false;
            rest?.Filled.TrySetResult();
        }
    }

    /// <summary>It is no more.</summary>
    public bool HasEnded => closed;

    /// <summary>Own address and the peer's.</summary>
    public static (Address Local, Address Remote) EndsOf(Socket socket) =>
        (AddressOf(socket.LocalEndPoint), AddressOf(socket.RemoteEndPoint));

    /// <summary>Another process had it, agreed on this, and had lifted so much that it did not hear.</summary>
    public void Adopt(Negotiated negotiated, ReadOnlyMemory<byte> unread, IRouteSink routes)
    {
        framer.ExtendedMessages = negotiated.ExtendedMessages;
        Establish(negotiated, routes);
        early = unread;
    }

    /// <summary>So long ago the peer was last heard.</summary>
    public void TakeSilence(TimeSpan silence) =>
        Volatile.Write(ref lastHeard, time.GetTimestamp() - (long)(silence.TotalSeconds * time.TimestampFrequency));

    private async ValueTask LetInAsync()
    {
        Volatile.Write(ref arrived, arrived + early.Length);
        await pipe.Writer.WriteAsync(early, closing.Token);
        early = default;
    }
}
