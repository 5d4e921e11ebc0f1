using System.Globalization;
using Xunit.Abstractions;

namespace Calico.Bgp.Fuzz;

/// <summary>
/// The corpus replayed through every target, then a bounded number of damaged inputs, always the same ones.
/// FUZZ_EXECUTIONS says how many in all; 200,000 unless it does.
/// </summary>
public class FuzzTests(ITestOutputHelper output)
{
    private const long DefaultExecutions = 200_000;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    private static long PerTarget
    {
        get
        {
            var said = Environment.GetEnvironmentVariable("FUZZ_EXECUTIONS");
            return (said == null ? DefaultExecutions : long.Parse(said, CultureInfo.InvariantCulture)) / FuzzTargets.All.Count;
        }
    }

    [NeedsTheory(Needs.Shared + Corpus.Messages)]
    [MemberData(nameof(Targets))]
    public void Messages_from_the_wild_find_nothing(string target)
    {
        var fuzzing = new Fuzzing(target);
        // As what they are, and as what they are not.
        foreach (var input in Corpus.For(target).Concat(Corpus.All)) fuzzing.Run(input);
        Report(fuzzing);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Damaged_messages_find_nothing(string target)
    {
        var fuzzing = new Fuzzing(target);
        var mutator = Corpus.Mutator(target, seed: 1);
        while (fuzzing.Executions < PerTarget) fuzzing.Run(mutator.Next());
        Report(fuzzing);
    }

    private void Report(Fuzzing fuzzing)
    {
        output.WriteLine(fuzzing.ToString());
        Assert.Equal([], fuzzing.Findings);
    }
}
