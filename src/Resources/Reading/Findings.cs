namespace Calico.Bgp.Resources.Reading;

/// <summary>What is wrong with one object, by field path, collected while its reading goes on: one reading shows all mistakes.</summary>
internal sealed class Findings
{
    private readonly List<(ProblemSeverity Severity, string Field, int Line, string Reason)> found = [];

    public bool HasErrors { get; private set; }

    public void Error(string field, int line, string reason)
    {
        HasErrors = true;
        found.Add((ProblemSeverity.Error, field, line, reason));
    }

    public void Warn(string field, int line, string reason) => found.Add((ProblemSeverity.Warning, field, line, reason));

    /// <summary>Errors become warnings that end with what becomes of it.</summary>
    public void MoveTo(Findings others, string consequence)
    {
        foreach (var (severity, field, line, reason) in found)
            others.Warn(field, line, severity == ProblemSeverity.Error ? $"{reason}: {consequence}" : reason);
    }

    public IEnumerable<ResourceProblem> Problems(string @object, string file) =>
        found.Select(one => new ResourceProblem(@object, one.Field, one.Reason, file, one.Line, one.Severity));
}

/// <summary>The way to a field from the object's root; only spelled when something is wrong there.</summary>
internal sealed record FieldPath(FieldPath? Within, string Name, int Index)
{
    public override string ToString() => Index >= 0 ? $"{Within}[{Index}]" : Within == null ? Name : $"{Within}.{Name}";
}
