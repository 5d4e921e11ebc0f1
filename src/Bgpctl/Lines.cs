// What a terminal is drawn where Spectre.Console's own texts would break words: lines that are cut between words alone, so that an
// address, a prefix or a path stands in one piece and can be copied, on however narrow a terminal.

using Spectre.Console;
using Spectre.Console.Rendering;

namespace Calico.Bgp.Bgpctl;

/// <summary>Lines as they are. One with a word that is wider than the terminal is the terminal's to wrap.</summary>
internal sealed class Lines : IRenderable
{
    private readonly List<Segment> segments = [];
    private int widest;

    public void Add(params ReadOnlySpan<(string Text, Style Style)> pieces)
    {
        var width = 0;
        foreach (var (text, style) in pieces)
        {
            segments.Add(new(text, style));
            width += text.Length;
        }
        segments.Add(Segment.LineBreak);
        widest = Math.Max(widest, width);
    }

    public Measurement Measure(RenderOptions options, int maxWidth) => new(Math.Min(widest, maxWidth), Math.Min(widest, maxWidth));

    public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => segments;

    /// <summary>Cut between words, where it can be.</summary>
    public static IEnumerable<string> Cut(string text, int width)
    {
        if (text.Length <= width)
        {
            yield return text;
            yield break;
        }
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        yield return line;
    }

    /// <summary>The least width at which no word is broken.</summary>
    public static int LongestWord(string text) => text.Split(' ').Max(word => word.Length);
}
