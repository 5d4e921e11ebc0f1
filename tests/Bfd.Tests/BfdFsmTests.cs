using System.Runtime.CompilerServices;
using System.Text;

namespace Calico.Bgp.Bfd.Tests;

/// <summary>RFC 5880 section 6.8.6's state machine by its shadow, fsm.txt.</summary>
public class BfdFsmTests
{
    [Fact]
    public void The_table_is_the_reviewed_one()
    {
        var seen = Shadow();
        var actual = Path.Combine(AppContext.BaseDirectory, "fsm.txt");
        File.WriteAllText(actual, seen);
        Assert.True(seen == File.ReadAllText(Reviewed()), $"it changed; where that is meant, copy {actual} over {Reviewed()}");
    }

    private static string Shadow()
    {
        var text = new StringBuilder("What BfdFsm answers: state, what is heard → next state: why. Written by BfdFsmTests.\n");
        foreach (var at in Enum.GetValues<BfdState>())
        {
            text.Append('\n');
            foreach (var neighbour in Enum.GetValues<BfdState>()) Line(text, $"{at}, neighbour {neighbour}", BfdFsm.Hear(at, neighbour));
            Line(text, $"{at}, silence", BfdFsm.Expire(at));
        }
        return text.ToString();
    }

    private static void Line(StringBuilder text, string on, (BfdState Next, BfdDiagnostic Why) step) =>
        text.Append(on).Append(" → ").Append(step.Next).Append(": ")
            .Append(step.Why == BfdDiagnostic.None ? "–" : step.Why.ToString()).Append('\n');

    private static string Reviewed([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "fsm.txt");
}
