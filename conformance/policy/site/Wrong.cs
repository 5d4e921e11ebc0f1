namespace Calico.Bgp.Conformance.Policy;

internal static class Wrong
{
    private const int Shown = 25;

    /// <summary>xUnit shows five lines, and those not whole.</summary>
    public static void None(IEnumerable<string> wrong)
    {
        var all = wrong.ToArray();
        Assert.True(all.Length == 0, $"{all.Length} wrong:\n{string.Join('\n', all.Take(Shown))}");
    }
}
