using Calico.Bgp.Resources.Documents;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>What is wrong with a YAML text, and where (from 1).</summary>
public sealed record YamlMistake(int Line, int Column, string Text);

/// <summary>How much a document may hold.</summary>
/// <param name="Depth">Levels of nesting.</param>
/// <param name="Size">Values, aliases counted each time.</param>
/// <param name="Tags">Words may bear a tag that is not YAML's own, for whoever reads them to refuse with more to say.</param>
public sealed record YamlLimits(int Depth, int Size, bool Tags = false);

/// <summary>
/// YAML text → tree with a place at every value. Built from the parser's events rather than its representation model, because the model
/// recurses as deeply as the text nests, and because an alias must have a price: what a walk through the tree visits is bounded here, so
/// that nobody after us has to think of nested aliases ("billion laughs").
/// </summary>
public sealed class YamlTree
{
    private readonly Parser parser;
    private readonly YamlLimits limits;
    private readonly int lineOffset;
    private readonly Dictionary<AnchorName, DocumentNode?> anchors = [];

    private YamlTree(string text, int firstLine, YamlLimits limits)
    {
        parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        (this.limits, lineOffset) = (limits, firstLine - 1);
    }

    /// <summary>The one document of a text. Null without a mistake: the text holds none.</summary>
    /// <param name="firstLine">The line of the file that the text begins in.</param>
    public static DocumentNode? Read(string text, int firstLine, YamlLimits limits, out YamlMistake? mistake)
    {
        mistake = null;
        var tree = new YamlTree(text, firstLine, limits);
        try { return tree.Document(); }
        catch (Refusal refusal) { mistake = tree.At(refusal.At, refusal.Message); }
        catch (YamlException wrong)
        {
            mistake = tree.At(wrong.Start, $"this is not YAML: {Words(wrong)}");
            if (BeginsWithTag(text, (int)wrong.Start.Line))
                mistake = mistake with { Text = $"{mistake.Text}; quote a value that begins with !" };
            if (mistake.Text.Contains(" tab ", StringComparison.Ordinal)) mistake = AtTab(text, (int)wrong.Start.Line, mistake);
        }
        // The scanner leaks its own mistakes (ArgumentException and others) on some broken input: the file is still at fault.
        catch (Exception wrong) when (wrong is not OutOfMemoryException)
        {
            mistake = new(firstLine, 1, "this is not YAML: a value in it cannot be told from what surrounds it");
        }
        return null;
    }

    private YamlMistake At(Mark mark, string text) => new((int)mark.Line + lineOffset, (int)mark.Column, text);

    /// <summary><c>!has(a) &amp;&amp; b</c>: what follows the tag is no YAML either.</summary>
    private static bool BeginsWithTag(string text, int line)
    {
        foreach (var one in text.AsSpan().EnumerateLines())
            if (--line == 0) return one.Contains(": !", StringComparison.Ordinal) || one.Contains("- !", StringComparison.Ordinal);
        return false;
    }

