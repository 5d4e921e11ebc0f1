using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>One object as one place of a source defines it.</summary>
/// <param name="Value">Null: it is refused; why is in <paramref name="Problems"/>.</param>
/// <param name="Line">Where it begins.</param>
/// <param name="Size">Values that are written there: one that has fewer than before has lost some.</param>
public sealed record ResourceDefinition(
    ResourceId Id, Resource? Value, int Line, ImmutableArray<ResourceProblem> Problems, int Size = 0)
{
    /// <summary>What counts of it while it is refused and no version was ever good.</summary>
    public Resource? WhileRefused { get; init; }
}

/// <summary>What a document says: objects, and what is wrong without belonging to one of ours.</summary>
public sealed record ResourceReading(ImmutableArray<ResourceDefinition> Definitions, ImmutableArray<ResourceProblem> Problems)
{
    public static readonly ResourceReading Nothing = new([], []);

    /// <summary>A list without its end: nobody knows which objects that held.</summary>
    public bool IsCutOff { get; init; }

    /// <summary>The same, further down in the file.</summary>
    public ResourceReading Shifted(int lines) => lines == 0 ? this : this with
    {
        Definitions = [.. Definitions.Select(one => one with { Line = one.Line + lines, Problems = Shifted(one.Problems, lines) })],
        Problems = Shifted(Problems, lines),
    };

    private static ImmutableArray<ResourceProblem> Shifted(ImmutableArray<ResourceProblem> problems, int lines) =>
        [.. problems.Select(problem => problem with { Line = problem.Line + lines })];
}
