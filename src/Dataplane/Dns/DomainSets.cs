// Which sets of patterns a name is of. One table by the end of a name has all patterns: a name asks it once for each of its labels, however
// many patterns there are (a trie over labels from the last to the first, of which the edges lie in one table).
//
//     pattern           stands at      and asks of what is in front of that
//     www.example.org   the whole name nothing is
//     *.example.org     example.org    a label or more is
//     www.*.org         org            begins with www, and has a label or more behind it

using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>A set of the kernel's that is filled with what some names lead to.</summary>
/// <param name="Id">Whoever renders the rules gives it: a set with other patterns has another.</param>
internal readonly record struct DomainSet(int Id, ListOf<DomainPattern> Patterns);

/// <summary>All sets in force, compiled. Never changes.</summary>
internal sealed class DomainSets
{
    public static readonly DomainSets None = new([]);

    /// <summary>What stands at the end of a name.</summary>
    private sealed class End
    {
        public List<int>? Exact { get; set; }
        public List<int>? Below { get; set; }
        /// <summary>By what names begin with.</summary>
        public Dictionary<byte[], List<int>>? Between { get; set; }
    }

    private readonly HashSet<int> ids = [];
    private readonly Dictionary<byte[], End> ends = new(DnsNameComparer.Instance);
    private readonly Dictionary<byte[], End>.AlternateLookup<ReadOnlySpan<byte>> byEnd;

    public DomainSets(IEnumerable<DomainSet> sets)
    {
        byEnd = ends.GetAlternateLookup<ReadOnlySpan<byte>>();
        foreach (var set in sets)
        {
            ids.Add(set.Id);
            foreach (var pattern in set.Patterns) Add(pattern.Text, set.Id);
        }
    }

    public bool Has(int set) => ids.Contains(set);

    private void Add(string pattern, int set)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0) (At(pattern).Exact ??= []).Add(set);
        else if (star == 0) (At(pattern[2..]).Below ??= []).Add(set);
        else
        {
            var between = At(pattern[(star + 2)..]).Between ??= new(DnsNameComparer.Instance);
            var front = Octets(pattern[..(star - 1)]);
            if (!between.TryGetValue(front, out var of)) between.Add(front, of = []);
            of.Add(set);
        }
    }

    private End At(string end)
    {
        var name = Octets(end);
        if (!ends.TryGetValue(name, out var found)) ends.Add(name, found = new());
        return found;
    }

    private static byte[] Octets(string text) =>
        DnsName.Parse(text) ?? throw new ArgumentException($"expected a pattern's labels, got \"{text}\"", nameof(text));

    /// <summary>Adds the ids of the sets that the name is of, each once.</summary>
    /// <param name="name">In the form of <see cref="DnsName"/>.</param>
    public void Match(ReadOnlySpan<byte> name, List<int> into)
    {
        for (var at = 0; at < name.Length; at += name[at] + 1)
        {
            if (!byEnd.TryGetValue(name[at..], out var end)) continue;
            if (at == 0) Add(end.Exact, into);
            else
            {
                Add(end.Below, into);
                if (end.Between is { } between) Match(name[..at], between, into);
            }
        }
    }

    private static void Match(ReadOnlySpan<byte> front, Dictionary<byte[], List<int>> between, List<int> into)
    {
        var byFront = between.GetAlternateLookup<ReadOnlySpan<byte>>();
        for (var behind = front[0] + 1; behind < front.Length; behind += front[behind] + 1)
            if (byFront.TryGetValue(front[..behind], out var sets)) Add(sets, into);
    }

    private static void Add(List<int>? sets, List<int> into)
    {
        if (sets == null) return;
        foreach (var set in sets)
            if (!into.Contains(set)) into.Add(set);
    }
}
