using Calico.Bgp.Control.Bird.Expressions;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>The options of <c>show route</c>, which may stand in any order.</summary>
internal sealed class RouteOptions
{
    private readonly HashSet<IpFamily> tables = [];
    private Prefix? prefix;
    private PrefixScope scope;
    private string? protocol, peer;
    private IpFamily? channel;
    private RouteSelection selection = RouteSelection.All;
    private bool primary;
    private Func<RouteContext, bool>? condition;
    private string? filter;

    public bool All { get; private set; }
    public bool CountOnly { get; private set; }

    /// <summary>The name that replaces the table's where a channel's own table is shown.</summary>
    public string? TableTitle { get; private set; }

    private bool stats;

    /// <summary>One prefix was asked for (or the one that covers an address): it is missing or not, and nothing is counted.</summary>
    public bool OnePrefix => prefix != null && scope != PrefixScope.In;

    public bool CountsShown => (stats || CountOnly) && !OnePrefix;

    private bool PeerView =>
        selection is RouteSelection.Export or RouteSelection.PreExport or RouteSelection.NoExport or RouteSelection.Received;

    /// <summary>Null where <see cref="Tokens.Error"/> says why.</summary>
    public static RouteOptions? Parse(Tokens tokens)
    {
        var options = new RouteOptions();
        while (!tokens.AtEnd && tokens.Error == null) options.ParseOne(tokens);
        if (options is { primary: true, selection: RouteSelection.Filtered }) tokens.Fail("Incompatible show route options");
        if (options.prefix is { } prefix && options.tables.Count > 0 && !options.tables.Contains(prefix.Family))
            tokens.Fail($"Incompatible type of prefix/ip for table {Bird.Tables.Name(options.tables.First())}");
        return tokens.Error == null ? options : null;
    }

    private void ParseOne(Tokens tokens)
    {
        if (tokens.Next.Kind == TokenKind.Address) Narrow(tokens, PrefixSyntax.Parse(tokens), PrefixScope.Exact);
        else if (tokens.Accept("for")) Narrow(tokens, PrefixSyntax.ParsePrefixOrAddress(tokens), PrefixScope.For);
        else if (tokens.Accept("in")) Narrow(tokens, PrefixSyntax.Parse(tokens), PrefixScope.In);
        else if (tokens.Accept("table")) ParseTable(tokens);
        else if (tokens.Accept("protocol")) ParseProtocol(tokens);
        else if (tokens.Accept("import")) ParseChannelTable(tokens, RouteSelection.Received);
        else if (tokens.Accept("export")) ParseExport(tokens);
        else if (tokens.Accept("exported")) ParsePeer(tokens, RouteSelection.Export);
        else if (tokens.Accept("preexport")) ParsePeer(tokens, RouteSelection.PreExport);
        else if (tokens.Accept("noexport")) ParsePeer(tokens, RouteSelection.NoExport);
        else if (tokens.Accept("filtered")) selection = RouteSelection.Filtered;
        else if (tokens.Accept("primary")) primary = true;
        else if (tokens.Accept("all")) All = true;
        else if (tokens.Accept("stats")) (stats, CountOnly) = (true, false);
        else if (tokens.Accept("count")) (stats, CountOnly) = (false, true);
        else if (tokens.Accept("where")) ParseWhere(tokens);
        else if (tokens.Accept("filter")) ParseFilter(tokens);
        else tokens.Unexpected();
    }

    private void Narrow(Tokens tokens, Prefix? to, PrefixScope by)
    {
        if (prefix != null) tokens.Fail("Only one prefix expected");
        (prefix, scope) = (to, by);
    }

    private void ParseTable(Tokens tokens)
    {
        if (tokens.Accept("all")) tables.UnionWith(Bird.Tables.Families);
        else if (!tokens.AcceptKnown(out var name, out var kind)) tokens.Unexpected("CF_SYM_KNOWN", "ALL");
        else if (kind != SymbolKind.Table) tokens.Fail("Table name required");
        else tables.Add(Bird.Tables.Family(name));
    }

    private void ParseProtocol(Tokens tokens)
    {
        if (protocol != null) tokens.Fail("Protocol specified twice");
        protocol = TakeProtocol(tokens, "CF_SYM_KNOWN");
    }

