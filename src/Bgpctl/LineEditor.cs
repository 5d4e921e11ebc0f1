// A line that is typed on a terminal: moved in, edited, completed, and fetched back when it was said before. The keys are those of a shell
// (readline's), as far as a line of words needs them.

namespace Calico.Bgp.Bgpctl;

/// <param name="next">The next key; waits for it.</param>
/// <param name="width">The terminal's, in columns.</param>
/// <param name="expected">What may stand behind the words that it is given: words, and in capitals what they stand for.</param>
internal sealed class LineEditor(
    Func<ConsoleKeyInfo> next, TextWriter output, Func<int> width, string prompt, Func<string, IReadOnlyList<string>> expected)
{
    /// <summary>Lines that are remembered.</summary>
    private const int Most = 1000;

    private readonly List<string> history = [];
    private string text = "";
    private int at;

    /// <summary>Which of the history is looked at; behind the last: the line that is new.</summary>
    private int place;
    private string unsaid = "";

    /// <returns>Null: the end (Ctrl-D).</returns>
    public string? Read()
    {
        (text, at, place, unsaid) = ("", 0, history.Count, "");
        Draw();
        while (true)
        {
            var key = next();
            if (key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n') return End();
            if (IsControl(key, ConsoleKey.D) && text.Length == 0)
            {
                output.Write("\n");
                output.Flush();
                return null;
            }
            Press(key);
            Draw();
        }
    }

    private string End()
    {
        at = text.Length;
        Draw();
        output.Write("\n");
        output.Flush();
        if (text.Trim().Length > 0 && history.LastOrDefault() != text) history.Add(text);
        if (history.Count > Most) history.RemoveAt(0);
        return text;
    }

    private static bool IsControl(ConsoleKeyInfo key, ConsoleKey letter) =>
        key.KeyChar == letter - ConsoleKey.A + 1 || (key.Key == letter && key.Modifiers.HasFlag(ConsoleModifiers.Control));

    private void Press(ConsoleKeyInfo key)
    {
        var isByWord = key.Modifiers.HasFlag(ConsoleModifiers.Control) || key.Modifiers.HasFlag(ConsoleModifiers.Alt);
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow when isByWord: at = WordBefore(); return;
            case ConsoleKey.RightArrow when isByWord: at = WordBehind(); return;
            case ConsoleKey.LeftArrow: at = Math.Max(0, at - 1); return;
            case ConsoleKey.RightArrow: at = Math.Min(text.Length, at + 1); return;
            case ConsoleKey.Home: at = 0; return;
            case ConsoleKey.End: at = text.Length; return;
            case ConsoleKey.UpArrow: Recall(place - 1); return;
            case ConsoleKey.DownArrow: Recall(place + 1); return;
            case ConsoleKey.Backspace: Cut(Math.Max(0, at - 1), at); return;
            case ConsoleKey.Delete: Cut(at, Math.Min(text.Length, at + 1)); return;
            case ConsoleKey.Tab: Complete(); return;
        }
        if (key.Modifiers.HasFlag(ConsoleModifiers.Alt)) ByWord(char.ToLowerInvariant(key.KeyChar));
        else if (IsControl(key, ConsoleKey.A)) at = 0;
        else if (IsControl(key, ConsoleKey.E)) at = text.Length;
        else if (IsControl(key, ConsoleKey.B)) at = Math.Max(0, at - 1);
        else if (IsControl(key, ConsoleKey.F)) at = Math.Min(text.Length, at + 1);
        else if (IsControl(key, ConsoleKey.P)) Recall(place - 1);
        else if (IsControl(key, ConsoleKey.N)) Recall(place + 1);
        else if (IsControl(key, ConsoleKey.H)) Cut(Math.Max(0, at - 1), at);
        else if (IsControl(key, ConsoleKey.D)) Cut(at, Math.Min(text.Length, at + 1));
        else if (IsControl(key, ConsoleKey.K)) Cut(at, text.Length);
        else if (IsControl(key, ConsoleKey.U)) Cut(0, at);
        else if (IsControl(key, ConsoleKey.W)) Cut(WordBefore(), at);
        else if (IsControl(key, ConsoleKey.L)) output.Write("\e[H\e[2J");
        else if (IsControl(key, ConsoleKey.C)) GiveUp();
        else if (key.KeyChar == '?') List(Expected(out _));
        else if (!char.IsControl(key.KeyChar)) Insert(key.KeyChar.ToString());
    }

    /// <param name="letter">That Alt stands beside; nothing comes of others.</param>
    private void ByWord(char letter)
    {
        if (letter == 'b') at = WordBefore();
        else if (letter == 'f') at = WordBehind();
        else if (letter == 'd') Cut(at, WordBehind());
    }

    private void GiveUp()
    {
        output.Write("^C\n");
        (text, at, place) = ("", 0, history.Count);
    }

    private void Insert(string some)
    {
        text = text.Insert(at, some);
        at += some.Length;
    }

    private void Cut(int from, int to)
    {
        text = text.Remove(from, to - from);
        at = from;
    }

    private int WordBefore()
    {
        var from = at;
        while (from > 0 && char.IsWhiteSpace(text[from - 1])) from--;
        while (from > 0 && !char.IsWhiteSpace(text[from - 1])) from--;
        return from;
    }

    private int WordBehind()
    {
        var to = at;
        while (to < text.Length && char.IsWhiteSpace(text[to])) to++;
        while (to < text.Length && !char.IsWhiteSpace(text[to])) to++;
        return to;
    }

    private void Recall(int which)
    {
        if (which < 0 || which > history.Count) return;
        if (place == history.Count) unsaid = text;
        place = which;
        text = which == history.Count ? unsaid : history[which];
        at = text.Length;
    }

    /// <summary>What may stand where the cursor is.</summary>
    /// <param name="begun">The word as far as it is typed.</param>
    private string[] Expected(out string begun)
    {
        var from = at;
        while (from > 0 && !char.IsWhiteSpace(text[from - 1])) from--;
        var said = begun = text[from..at];
        return [.. expected(text[..from]).Distinct()
            .Where(word => !IsWord(word) || word.StartsWith(said, StringComparison.OrdinalIgnoreCase))];
    }

    /// <summary>Else it stands for something that is typed in its place.</summary>
    private static bool IsWord(string word) => !word.Any(c => char.IsUpper(c) || c is ' ');

    private void Complete()
    {
        var all = Expected(out var begun);
        string[] words = [.. all.Where(IsWord)];
        var common = words.Length == 0 ? "" : words.Aggregate(Common);
        if (words.Length == 1 && (begun.Length > 0 || all.Length == 1)) common += " ";
        if (common.Length > begun.Length)
        {
            // As the grammar writes it, however it was begun.
            Cut(at - begun.Length, at);
            Insert(common);
        }
        else List(all);
    }

    private static string Common(string one, string other) =>
        string.Concat(one.Zip(other).TakeWhile(c => c.First == c.Second).Select(c => c.First));

    private void List(string[] some)
    {
        if (some.Length > 0) output.Write($"\n{string.Join("  ", some)}\n");
    }

    /// <summary>So much of a long line as has room, with the cursor in it.</summary>
    private void Draw()
    {
        var room = Math.Max(1, width() - prompt.Length - 1);
        var from = Math.Max(0, at - room);
        var shown = text[from..Math.Min(text.Length, from + room)];
        output.Write($"\r{prompt}{shown}\e[K\r\e[{prompt.Length + at - from}C");
        output.Flush();
    }
}
