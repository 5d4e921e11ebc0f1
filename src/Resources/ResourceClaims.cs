using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Resources;

/// <summary>
/// Who defines which object, and which definition counts: of several origins the first that ever defined it well. A definition that turned
/// bad keeps its last good value; one that is gone from its origin is gone here.
/// </summary>
internal sealed class ResourceClaims
{
    private sealed record Claim(ResourceOrigin Origin, ResourceDefinition Definition, Resource? Good);

    private sealed record OriginState(HashSet<ResourceId> Defined);

    /// <param name="Of">Whose it is; null: of the origin, or of an object that is not known by name.</param>
    private readonly record struct Said(ResourceProblem Problem, ResourceId? Of);

    private readonly Dictionary<ResourceOrigin, OriginState> origins = [];
    /// <summary>Sorted by origin; nearly always one.</summary>
    private readonly Dictionary<ResourceId, Claim[]> claims = [];
    private readonly SortedSet<ResourceId> contested = [];
    private readonly Dictionary<(int Source, ResourceKind Kind), int> counts = [];
    /// <summary>Problems of origins and of single definitions, by what they belong to.</summary>
    private readonly SortedDictionary<ResourceOrigin, ImmutableArray<Said>> problems = [];

    /// <summary>Something that <see cref="Problems"/> tells may have changed since it was last asked.</summary>
    public bool ProblemsChanged { get; private set; }

    public Resource? Winner(ResourceId id)
    {
        foreach (var claim in claims.GetValueOrDefault(id, []))
            if (claim.Good != null) return claim.Good;
        return claims.GetValueOrDefault(id, []) is [var first, ..] ? first.Definition.WhileRefused : null;
    }

    /// <summary>Of each object that is tried what the sources say. Nearly always none.</summary>
    public (ResourceId Id, Resource? Beneath)[] Masked() => origins.TryGetValue(ResourceOrigin.Trial, out var tried)
        ? [.. tried.Defined.Select(id => (id, Beneath(id)))] : [];

    public bool IsTried(ResourceId id) => claims.GetValueOrDefault(id, []) is [var first, ..] && first.Origin == ResourceOrigin.Trial;

    /// <summary>What would count, were it not tried.</summary>
    public Resource? Beneath(ResourceId id)
    {
        foreach (var claim in claims.GetValueOrDefault(id, []))
            if (claim.Good != null && claim.Origin != ResourceOrigin.Trial) return claim.Good;
        return null;
    }

    /// <summary>How many objects a source defines, by the words of their kinds.</summary>
    public ImmutableSortedDictionary<string, int> Count(int source) =>
        counts.Where(one => one.Key.Source == source && one.Value > 0)
            .GroupBy(one => one.Key.Kind.Word, one => one.Value)
            .ToImmutableSortedDictionary(kind => kind.Key, kind => kind.Sum(), StringComparer.Ordinal);

    private void Count(ResourceOrigin origin, ResourceKind kind, int more) =>
        CollectionsMarshal.GetValueRefOrAddDefault(counts, (origin.Source, kind), out _) += more;

    /// <summary>Of the definition that counts; null: nobody defines it, or no file does.</summary>
    public ResourcePlace? PlaceOf(ResourceId id)
    {
        foreach (var claim in claims.GetValueOrDefault(id, []))
            if (claim is { Good: not null, Definition.Line: > 0 }) return new(claim.Origin.Name, claim.Definition.Line);
        return null;
    }

    /// <summary>Takes what an origin says now; returns the objects that this may have changed.</summary>
    public IReadOnlyCollection<ResourceId> Replace(OriginContent content)
    {
        var before = origins.GetValueOrDefault(content.Origin);
        var defined = new HashSet<ResourceId>();
        var doubles = new List<Said>();
        foreach (var definition in content.Definitions)
            if (defined.Add(definition.Id)) Put(content.Origin, definition);
            else doubles.Add(new(Second(definition, content), definition.Id));
        var touched = new HashSet<ResourceId>(defined);
        foreach (var id in before?.Defined ?? [])
            if (!defined.Contains(id) && touched.Add(id)) Leave(content, id, defined);
        Remember(content, defined,
        [
            .. content.Problems.Select(one => new Said(one, null)), .. doubles,
            .. content.Definitions.SelectMany(one => one.Problems.Select(problem => new Said(problem, one.Id))),
        ]);
        return touched;
    }

