namespace Calico.Bgp.Fuzz;

/// <summary>Runs a target over inputs and keeps what it must not do: throw, or allocate more than its input's length allows.</summary>
public sealed class Fuzzing(string name)
{
    private const int FindingsKept = 10;
    private readonly Action<byte[]> target = FuzzTargets.All[name];

    public long Executions { get; private set; }
    public List<string> Findings { get; } = [];

    public override string ToString() => $"{name}: {Executions} executions, {Findings.Count} findings";

    public void Run(byte[] input)
    {
        Executions++;
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target(input);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            Keep(input, problem.ToString());
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > 64 * input.Length + 65536) Keep(input, $"{allocated} octets allocated for {input.Length}");
    }

    private void Keep(byte[] input, string problem)
    {
        if (Findings.Count < FindingsKept) Findings.Add($"{Convert.ToHexStringLower(input)}\n{problem}");
    }
}
