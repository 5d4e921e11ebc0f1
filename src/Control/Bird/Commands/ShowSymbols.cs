namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show symbols [protocol | filter | table | function | template | NAME]</c>: the names that commands may use.</summary>
internal sealed class ShowSymbols(string? name, bool isClass) : Command
{
    /// <summary>Classes that BIRD has; there are no functions and templates here, so those lists are empty.</summary>
    private static readonly string[] Classes = ["table", "filter", "function", "protocol", "template"];

    public static Command? Parse(Tokens tokens)
    {
        if (tokens.AtEnd) return new ShowSymbols(null, false);
        var word = tokens.Next;
        var known = word.Kind == TokenKind.Quoted || tokens.Symbols.TryGet(word.Text, out _);
        var isClass = !known && word.Kind == TokenKind.Word && Classes.Contains(word.Text);
        if (word.Kind is not (TokenKind.Word or TokenKind.Quoted) || !known && !isClass && word.Text != "roa" && Keywords.Has(word.Text))
        {
            tokens.Unexpected();
            return null;
        }
        tokens.Take();
        tokens.ExpectEnd();
        return new ShowSymbols(word.Text, isClass);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var symbols = new Symbols(with.Speaker);
        if (name != null && !isClass)
        {
            with.Reply.End(ReplyCode.Symbol, Row(name, symbols.TryGet(name, out var kind) ? Word(kind) : "undefined"));
            return default;
        }
        foreach (var (symbol, kind) in symbols.All)
        {
            if (name == null || ClassOf(kind) == name) with.Reply.Line(ReplyCode.Symbol, Row(symbol, Word(kind)));
        }
        with.Reply.End(ReplyCode.Ok);
        return default;
    }

    private static string Row(string symbol, string kind) => $"{symbol,-8}\t{kind}";

    private static string ClassOf(SymbolKind kind) => kind switch
    {
        SymbolKind.Protocol => "protocol",
        SymbolKind.Table => "table",
        _ => "filter",
    };

    private static string Word(SymbolKind kind) => kind == SymbolKind.Table ? "routing table" : ClassOf(kind);
}