    /// <summary>Of an object no origin knows a good version by now; of an origin nothing is known that it defines.</summary>
    private bool IsWithoutEffect(ResourceOrigin origin, ResourceId? of) =>
        of is { } id ? Winner(id) == null : !origins.TryGetValue(origin, out var state) || state.Defined.Count == 0;

    /// <summary>The origin shows the object no longer: gone, or kept because a part of the origin cannot be read.</summary>
    private void Leave(OriginContent content, ResourceId id, HashSet<ResourceId> defined)
    {
        if (!content.Whole) defined.Add(id);
        else Withdraw(content.Origin, id);
    }

    private void Put(ResourceOrigin origin, ResourceDefinition definition)
    {
        ref var of = ref CollectionsMarshal.GetValueRefOrAddDefault(claims, definition.Id, out _);
        of ??= [];
        var place = Array.FindIndex(of, claim => claim.Origin == origin);
        var claim = new Claim(origin, definition, definition.Value ?? (place >= 0 ? of[place].Good : null));
        if (place >= 0) of[place] = claim;
        else
        {
            of = [.. of.Append(claim).OrderBy(one => one.Origin)];
            Count(origin, definition.Id.Kind, 1);
        }
        if (of.Length > 1) { contested.Add(definition.Id); ProblemsChanged = true; }
    }

    private void Withdraw(ResourceOrigin origin, ResourceId id)
    {
        Count(origin, id.Kind, -1);
        var rest = Array.FindAll(claims[id], claim => claim.Origin != origin);
        if (rest.Length == 0) claims.Remove(id);
        else claims[id] = rest;
        if (!contested.Contains(id)) return;
        ProblemsChanged = true;
        if (rest.Length < 2) contested.Remove(id);
    }

    private void Remember(OriginContent content, HashSet<ResourceId> defined, ImmutableArray<Said> now)
    {
        var before = problems.GetValueOrDefault(content.Origin, []);
        var hadAny = origins.TryGetValue(content.Origin, out var state) && state.Defined.Count > 0;
        if (!before.SequenceEqual(now) || (!now.IsEmpty && hadAny != defined.Count > 0)) ProblemsChanged = true;
        if (now.IsEmpty) problems.Remove(content.Origin);
        else problems[content.Origin] = now;
        if (defined.Count == 0 && now.IsEmpty) origins.Remove(content.Origin);
        else origins[content.Origin] = new(defined);
    }

    /// <summary>All problems, in the order of files and lines.</summary>
    public ImmutableArray<ResourceProblem> Problems()
    {
        ProblemsChanged = false;
        var all = problems.SelectMany(said => said.Value.Select(one => one.Problem.Severity == ProblemSeverity.Error
            ? one.Problem with { IsWithoutEffect = IsWithoutEffect(said.Key, one.Of) } : one.Problem))
            .Concat(contested.SelectMany(Losers)).Order();
        var said = new HashSet<string>(StringComparer.Ordinal);
        return [.. all.Where(problem => !IsAboutAKind(problem) || said.Add(problem.Reason))];
    }

    /// <summary>A kind that decides nothing here is named once, however many objects of it there are.</summary>
    private static bool IsAboutAKind(ResourceProblem problem) => problem is { Object: "", Field: "", Severity: ProblemSeverity.Warning };

    private static ResourceProblem Second(ResourceDefinition definition, OriginContent content)
    {
        var first = content.Definitions.First(one => one.Id == definition.Id);
        return Loses(definition.Id, content.Origin, definition.Line, content.Origin, first.Line);
    }

    private IEnumerable<ResourceProblem> Losers(ResourceId id)
    {
        var of = claims[id];
        var winner = Array.Find(of, claim => claim.Good != null) ?? of[0];
        return of.Where(claim => claim != winner)
            .Select(claim => Loses(id, claim.Origin, claim.Definition.Line, winner.Origin, winner.Definition.Line));
    }

    /// <summary>Twice in a folder is somebody's mistake. In two sources it is what the order of sources is for, and worth a word.</summary>
    private static ResourceProblem Loses(ResourceId id, ResourceOrigin origin, int line, ResourceOrigin winner, int winnerLine) => new(
        id.ToString(), "", $"is defined in {Place(winner.Name, winnerLine)} too, which counts", origin.Name, line,
        origin.Source == winner.Source ? ProblemSeverity.Error : ProblemSeverity.Warning);

    /// <summary>Only files have lines.</summary>
    private static string Place(string name, int line) =>
        line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{name}:{line}") : name;
}
