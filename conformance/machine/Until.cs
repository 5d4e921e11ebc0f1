using System.Diagnostics;

namespace Calico.Bgp.Conformance.Machine;

/// <summary>Waiting for a condition, never for a time.</summary>
internal static class Until
{
    public static async Task TrueAsync(string what, Func<Task<bool>> condition, int seconds = 30, Func<Task<string>>? otherwise = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed.TotalSeconds > seconds)
                Assert.Fail($"Not within {seconds} s: {what}\n{(otherwise == null ? "" : await otherwise())}");
            await Task.Delay(150);
        }
    }

    /// <summary>The first answer that is not null.</summary>
    public static async Task<T> SomeAsync<T>(string what, Func<Task<T?>> ask, int seconds = 30, Func<Task<string>>? otherwise = null) where T : class
    {
        T? answer = null;
        await TrueAsync(what, async () => (answer = await ask()) != null, seconds, otherwise);
        return answer!;
    }
}
