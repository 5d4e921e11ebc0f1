namespace Calico.Bgp.Bgpctl;

/// <summary>A terminal that is typed on.</summary>
/// <param name="Next">The next key; waits for it.</param>
/// <param name="Width">Of what is seen, in columns.</param>
internal sealed record Keyboard(Func<ConsoleKeyInfo> Next, Func<int> Width)
{
    /// <summary>Where a terminal does not say how wide it is.</summary>
    private const int UsualWidth = 80, LeastWidth = 20;

    public static Keyboard OfProcess { get; } = new(
        () => Console.ReadKey(intercept: true), () => Console.WindowWidth is >= LeastWidth and var width ? width : UsualWidth);

    /// <summary>While a line is typed Ctrl-C gives up the line, not the process.</summary>
    public string? Typing(Func<string?> read)
    {
        if (this != OfProcess) return read();
        Console.TreatControlCAsInput = true;
        try
        {
            return read();
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }
}
