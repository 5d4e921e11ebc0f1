using System.Diagnostics;

namespace Calico.Bgp.Conformance.Machine;

/// <summary>Waiting for a condition, never for a time.</summary>
internal static class Until
{
    public static async Task TrueAsync(string what, Func<Task<bool>> condition, int seconds = 30, Func<Task<string>>? otherwise = null)
    {
        if (!await WithinAsync(seconds, condition)) Assert.Fail($"Not within {seconds} s: {what}\n{(otherwise == null ? "" : await otherwise())}");
    }

    /// <summary>False when the time ran out.</summary>
    public static async Task<bool> WithinAsync(int seconds, Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed.TotalSeconds > seconds) return false;
            await Task.Delay(150);
        }
        return true;
    }

    /// <summary>The first answer that is not null.</summary>
    public static async Task<T> SomeAsync<T>(string what, Func<Task<T?>> ask, int seconds = 30, Func<Task<string>>? otherwise = null) where T : class
    {
        T? answer = null;
        await TrueAsync(what, async () => (answer = await ask()) != null, seconds, otherwise);
        return answer!;
    }
}
