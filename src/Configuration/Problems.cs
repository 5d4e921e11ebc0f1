using System.Collections.Immutable;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary>Something wrong (or not yet acted on) in bgpd.yaml: where (from 1), what was expected, what came.</summary>
public sealed record ConfigProblem(string File, int Line, int Column, string Text)
{
    /// <summary>As compilers print it, so that editors jump there. A problem of the file as a whole has no line.</summary>
    public string Where => Line == 0 ? File : $"{File}:{Line}:{Column}";

    public override string ToString() => $"{Where}: {Text}";
}

/// <summary>
/// Collects what is wrong with a file while its reading goes on, so that one run shows all mistakes; after a hundred it only counts, since
/// by then the file is of another kind.
/// </summary>
internal sealed class Problems(string file)
{
    private const int Limit = 100;

    private readonly List<ConfigProblem> errors = [];
    private readonly List<ConfigProblem> warnings = [];
    private int omitted;

    public string File { get; } = file;
    public bool HasErrors => errors.Count > 0;

    public void Error(DocumentNode at, string text) => Error(at.Line, at.Column, text);

    public void Error(int line, int column, string text)
    {
        if (errors.Count < Limit) errors.Add(new(File, line, column, text));
        else omitted++;
    }

    public void Warn(DocumentNode at, string text)
    {
        if (warnings.Count < Limit) warnings.Add(new(File, at.Line, at.Column, text));
    }

    /// <summary>In the order of the file, whatever the order of reading was.</summary>
    public ImmutableArray<ConfigProblem> Errors
    {
        get
        {
            var sorted = InOrder(errors);
            return omitted == 0 ? sorted : sorted.Add(new(File, 0, 0, omitted == 1 ? "1 more error" : $"{omitted} more errors"));
        }
    }

    public ImmutableArray<ConfigProblem> Warnings => InOrder(warnings);

    private static ImmutableArray<ConfigProblem> InOrder(List<ConfigProblem> list) =>
        [.. list.OrderBy(problem => problem.Line).ThenBy(problem => problem.Column)];
}
