namespace Calico.Bgp.Conformance.Policy;

/// <summary>Recursive descent, one method for each line of the grammar in 2.7.</summary>
internal sealed class SelectorReader(string text)
{
    private int at;

    public Selector Read()
    {
        Blanks();
        if (at == text.Length) return Selector.All;
        var read = Or();
        return at == text.Length ? read : throw Expected("the end");
    }

    private Selector Or()
    {
        var left = And();
        while (Sign("||")) left = left.Or(And());
        return left;
    }

    private Selector And()
    {
        var left = Unary();
        while (Sign("&&")) left = left.And(Unary());
        return left;
    }

    private Selector Unary()
    {
        var isNegated = false;
        while (Sign("!")) isNegated = !isNegated;
        var primary = Primary();
        return isNegated ? primary.Not() : primary;
    }

    private Selector Primary()
    {
        if (Sign("("))
        {
            var inner = Or();
            return Sign(")") ? inner : throw Expected("')'");
        }
        // A label may be named so, too: only the parenthesis that follows at once makes the word a function.
        if (Sign("all(")) return Sign(")") ? Selector.All : throw Expected("')'");
        if (Sign("global(")) return Sign(")") ? Selector.Global : throw Expected("')'");
        if (Sign("has("))
        {
            Blanks();
            var asked = Label();
            return Sign(")") ? Selector.Has(asked) : throw Expected("')'");
        }
        var label = Label();
        if (Sign("==")) return Selector.Compare(label, "==", [String()]);
        if (Sign("!=")) return Selector.Compare(label, "!=", [String()]);
        if (Word("contains")) return Selector.Compare(label, "contains", [String()]);
        if (Words("starts", "with")) return Selector.Compare(label, "starts", [String()]);
        if (Words("ends", "with")) return Selector.Compare(label, "ends", [String()]);
        if (Word("in")) return Selector.Compare(label, "in", Set());
        return Words("not", "in") ? Selector.Compare(label, "not", Set()) : throw Expected("an operator");
    }

    private string[] Set()
    {
        if (!Sign("{")) throw Expected("'{'");
        var values = new List<string>();
        while (!Sign("}"))
        {
            values.Add(String());
            if (Sign(",")) continue;
            return Sign("}") ? [.. values] : throw Expected("',' or '}'");
        }
        return [.. values];
    }

    private string String()
    {
        Blanks();
        if (at == text.Length || text[at] is not ('"' or '\'')) throw Expected("a string");
        var end = text.IndexOf(text[at], at + 1);
        if (end < 0) throw Expected("the string's end");
        var value = text[(at + 1)..end];
        at = end + 1;
        Blanks();
        return value;
    }

    private string Label()
    {
        var from = at;
        while (at < text.Length && IsOfLabel(text[at])) at++;
        if (at == from || at - from > 512) throw Expected("a label of 1 to 512 letters");
        var label = text[from..at];
        Blanks();
        return label;
    }

    private static bool IsOfLabel(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '/' or '-';

    /// <summary>Blanks before and after it belong to it.</summary>
    private bool Sign(string sign)
    {
        Blanks();
        if (!text.AsSpan(at).StartsWith(sign, StringComparison.Ordinal)) return false;
        if (sign == "!" && text.AsSpan(at).StartsWith("!=", StringComparison.Ordinal)) return false;
        at += sign.Length;
        Blanks();
        return true;
    }

    private bool Word(string word)
    {
        if (!text.AsSpan(at).StartsWith(word, StringComparison.Ordinal)) return false;
        if (at + word.Length < text.Length && IsOfLabel(text[at + word.Length])) return false;
        at += word.Length;
        Blanks();
        return true;
    }

    /// <summary>Two words with blanks between them, or none.</summary>
    private bool Words(string first, string second)
    {
        var from = at;
        if (text.AsSpan(at).StartsWith(first, StringComparison.Ordinal))
        {
            at += first.Length;
            Blanks();
            if (Word(second)) return true;
        }
        at = from;
        return false;
    }

    private void Blanks()
    {
        while (at < text.Length && text[at] is ' ' or '\t') at++;
    }

    private FormatException Expected(string what) => new($"expected {what} at {at} of: {text}");
}
