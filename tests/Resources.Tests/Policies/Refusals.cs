namespace Calico.Bgp.Resources.Tests.Policies;

internal static class Refusals
{
    /// <summary>The object is refused, and for these fields.</summary>
    public static void Refused(string kind, string spec, params string[] fields)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico(kind, spec)).Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(fields, definition.Problems.Select(problem => problem.Field));
        Assert.All(definition.Problems, problem => Assert.Equal(ProblemSeverity.Error, problem.Severity));
    }

    /// <summary>The only one.</summary>
    public static string Reason(string kind, string spec) =>
        Assert.Single(Assert.Single(Manifest.Read(Manifest.Calico(kind, spec)).Definitions).Problems).Reason;
}
