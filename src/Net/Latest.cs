using System.Threading.Channels;

namespace Calico.Bgp.Net;

/// <summary>
/// A bell for one listener: however often it is rung before he hears it, he hears it once. Ringing never waits, so that anybody may, on any
/// thread, as often as he likes.
/// </summary>
/// <param name="ring">Called for the first ring that has not been heard, by listeners who wait for other things too (a word in their
/// inbox); without it one listens by <see cref="HeardAsync(CancellationToken)"/>.</param>
public sealed class Bell(Action? ring = null)
{
    private readonly Channel<bool> rung = Channel.CreateBounded<bool>(1);
    private int isRung;

    public void Ring()
    {
        if (Interlocked.Exchange(ref isRung, 1) != 0) return;
        if (ring != null) ring();
        else rung.Writer.TryWrite(true);
    }

    /// <summary>The listener looks from here on: what rings now, rings again.</summary>
    public void Hear() => Interlocked.Exchange(ref isRung, 0);

    /// <summary>Ends when it was rung since it was last heard.</summary>
    public async Task HeardAsync(CancellationToken stop)
    {
        await rung.Reader.ReadAsync(stop).ConfigureAwait(false);
        Hear();
    }

    /// <summary>The same, for so long; false: it was not rung.</summary>
    public async Task<bool> HeardAsync(TimeSpan patience, TimeProvider time, CancellationToken stop)
    {
        using var end = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, stop);
        try
        {
            await HeardAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }
}

/// <summary>
/// The newest value of something that others change, and a ring for its one reader. What changed in between he never sees, so nothing piles
/// up, however fast it changes and however slow he is.
/// </summary>
/// <param name="ring">As <see cref="Bell"/>'s.</param>
public sealed class Latest<T>(T first, Action ring) where T : class?
{
    private readonly Bell bell = new(ring);
    private volatile T newest = first;

    /// <summary>As of now; for whoever only looks.</summary>
    public T Value => newest;

    public void Set(T value)
    {
        newest = value;
        bell.Ring();
    }

    /// <summary>For the one who was rung: a newer one rings again.</summary>
    public T Take()
    {
        bell.Hear();
        return newest;
    }
}
