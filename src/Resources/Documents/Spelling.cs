namespace Calico.Bgp.Resources.Documents;

/// <summary>Words for people who misspelt one: "did you mean" by edit distance (Damerau's, with neighbours swapped).</summary>
public static class Spelling
{
    private const int LongestWord = 40;

    /// <summary><c>; did you mean "…"?</c>, or nothing where no known word is near.</summary>
    public static string Guess(DocumentNode got, IEnumerable<string> known)
    {
        if (got is not ScalarNode { Text: { Length: > 0 and <= LongestWord } word }) return "";
        var (nearest, distance) = known
            .Select(candidate => (Word: candidate, Distance: Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.Distance).ThenBy(pair => pair.Word, StringComparer.Ordinal)
            .FirstOrDefault(("", int.MaxValue));
        return distance <= Math.Max(1, word.Length / 3) ? $"; did you mean \"{nearest}\"?" : "";
    }

    /// <summary><c>a, b or c</c>.</summary>
    public static string Or(IReadOnlyList<string> words) =>
        words.Count < 2 ? string.Join("", words) : $"{string.Join(", ", words.SkipLast(1))} or {words[^1]}";

    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        return rows[a.Length, b.Length];
    }
}
