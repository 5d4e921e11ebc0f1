using Calico.Bgp.Dataplane;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

/// <summary>Versions of objects that are refused, for those who ask about the object: whoever looks at what is in force has to know that it
/// is not what was written last.</summary>
internal sealed class RefusedObjects(IDaemon daemon)
{
    private readonly ILookup<string, ResourceProblem> refused = (daemon.Planned?.ResourceProblems ?? [])
        .Where(problem => problem is { Severity: ProblemSeverity.Error, Object.Length: > 0 })
        .ToLookup(problem => problem.Object, StringComparer.Ordinal);

    /// <summary>Why the newest version of an object is not in force; null: it is.</summary>
    public string? Of(string id) => refused[id].ToArray() switch
    {
        [] => null,
        [var only] => WordsOf(only),
        [var first, .. var more] => $"{WordsOf(first)}, and {more.Length} more",
    };

    /// <summary>Why an object of this kind that nobody knows a good version of is not there; null: none of this name is refused.</summary>
    /// <param name="isKind">Of the kind's word.</param>
    public string? WithoutEffect(Predicate<string> isKind, string name) => refused
        .Where(of => isKind(of.Key.Split('/')[0]) && name.Length > 0
            && (of.Key == name || of.Key.EndsWith("/" + name, StringComparison.Ordinal)))
        .SelectMany(of => of).Where(problem => problem.IsWithoutEffect)
        .Select(problem => $"refused: {problem}; no good version of it is known, so that it has no effect").FirstOrDefault();

    /// <summary>Policies of the cluster, and of the namespaces of those who were asked, that are not what was written last.</summary>
    public IEnumerable<string> Of(PolicyExplanation explanation)
    {
        var spaces = explanation.Programs.Select(program => program.Endpoint?.Split('/')).OfType<string[]>()
            .Where(parts => parts.Length == 2).Select(parts => parts[0]).ToHashSet(StringComparer.Ordinal);
        return refused.Where(of => of.Key.Split('/') is var parts && IsPolicy(parts[0]) && (parts.Length < 3 || spaces.Contains(parts[1])))
            .Select(of => $"{of.Key} is not in force as it is written: {Of(of.Key)}; "
                + (of.First().IsWithoutEffect ? "no good version of it is known, and it is not asked" : "its last good version is asked"));
    }

    /// <summary>Of packets.</summary>
    public static bool IsPolicy(string kind) =>
        kind.EndsWith("Policy", StringComparison.Ordinal) && kind != Kinds.EgressGatewayPolicy.Word;

    private static string WordsOf(ResourceProblem problem)
    {
        var field = problem.Field.Length == 0 ? "" : $"{problem.Field}: ";
        var place = problem.Line > 0 ? $"{new ResourcePlace(problem.File, problem.Line)}" : problem.File;
        return $"{field}{problem.Reason} ({place})";
    }
}