    /// <summary>Of a tab that indents the scanner tells the token before it: the tab is the first one that does, from there on.</summary>
    private static YamlMistake AtTab(string text, int from, YamlMistake told)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var tab = line[..(line.Length - line.TrimStart(" \t").Length)].IndexOf('\t');
            if (++number >= from && tab >= 0) return told with { Line = told.Line + number - from, Column = tab + 1 };
        }
        return told;
    }

    /// <summary>Ends the reading at once: past this point the tree makes no sense. Never leaves this file.</summary>
    private sealed class Refusal(Mark at, string text) : Exception(text)
    {
        public Mark At { get; } = at;
    }

    private static string Words(YamlException wrong)
    {
        var text = wrong.InnerException is YamlException inner ? inner.Message : wrong.Message;
        var place = text.IndexOf("): ", StringComparison.Ordinal);
        return text.StartsWith("(Line", StringComparison.Ordinal) && place > 0 ? text[(place + 3)..] : text;
    }

    private DocumentNode? Document()
    {
        Expect<StreamStart>();
        if (Next() is not DocumentStart) return null;
        var root = Node(Next(), 0);
        Expect<DocumentEnd>();
        if (Next() is DocumentStart second) throw new Refusal(second.Start, "expected one YAML document, got a second one");
        return root;
    }

    private ParsingEvent Next() => parser.MoveNext() ? parser.Current! : throw new Refusal(Mark.Empty, "the text ends too early");

    private void Expect<T>() where T : ParsingEvent
    {
        if (Next() is not T) throw new Refusal(parser.Current!.Start, $"expected {typeof(T).Name}, got {parser.Current}");
    }

    private DocumentNode Node(ParsingEvent first, int depth)
    {
        if (depth > limits.Depth) throw new Refusal(first.Start, $"expected at most {limits.Depth} levels of nesting");
        if (first is AnchorAlias alias) return Resolve(alias);
        var anchor = first is NodeEvent named ? named.Anchor : AnchorName.Empty;
        if (!anchor.IsEmpty) anchors[anchor] = null;
        if (first is NodeEvent tagged && ForeignTag(tagged) is { } tag && (!limits.Tags || first is not Scalar))
            throw new Refusal(first.Start, $"{tag} is a tag that YAML does not know; quote a value that begins with !");
        DocumentNode node = first switch
        {
            Scalar scalar => Word(scalar),
            SequenceStart => Sequence(first, depth),
            MappingStart => Mapping(first, depth),
            _ => throw new Refusal(first.Start, $"expected a value, got {first}"),
        };
        if (!anchor.IsEmpty) anchors[anchor] = node;
        return node;
    }

    /// <summary>A tag of YAML's own says what a word is; of those only a string matters here, for the rest is what it looks like.</summary>
    private ScalarNode Word(Scalar scalar)
    {
        var foreign = ForeignTag(scalar);
        var plain = scalar.Style == ScalarStyle.Plain && !scalar.Tag.IsNonSpecific && scalar.Tag != StringTag && foreign == null;
        return new(Line(scalar), Column(scalar), scalar.Value, plain) { Tag = foreign };
    }

    private const string OwnTags = "tag:yaml.org,2002:";
    private static readonly TagName StringTag = new(OwnTags + "str");

    /// <summary>YAML 1.1 section 3.3.2 leaves those of applications to them, and nobody here has one. Null: none.</summary>
    private static string? ForeignTag(NodeEvent node) =>
        node.Tag.IsEmpty || node.Tag.IsNonSpecific || node.Tag.Value.StartsWith(OwnTags, StringComparison.Ordinal) ? null : node.Tag.Value;

    private DocumentNode Resolve(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value, out var node))
            throw new Refusal(alias.Start, $"expected an anchor before *{alias.Value}, found none");
        return node ?? throw new Refusal(alias.Start, $"*{alias.Value} stands inside the value that it names");
    }

    private SequenceNode Sequence(ParsingEvent start, int depth)
    {
        var items = new List<DocumentNode>();
        var size = 1;
        while (Next() is var item and not SequenceEnd) items.Add(Counted(Node(item, depth + 1), ref size, start));
        return new(Line(start), Column(start), size, items);
    }

    private MappingNode Mapping(ParsingEvent start, int depth)
    {
        var entries = new List<MappingEntry>();
        List<MappingEntry>? merged = null;
        var size = 1;
        while (Next() is var first and not MappingEnd)
        {
            if (Node(first, depth + 1) is not ScalarNode { Tag: null } key) throw new Refusal(first.Start, "expected a word as key");
            var value = Counted(Node(Next(), depth + 1), ref size, start);
            if (key is { Plain: true, Text: "<<" }) Merge(value, merged ??= [], first);
            else entries.Add(new(key, value, Merged: false));
        }
        if (merged != null) Join(entries, merged);
        return new(Line(start), Column(start), size, entries);
    }

    /// <summary>YAML's merge key: the first of several mappings wins, and the mapping's own keys win over all.</summary>
    private static void Join(List<MappingEntry> entries, List<MappingEntry> merged)
    {
        var own = entries.Select(entry => entry.Key.Text).ToHashSet();
        foreach (var entry in merged)
            if (own.Add(entry.Key.Text)) entries.Add(entry with { Merged = true });
    }

    private static void Merge(DocumentNode value, List<MappingEntry> into, ParsingEvent at)
    {
        if (value is MappingNode mapping) into.AddRange(mapping.Entries);
        else if (value is SequenceNode sequence && sequence.Items.All(item => item is MappingNode))
            foreach (var item in sequence.Items) into.AddRange(((MappingNode)item).Entries);
        else throw new Refusal(at.Start, $"expected a mapping (or a list of mappings) after <<, got {value.Kind}");
    }

    private DocumentNode Counted(DocumentNode node, ref int size, ParsingEvent start)
    {
        size += node.Size;
        if (size > limits.Size) throw new Refusal(start.Start, $"expected at most {limits.Size} values, aliases counted each time");
        return node;
    }

    private int Line(ParsingEvent at) => (int)at.Start.Line + lineOffset;
    private static int Column(ParsingEvent at) => (int)at.Start.Column;
}
