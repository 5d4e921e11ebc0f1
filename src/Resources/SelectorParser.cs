using System.Buffers;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>
/// Text → <see cref="SelectorNode"/>, by recursive descent over the characters: words mean something only where they can (a label may be
/// called <c>in</c> or <c>has</c>). Nothing is thrown: the first mistake is remembered and ends the walk.
/// </summary>
internal sealed class SelectorParser(string text)
{
    private const int DepthLimit = 100;
    private const int LabelLimit = 512;

    private static readonly SearchValues<char> LabelCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-");

    private int at;
    private int depth;
    private string? error;

    public SelectorNode? Parse(out string? error)
    {
        var root = Rest.Length == 0 ? Selector.All.Root : Or();
        if (root != null && Rest.Length > 0) root = Expected("&&, || or the end");
        error = this.error;
        return root;
    }

    private SelectorNode? Or() => Series("||", And, nodes => new SelectorNode.Or(nodes));
    private SelectorNode? And() => Series("&&", Unary, nodes => new SelectorNode.And(nodes));

    private SelectorNode? Series(string between, Func<SelectorNode?> part, Func<ListOf<SelectorNode>, SelectorNode> join)
    {
        var nodes = new List<SelectorNode>();
        do
        {
            if (part() is not { } node) return null;
            nodes.Add(node);
        }
        while (Accept(between));
        return nodes.Count == 1 ? nodes[0] : join(new([.. nodes]));
    }

    private SelectorNode? Unary()
    {
        if (++depth > DepthLimit) return Expected($"at most {DepthLimit} levels of nesting");
        var node = Accept("!") ? Negated() : Accept("(") ? Enclosed() : Atom();
        depth--;
        return node;
    }

    private SelectorNode.Not? Negated() => Unary() is { } of ? new(of) : null;

    private SelectorNode? Enclosed()
    {
        if (Or() is not { } node) return null;
        return Accept(")") ? node : Expected(")");
    }

    private SelectorNode? Atom()
    {
        var start = at;
        if (Label() is not { } word) return Expected("a label, has(), all(), global(), ! or (");
        // "has (x)" is no call to Calico either: the bracket stands at the word.
        if (word is "all" or "global" or "has" && at < text.Length && text[at] == '(') return Call(word);
        if (word.Length > LabelLimit) return Expected($"a label of at most {LabelLimit} characters", start);
        return Operation(word);
    }

    private SelectorNode? Call(string word)
    {
        at++;
        var label = word == "has" ? Label() : null;
        if (word == "has" && label == null) return Expected("a label");
        if (label?.Length > LabelLimit) return Expected($"a label of at most {LabelLimit} characters");
        if (!Accept(")")) return Expected(")");
        return label != null ? new SelectorNode.Has(label) : new SelectorNode.Everything(word == "global");
    }

    private SelectorNode? Operation(string label)
    {
        if (Accept("==")) return Quoted() is { } value ? new SelectorNode.Compare(label, Comparison.Equal, value) : null;
        if (Accept("!=")) return Quoted() is { } other ? new SelectorNode.NotEqual(label, other) : null;
        if (Accept("contains")) return Compare(label, Comparison.Contains);
        if (AcceptWords("starts", "with")) return Compare(label, Comparison.StartsWith);
        if (AcceptWords("ends", "with")) return Compare(label, Comparison.EndsWith);
        if (AcceptWords("not", "in")) return In(label, negated: true);
        if (AcceptWord("in")) return In(label, negated: false);
        return Expected("==, !=, in, not in, contains, starts with or ends with");
    }

    private SelectorNode.Compare? Compare(string label, Comparison how) => Quoted() is { } value ? new(label, how, value) : null;

    private SelectorNode? In(string label, bool negated)
    {
        if (!Accept("{")) return Expected("{");
        var values = new SortedSet<string>(StringComparer.Ordinal);
        while (Rest.Length > 0 && Rest[0] is '\'' or '"')
        {
            if (Quoted() is not { } value) return null;
            values.Add(value);
            if (!Accept(",")) break;
        }
        return Accept("}") ? new SelectorNode.In(label, negated, [.. values]) : Expected("a string in quotes, or }");
    }

    /// <summary>What is left, from the next character that is no blank. The end of a line is none, as in Calico.</summary>
    private ReadOnlySpan<char> Rest
    {
        get
        {
            while (at < text.Length && text[at] is ' ' or '\t') at++;
            return text.AsSpan(at);
        }
    }

    private bool Accept(string token)
    {
        if (!Rest.StartsWith(token, StringComparison.Ordinal)) return false;
        at += token.Length;
        return true;
    }

    /// <summary>The word, and not only the beginning of a longer one.</summary>
    private bool AcceptWord(string word)
    {
        var rest = Rest;
        if (!rest.StartsWith(word, StringComparison.Ordinal)) return false;
        if (rest.Length > word.Length && LabelCharacters.Contains(rest[word.Length])) return false;
        at += word.Length;
        return true;
    }

    /// <summary>Two words, with or without blanks between them.</summary>
    private bool AcceptWords(string first, string second)
    {
        var start = at;
        if (Accept(first) && AcceptWord(second)) return true;
        at = start;
        return false;
    }

    private string? Label()
    {
        var rest = Rest;
        var length = rest.IndexOfAnyExcept(LabelCharacters);
        if (length < 0) length = rest.Length;
        if (length == 0) return null;
        at += length;
        return rest[..length].ToString();
    }

    private string? Quoted()
    {
        var rest = Rest;
        if (rest.Length == 0 || rest[0] is not ('\'' or '"')) { Expected("a string in quotes"); return null; }
        var end = rest[1..].IndexOf(rest[0]);
        if (end < 0) { Expected($"a closing {rest[0]}", text.Length); return null; }
        at += end + 2;
        return rest[1..(end + 1)].ToString();
    }

    /// <summary>Always null: the caller has no node.</summary>
    private SelectorNode? Expected(string what, int? place = null)
    {
        var rest = place == null ? Rest : text.AsSpan(place.Value);
        var got = rest.Length == 0 ? "the end" : $"\"{(rest.Length > 20 ? $"{rest[..20]}…" : rest.ToString())}\"";
        error ??= $"expected {what} at character {(place ?? at) + 1} of the selector, got {got}";
        return null;
    }
}
