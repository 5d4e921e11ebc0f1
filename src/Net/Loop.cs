using System.Threading.Channels;

namespace Calico.Bgp.Net;

/// <summary>What a defect in a loop does: an exception that nobody foresaw, so that what the loop owns may be half changed.</summary>
public enum OnDefect
{
    /// <summary>The process ends: routes and rules stay in the kernel, and the supervisor starts us again within a second.</summary>
    EndProcess,
    /// <summary>The loop begins again at once. Its body first puts right what was left half done, and makes progress even where it
    /// fails.</summary>
    StartAgain,
    /// <summary>The loop ends and nobody else with it: one client of many.</summary>
    EndLoop,
}

/// <summary>One loop as others see it.</summary>
/// <param name="Of">Whose loop, where there are several of a name: a peer, a folder.</param>
/// <param name="InTurnFor">How long it has been at work on the same thing; null: it rests.</param>
/// <param name="HasFailed">It ended by a defect.</param>
public sealed record LoopStatus(
    string Name, string? Of, OnDefect OnDefect, TimeSpan SinceBeat, TimeSpan? InTurnFor, TimeSpan LongestTurn, int Defects, bool HasFailed);

/// <summary>
/// One of the house's loops: whoever owns something that changes, and takes news of it one after the other. It beats: a turn is from when
/// it takes something up until it takes up the next or waits, so that a loop that hangs is told from one that has nothing to do. Made by
/// <see cref="Loops"/>.
/// </summary>
public sealed class Loop
{
    private const long Resting = -1;

    private readonly Loops all;
    private readonly TimeProvider time;
    private long beat, began, longest;
    private int defects;

    internal Loop(Loops all, TimeProvider time, string name, string? of, OnDefect onDefect, TimeSpan patience)
    {
        (this.all, this.time, Name, Of, OnDefect, Patience) = (all, time, name, of, onDefect, patience);
        beat = began = time.GetTimestamp();
    }

    public string Name { get; }
    public string? Of { get; }
    public OnDefect OnDefect { get; }

    /// <summary>A longer turn than this is taken for one that never ends.</summary>
    internal TimeSpan Patience { get; }
    internal string Words => Of == null ? Name : $"{Name} {Of}";
    internal bool HasFailed { get; private set; }

    /// <summary>How many times it has begun again.</summary>
    public int Defects => Volatile.Read(ref defects);

    /// <summary>Completes when the loop has ended, as it was told or by its defect; never fails.</summary>
    public Task Ended { get; internal set; } = Task.CompletedTask;

    public LoopStatus Status
    {
        get
        {
            var (turn, now) = (Volatile.Read(ref began), time.GetTimestamp());
            var inTurn = turn == Resting || HasFailed ? (TimeSpan?)null : time.GetElapsedTime(turn, now);
            var last = TimeSpan.FromTicks(Math.Max(Volatile.Read(ref longest), inTurn?.Ticks ?? 0));
            return new(Name, Of, OnDefect, time.GetElapsedTime(Volatile.Read(ref beat), now), inTurn, last, Defects, HasFailed);
        }
    }

    /// <summary>A turn begins, and the one before it ends.</summary>
    public void Beat()
    {
        Begin();
        all.MeetProvoked(this);
    }

    internal void Begin() => Volatile.Write(ref began, EndTurn());

    /// <summary>It waits from here on.</summary>
    public void Rest()
    {
        EndTurn();
        Volatile.Write(ref began, Resting);
    }

    private long EndTurn()
    {
        var now = time.GetTimestamp();
        if (began != Resting && time.GetElapsedTime(began, now).Ticks is var took && took > longest) Volatile.Write(ref longest, took);
        Volatile.Write(ref beat, now);
        return now;
    }

    /// <summary>Rests until something has come; false: nothing will any more.</summary>
    public async ValueTask<bool> NewsAsync<T>(ChannelReader<T> inbox, CancellationToken stop = default)
    {
        Rest();
        var any = await inbox.WaitToReadAsync(stop).ConfigureAwait(false);
        Beat();
        return any;
    }

    /// <summary>Takes all that comes, each a turn of its own, until nothing will come any more.</summary>
    public async Task TakeAllAsync<T>(ChannelReader<T> inbox, Func<T, ValueTask> take, CancellationToken stop = default)
    {
        while (await NewsAsync(inbox, stop).ConfigureAwait(false))
        {
            while (inbox.TryRead(out var news))
            {
                await take(news).ConfigureAwait(false);
                Beat();
            }
        }
    }

    /// <summary>The turn waits for another loop, which has beats of its own: that is rest for this one.</summary>
    public async Task WaitForAsync(Task other)
    {
        Rest();
        await other.ConfigureAwait(false);
        Beat();
    }

    /// <summary>A defect met by whoever had this loop's turn in its place.</summary>
    public void Failed(Exception defect) => all.Handle(this, defect);

    internal void Count(bool isLast)
    {
        defects++;
        HasFailed = isLast;
    }
}
