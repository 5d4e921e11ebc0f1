namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>Reads the inside of <c>[= … =]</c>: numbers, <c>*</c>, <c>?</c>, sets, constants in brackets; <c>+</c> behind any.</summary>
internal static class MaskSyntax
{
    public static Value Parse(Tokens tokens)
    {
        List<MaskItem> items = [];
        while (tokens.Error == null && !tokens.Accept("=]")) ParseOne(tokens, items);
        return new(ValueKind.PathMask, 0, new PathMask(items));
    }

    private static void ParseOne(Tokens tokens, List<MaskItem> items)
    {
        if (tokens.AcceptNumber(out var number)) items.Add(new(number, null, 1, false));
        else if (tokens.Accept("*")) items.Add(MaskItem.AnyMany);
        else if (tokens.Accept("?")) items.Add(MaskItem.AnyOne);
        else if (items.Count > 0 && tokens.Accept("+")) items[^1] = items[^1] with { Many = true };
        else if (tokens.Accept("[")) items.Add(new(null, SetSyntax.Parse(tokens).Object as RangeSet, 1, false));
        else if (tokens.Is("(")) items.Add(new(Constant(tokens), null, 1, false));
        else tokens.Unexpected();
    }

    private static uint Constant(Tokens tokens)
    {
        var expression = Tuples.Parse(tokens);
        if (tokens.Error == null && expression is not { Kind: ValueKind.Int, Constant: true }) tokens.Fail("Integer expression expected");
        return tokens.Error == null ? expression.Fixed.Number : 0;
    }
}
