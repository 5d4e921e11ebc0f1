namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Waits until something holds; says what it saw last when it never does.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static async Task Equal<T>(T expected, Func<T> look)
    {
        var until = DateTime.UtcNow + Patience;
        while (!Equals(expected, look()) && DateTime.UtcNow < until) await Task.Delay(20);
        Assert.Equal(expected, look());
    }

    public static Task True(Func<bool> look) => Equal(true, look);
}
