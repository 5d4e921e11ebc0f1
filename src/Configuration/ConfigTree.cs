using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Calico.Bgp.Configuration;

/// <summary>
/// YAML text → tree with a place at every value. Built from the parser's events rather than its representation model, because the model
/// recurses as deeply as the text nests, and because an alias must have a price: what a walk through the tree visits is bounded here, so
/// that nobody after us has to think of nested aliases ("billion laughs").
/// </summary>
internal sealed class ConfigTree
{
    private const int DepthLimit = 32;
    private const int SizeLimit = 2_000_000;

    private readonly Problems problems;
    private readonly IParser parser;
    private readonly Dictionary<AnchorName, ConfigNode?> anchors = [];

    private ConfigTree(string text, Problems problems) =>
        (this.problems, parser) = (problems, new Parser(new Scanner(new StringReader(text), skipComments: true)));

    /// <summary>Null, and an error, where the text is not one YAML document.</summary>
    public static ConfigNode? Read(string text, Problems problems)
    {
        try { return new ConfigTree(text, problems).Document(); }
        catch (Refusal refusal) { problems.Error((int)refusal.At.Line, (int)refusal.At.Column, refusal.Message); }
        catch (YamlException wrong) { problems.Error((int)wrong.Start.Line, (int)wrong.Start.Column, $"this is not YAML: {Words(wrong)}"); }
        // The scanner leaks its own mistakes (ArgumentException and others) on some broken input: the file is still at fault.
        catch (Exception wrong) when (wrong is not OutOfMemoryException) { problems.Error(1, 1, $"this is not YAML: {wrong.Message}"); }
        return null;
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

    private ConfigNode? Document()
    {
        Expect<StreamStart>();
        if (Next() is not DocumentStart)
        {
            problems.Error(1, 1, "expected keys such as router and peers, got an empty file");
            return null;
        }
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

    private ConfigNode Node(ParsingEvent first, int depth)
    {
        if (depth > DepthLimit) throw new Refusal(first.Start, $"expected at most {DepthLimit} levels of nesting");
        if (first is AnchorAlias alias) return Resolve(alias);
        var anchor = first is NodeEvent named ? named.Anchor : AnchorName.Empty;
        if (!anchor.IsEmpty) anchors[anchor] = null;
        ConfigNode node = first switch
        {
            Scalar scalar => new ScalarNode(Line(first), Column(first), scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart => Sequence(first, depth),
            MappingStart => Mapping(first, depth),
            _ => throw new Refusal(first.Start, $"expected a value, got {first}"),
        };
        if (node.Size > SizeLimit) throw new Refusal(first.Start, $"expected at most {SizeLimit} values, aliases counted each time");
        if (!anchor.IsEmpty) anchors[anchor] = node;
        return node;
    }

    private ConfigNode Resolve(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value, out var node))
            throw new Refusal(alias.Start, $"expected an anchor before *{alias.Value}, found none");
        return node ?? throw new Refusal(alias.Start, $"*{alias.Value} stands inside the value that it names");
    }

    private SequenceNode Sequence(ParsingEvent start, int depth)
    {
        var items = new List<ConfigNode>();
        var size = 1;
        while (Next() is var item and not SequenceEnd) items.Add(Counted(Node(item, depth + 1), ref size, start));
        return new(Line(start), Column(start), size, items);
    }

    private MappingNode Mapping(ParsingEvent start, int depth)
    {
        var entries = new List<MappingEntry>();
        var merged = new List<MappingEntry>();
        var size = 1;
        while (Next() is var first and not MappingEnd)
        {
            if (Node(first, depth + 1) is not ScalarNode key) throw new Refusal(first.Start, "expected a word as key");
            var value = Counted(Node(Next(), depth + 1), ref size, start);
            if (key is { Plain: true, Text: "<<" }) Merge(value, merged);
            else entries.Add(new(key, value, Merged: false));
        }
        var own = entries.Select(entry => entry.Key.Text).ToHashSet();
        foreach (var entry in merged)
            if (own.Add(entry.Key.Text)) entries.Add(entry with { Merged = true });
        return new(Line(start), Column(start), size, entries);
    }

    /// <summary>YAML's merge key: the first of several mappings wins, and the mapping's own keys win over all.</summary>
    private void Merge(ConfigNode value, List<MappingEntry> into)
    {
        if (value is MappingNode mapping) into.AddRange(mapping.Entries);
        else if (value is SequenceNode sequence && sequence.Items.All(item => item is MappingNode))
            foreach (var item in sequence.Items) into.AddRange(((MappingNode)item).Entries);
        else problems.Error(value, $"expected a mapping (or a list of mappings) after <<, got {value.Kind}");
    }

    private static ConfigNode Counted(ConfigNode node, ref int size, ParsingEvent start)
    {
        size += node.Size;
        if (size > SizeLimit) throw new Refusal(start.Start, $"expected at most {SizeLimit} values, aliases counted each time");
        return node;
    }

    private static int Line(ParsingEvent at) => (int)at.Start.Line;
    private static int Column(ParsingEvent at) => (int)at.Start.Column;
}