    private static string? TakeProtocol(Tokens tokens, params string[] expected)
    {
        if (!tokens.AcceptKnown(out var name, out var kind)) tokens.Unexpected(expected);
        else if (kind != SymbolKind.Protocol) tokens.Fail("Protocol name required");
        return name;
    }

    private void ParseExport(Tokens tokens)
    {
        if (tokens.Is("table")) ParseChannelTable(tokens, RouteSelection.Export);
        else ParsePeer(tokens, RouteSelection.Export);
    }

    private void ParsePeer(Tokens tokens, RouteSelection which)
    {
        if (peer != null) tokens.Fail("Export specified twice");
        peer = TakeProtocol(tokens, "CF_SYM_KNOWN", "TABLE");
        selection = which;
        if (tokens.Accept(".")) ParseChannel(tokens);
    }

    private void ParseChannel(Tokens tokens)
    {
        if (tokens.Accept("ipv4")) channel = IpFamily.IPv4;
        else if (tokens.Accept("ipv6")) channel = IpFamily.IPv6;
        else tokens.Unexpected();
    }

    private void ParseChannelTable(Tokens tokens, RouteSelection which)
    {
        tokens.Expect("table", "TABLE");
        ParsePeer(tokens, which);
        if (channel == null) tokens.Unexpected("'.'");
        TableTitle = which == RouteSelection.Received ? "import" : "export";
    }

    private void ParseWhere(Tokens tokens)
    {
        FailIfSieved(tokens);
        condition = ExpressionParser.ParseCondition(tokens).IsTrue;
    }

    /// <summary>A filter of bgpd.yaml by its name, or one that is written out.</summary>
    private void ParseFilter(Tokens tokens)
    {
        FailIfSieved(tokens);
        if (tokens.Is("{")) condition = FilterBody.Parse(tokens);
        else if (!tokens.AcceptKnown(out var name, out var kind)) tokens.Unexpected();
        else if (kind == SymbolKind.Filter) filter = name;
        else tokens.Fail("Filter name required");
    }

    private void FailIfSieved(Tokens tokens)
    {
        if (condition != null || filter != null) tokens.Fail("Filter specified twice");
    }

    /// <summary>
    /// The tables to look into: those named, else those that can hold the prefix; of a protocol its own, and for a peer's view those
    /// with an open channel.
    /// </summary>
    public IReadOnlyList<IpFamily> Tables(ISpeaker speaker) => [.. Bird.Tables.Families.Where(family =>
        (tables.Count == 0 || tables.Contains(family))
        && (prefix == null || prefix.Value.Family == family)
        && (channel == null || channel == family)
        && (!PeerView || HasChannel(speaker, peer, family, open: true))
        && (protocol == null || tables.Count > 0 || HasChannel(speaker, protocol, family, open: false)))];

    private static bool HasChannel(ISpeaker speaker, string? name, IpFamily family, bool open) =>
        speaker.Protocols.FirstOrDefault(one => one.Name == name)?.Channels.Any(one => one.Family == family && (one.Up || !open)) ?? false;

    public RouteQuery Query(IpFamily table) => new(Selection, table, prefix, scope, Narrowed ? protocol : null, PeerView ? peer : null);

    private RouteSelection Selection => selection == RouteSelection.All && primary ? RouteSelection.Primary : selection;

    /// <summary>The speaker may leave other protocols' routes out only where nobody asks what else there was.</summary>
    private bool Narrowed => !OnePrefix && !CountsShown;

    /// <summary>The query that visits every route that might have been shown, where <see cref="Query"/> does not.</summary>
    public RouteQuery? AllCounted(IpFamily table) =>
        PeerView && CountsShown || OnePrefix && selection != RouteSelection.All
            ? new RouteQuery(RouteSelection.All, table, prefix, scope)
            : null;

    /// <summary>Lets through what is to be shown, as a named filter leaves it; null: the route is not shown.</summary>
    public Func<RouteView, RouteView?> Sieve(Conversation with)
    {
        if (filter != null)
        {
            // A reload may have taken it away meanwhile.
            var run = with.Speaker.FilterNamed(filter) ?? (_ => null);
            return route => IsOfProtocol(route) ? run(route) : null;
        }
        if (condition == null) return route => IsOfProtocol(route) ? route : null;
        var context = new RouteContext(with);
        return route => IsOfProtocol(route) && condition(context.At(route)) ? route : null;
    }

    private bool IsOfProtocol(RouteView route) => protocol == null || route.Protocol == protocol;
}
