using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Calico.Bgp.Machine;

/// <summary>
/// Waiting for a condition, never for a time. Patience is for whom one waits for, not for the machine: a look that took long, because
/// others had the processors, costs little of it; and where what is seen still changes, it begins anew. What was waited for, and what was
/// seen last, stands in the message of who waited in vain.
/// </summary>
public static class Until
{
    private const int Seconds = 30;

    /// <summary>Whatever the machine does, and however much still changes: so many times the patience, and no longer.</summary>
    private const int AtMost = 10;

    /// <summary>What comes at once is seen at once; who waits long asks seldom.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5), LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>What one look costs of the patience at most.</summary>
    private static readonly TimeSpan DearestLook = TimeSpan.FromSeconds(1);

    /// <param name="what">What is waited for, as a sentence for the message.</param>
    /// <param name="holds"></param>
    /// <param name="seconds">The patience.</param>
    /// <param name="otherwise">What else the message says: logs, for one.</param>
    /// <exception cref="TimeoutException">It did not come.</exception>
    public static async Task TrueAsync(string what, Func<Task<bool>> holds, int seconds = Seconds, Func<Task<string>>? otherwise = null)
    {
        if (!await WithinAsync(seconds, holds)) throw Missed(what, seconds, otherwise == null ? "" : await otherwise());
    }

    /// <inheritdoc cref="TrueAsync(string, Func{Task{bool}}, int, Func{Task{string}}?)"/>
    public static Task TrueAsync(string what, Func<Task<bool>> holds, int seconds, Func<string> otherwise) =>
        TrueAsync(what, holds, seconds, () => Task.FromResult(otherwise()));

    /// <inheritdoc cref="TrueAsync(string, Func{Task{bool}}, int, Func{Task{string}}?)"/>
    public static Task TrueAsync(string what, Func<bool> holds, int seconds = Seconds, Func<string>? otherwise = null) =>
        TrueAsync(what, () => Task.FromResult(holds()), seconds, otherwise == null ? null : () => Task.FromResult(otherwise()));

    /// <summary>The same; the condition's own text says what is waited for.</summary>
    /// <exception cref="TimeoutException">It did not come.</exception>
    public static Task TrueAsync(Func<Task<bool>> holds, int seconds = Seconds,
        [CallerArgumentExpression(nameof(holds))] string what = "") =>
        TrueAsync(what, holds, seconds);

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, int, string)"/>
    public static Task TrueAsync(Func<bool> holds, int seconds = Seconds, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        TrueAsync(what, holds, seconds);

    /// <summary>False when the patience was at its end.</summary>
    public static async Task<bool> WithinAsync(int seconds, Func<Task<bool>> holds, CancellationToken stop = default) =>
        (await LookAsync(holds, held => held, seconds, stop)).Held;

    /// <inheritdoc cref="WithinAsync(int, Func{Task{bool}}, CancellationToken)"/>
    public static Task<bool> WithinAsync(int seconds, Func<bool> holds) => WithinAsync(seconds, () => Task.FromResult(holds()));

    /// <summary>The first answer that is not null.</summary>
    /// <exception cref="TimeoutException">There was none.</exception>
    public static async Task<T> SomeAsync<T>(string what, Func<Task<T?>> ask, int seconds = Seconds, Func<string>? otherwise = null)
        where T : class
    {
        var (held, answer) = await LookAsync(ask, answer => answer != null, seconds, default);
        return held ? answer! : throw Missed(what, seconds, otherwise?.Invoke() ?? "");
    }

    /// <inheritdoc cref="SomeAsync{T}(string, Func{Task{T}}, int, Func{string}?)"/>
    public static Task<T> SomeAsync<T>(string what, Func<T?> ask, int seconds = Seconds, Func<string>? otherwise = null) where T : class =>
        SomeAsync(what, () => Task.FromResult(ask()), seconds, otherwise);

    /// <summary>Looks until what is seen is as it should be; patience begins anew with each thing that is seen.</summary>
    /// <returns>What was seen.</returns>
    /// <exception cref="TimeoutException">It came to rest, and was not as it should be.</exception>
    public static async Task<T> SeenAsync<T>(string what, Func<Task<T>> look, Func<T, bool> right, int seconds = Seconds,
        Func<string>? otherwise = null)
    {
        var (held, seen) = await LookAsync(look, right, seconds, default);
        return held ? seen : throw Missed(what, seconds, $"seen last: {seen}\n{otherwise?.Invoke()}");
    }

    /// <summary>The same for one value, which is the only right one.</summary>
    /// <exception cref="TimeoutException">Another one stayed.</exception>
    public static Task EqualAsync<T>(
        T expected, Func<T> look, int seconds = Seconds, [CallerArgumentExpression(nameof(look))] string what = "") =>
        SeenAsync($"{what} is {expected}", () => Task.FromResult(look()), seen => Equals(seen, expected), seconds);

    /// <summary>What is seen has not changed for so long.</summary>
    /// <exception cref="TimeoutException">It changes all the while.</exception>
    public static async Task<T> RestsAsync<T>(string what, Func<Task<T>> look, TimeSpan quiet, int seconds = Seconds)
    {
        var (seen, since) = (await look(), Stopwatch.GetTimestamp());
        await TrueAsync($"{what} comes to rest", async () =>
        {
            var now = await look();
            if (!Equals(now, seen)) (seen, since) = (now, Stopwatch.GetTimestamp());
            return Stopwatch.GetElapsedTime(since) >= quiet;
        }, seconds, () => $"seen last: {seen}");
        return seen;
    }

    /// <summary>What is seen now is seen so long: whoever changes it is caught at once, and nothing shorter shows that nobody
    /// does.</summary>
    /// <exception cref="InvalidOperationException">It did not stay.</exception>
    public static async Task StaysAsync<T>(string what, Func<Task<T>> look, int seconds)
    {
        var (began, first) = (Stopwatch.GetTimestamp(), await look());
        while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds)
        {
            await Task.Delay(LongestPause);
            if (await look() is var now && !Equals(now, first))
                throw new InvalidOperationException($"{what} should have stayed {first}, and became {now}");
        }
    }

    private static async Task<(bool Held, T Seen)> LookAsync<T>(
        Func<Task<T>> look, Func<T, bool> right, int seconds, CancellationToken stop)
    {
        var (patience, spent, pause) = (TimeSpan.FromSeconds(seconds), TimeSpan.Zero, FirstPause);
        var began = Stopwatch.GetTimestamp();
        var seen = await look();
        while (!right(seen))
        {
            if (spent > patience || Stopwatch.GetElapsedTime(began) > AtMost * patience) return (false, seen);
            var since = Stopwatch.GetTimestamp();
            await Task.Delay(pause, stop);
            var now = await look();
            var cost = Stopwatch.GetElapsedTime(since);
            spent = !Equals(now, seen) ? TimeSpan.Zero : spent + (cost < pause + DearestLook ? cost : pause + DearestLook);
            seen = now;
            if (pause < LongestPause) pause *= 1.5;
        }
        return (true, seen);
    }

    private static TimeoutException Missed(string what, int seconds, string more) => new($"Not within {seconds} s: {what}\n{more}");
}
