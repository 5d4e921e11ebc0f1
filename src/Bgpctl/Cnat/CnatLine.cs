namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>
/// The words of a line, taken one after the other. What was looked for at the place where the line ends or goes wrong is what a mistake
/// names, and what completes it.
/// </summary>
internal sealed class CnatLine
{
    public const string Arrow = "->";

    private readonly string line;
    private readonly List<(string Text, int Column)> words = [];
    private readonly List<string> expected = [];
    private int at;

    public CnatLine(string line)
    {
        this.line = line;
        for (var i = 0; i < line.Length;)
        {
            if (char.IsWhiteSpace(line[i]))
            {
                i++;
                continue;
            }
            var start = i;
            while (i < line.Length && !char.IsWhiteSpace(line[i])) i++;
            Split(start, i);
        }
    }

    /// <summary>An arrow may be glued to what stands before and behind it.</summary>
    private void Split(int start, int end)
    {
        var arrow = line.IndexOf(Arrow, start, end - start, StringComparison.Ordinal);
        if (arrow < 0)
        {
            words.Add((line[start..end], start));
            return;
        }
        if (arrow > start) words.Add((line[start..arrow], start));
        words.Add((Arrow, arrow));
        if (arrow + Arrow.Length < end) Split(arrow + Arrow.Length, end);
    }

    public bool IsAtEnd => at == words.Count;

    /// <summary>What was looked for behind the last word; nothing where the line has gone wrong before.</summary>
    public IReadOnlyList<string> Expected => IsAtEnd ? expected : [];

    private string? Word => IsAtEnd ? null : words[at].Text;

    /// <summary>Whether this word comes, in whichever case; it is passed then.</summary>
    public bool Is(string word) => Passes(IsNext(word), word);

    /// <summary>Whether this word comes, in whichever case.</summary>
    public bool IsNext(string word) => string.Equals(Word, word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether what comes can be read so.</summary>
    public bool IsNextReading<T>(Func<string, T?> read) where T : struct => Word is { } word && read(word) != null;

    /// <summary>Whether what comes ends so.</summary>
    public bool IsNextEnding(string end) => Word?.EndsWith(end, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Whether an arrow came to be cut by a shell, which takes what is behind it for a file to write to.</summary>
    public bool IsArrowCut => Word?.EndsWith('-') == true && words.ElementAtOrDefault(at + 1).Text != Arrow;

    /// <summary>What comes, if it can be read so; it is passed then.</summary>
    /// <param name="what">As a mistake names it, in capitals: it is no word of its own.</param>
    public bool Reads<T>(string what, Func<string, T?> read, out T value) where T : struct
    {
        var found = Word is { } word ? read(word) : null;
        value = found.GetValueOrDefault();
        return Passes(found != null, what);
    }

    /// <summary>Likewise.</summary>
    public string? Text(string what, Func<string, string?> read)
    {
        var found = Word is { } word ? read(word) : null;
        Passes(found != null, what);
        return found;
    }

    private bool Passes(bool isHere, string what)
    {
        if (isHere) Pass();
        else expected.Add(what);
        return isHere;
    }

    private void Pass()
    {
        at++;
        expected.Clear();
    }

    /// <exception cref="CnatMistake">There is more.</exception>
    public void End()
    {
        if (IsAtEnd) return;
        expected.Add("the end of the line");
        throw Mistake();
    }

    /// <summary>None of what was looked for is here.</summary>
    public CnatMistake Mistake() => Mistake(expected.Count switch
    {
        1 => expected[0],
        _ => $"{string.Join(", ", expected.SkipLast(1))} or {expected[^1]}",
    });

    public CnatMistake Mistake(string what) => new(line, IsAtEnd ? line.TrimEnd().Length + 1 : words[at].Column, what, Word);
}
