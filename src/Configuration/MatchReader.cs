using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Configuration;

/// <summary><c>match</c> of a filter's rule.</summary>
internal sealed class MatchReader(Section match)
{
    private static readonly Reading<PrefixPattern> Pattern = new(
        "a prefix without host bits, such as 10.0.0.0/8, 10.0.0.0/8{24,32}, 10.0.0.0/8+ or 10.0.0.0/8-,",
        text => PrefixPattern.TryParse(text, out var pattern) ? pattern : null);

    private static readonly Reading<NumberRange> AsNumbers = new(
        "an AS number, or several such as 64512-65534,", text => NumberRange.TryParseAs(text, out var range) ? range : null);

    private static readonly Reading<Prefix> AddressOrPrefix = new("an address, or a prefix without host bits,", ParseAddressOrPrefix);

    public Match Read()
    {
        var result = new Match
        {
            Prefixes = Prefixes(),
            Family = match.Value("family", Scalars.Family),
            Sources = Sources(),
            Peers = Words("peer"),
            Interfaces = Words("interface"),
            NextHops = new(match.Values("nextHop", AddressOrPrefix)),
            AsPath = match.Child("asPath") is { } path ? AsPath(path) : null,
            Communities = Communities("communities", CommunityKind.Standard),
            LargeCommunities = Communities("largeCommunities", CommunityKind.Large),
            ExtendedCommunities = Communities("extCommunities", CommunityKind.Extended),
            Med = Range(match, "med", uint.MaxValue),
            LocalPref = Range(match, "localPref", uint.MaxValue),
        };
        Filled(
            "family", "source", "peer", "interface", "nextHop", "prefix", "prefixes", "communities", "largeCommunities", "extCommunities");
        match.Close();
        return result;
    }

    /// <summary>An empty list would match every route where its author meant none.</summary>
    private void Filled(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            if (match.TryGet(key, out var value) && value is SequenceNode { Items.Count: 0 })
                match.Error(key, $"expected at least one element under {match.Name(key)}, got an empty list");
    }

    /// <summary>One key with two names, as one reads better for one prefix and the other for a list.</summary>
    private PrefixSet? Prefixes()
    {
        if (match.Has("prefix") && match.Has("prefixes")) match.Error("prefixes", "expected one of prefix and prefixes, got both");
        var key = match.Has("prefix") ? "prefix" : "prefixes";
        return match.Has(key) ? new([.. match.List(key).Select(node => PrefixPatternOf(node, key)).OfType<PrefixPattern>()]) : null;
    }

    /// <summary>One word, or <c>{ prefix, ge, le }</c>; without one of the two, lengths end where the base or the address does.</summary>
    private PrefixPattern? PrefixPatternOf(DocumentNode node, string key)
    {
        if (node is not MappingNode) return Scalars.Read(node, Pattern, match.Name(key), match.Problems);
        var section = Section.Of(node, match.Name(key), match.Problems)!;
        var prefix = section.Value("prefix", Scalars.Prefix);
        if (!section.Has("prefix")) section.Problems.Error(node, "expected the key prefix beside ge and le, got none");
        var bits = prefix?.Family.Bits() ?? 128;
        var (ge, le) = (section.Number("ge", prefix?.Length ?? 0, bits), section.Number("le", prefix?.Length ?? 0, bits));
        section.Close();
        if (prefix is not { } from) return null;
        var (least, most) = (ge ?? from.Length, le ?? (section.Has("ge") ? bits : from.Length));
        if (least > most) section.Error("le", $"expected ge to be at most le, got {least} and {most}");
        return new(from, (int)least, (int)most);
    }

    private static Prefix? ParseAddressOrPrefix(string text) =>
        Address.TryParse(text, out var address) ? new Prefix(address, address.Family.Bits()) : Scalars.Prefix.Parse(text);

    private RouteSources Sources() => match.Values("source", Source).Aggregate(RouteSources.None, (all, one) => all | one);

    private static readonly Reading<RouteSources> Source = new("bgp, static, direct or kernel", text => text switch
    {
        "bgp" => RouteSources.Bgp,
        "static" => RouteSources.Static,
        "direct" => RouteSources.Direct,
        "kernel" => RouteSources.Kernel,
        _ => null,
    });

    private ListOf<string> Words(string key)
    {
        var words = new List<string>();
        foreach (var node in match.List(key))
            if (node is ScalarNode { IsNull: false, Text.Length: > 0 } word) words.Add(word.Text);
            else match.Problems.Error(node, $"expected a name for {match.Name(key)}, got {node.Kind}");
        return [.. words];
    }

    private static AsPathMatch AsPath(Section path)
    {
        var result = new AsPathMatch
        {
            Origin = new(path.Values("origin", AsNumbers)),
            First = new(path.Values("first", AsNumbers)),
            Contains = new(path.Values("contains", AsNumbers)),
            Length = Range(path, "length", ushort.MaxValue),
            Regex = [.. path.List("regex").Select(node => Regex(node, path)).OfType<AsPathRegex>()],
        };
        path.Close();
        return result;
    }

    private static AsPathRegex? Regex(DocumentNode node, Section path)
    {
        if (node is not ScalarNode { IsNull: false } text)
            path.Problems.Error(node, $"expected an expression such as ^65001 .* 64512$ for {path.Name("regex")}, got {node.Kind}");
        else if (AsPathRegex.TryParse(text.Text, out var regex, out var problem)) return regex;
        else path.Problems.Error(node, $"{problem} of the expression {node.Kind}");
        return null;
    }

    /// <summary>A number, or <c>{ eq, ge, le }</c>.</summary>
    private static NumberRange? Range(Section section, string key, uint most)
    {
        if (!section.TryGet(key, out var value)) return null;
        if (value is not MappingNode)
            return section.Number(key, 0, most) is { } number ? new((uint)number, (uint)number) : null;
        var range = section.Child(key)!;
        var (eq, ge, le) = (range.Number("eq", 0, most), range.Number("ge", 0, most), range.Number("le", 0, most));
        range.Close();
        if (range.Node.Entries.Count == 0) section.Error(key, $"expected eq, ge or le under {section.Name(key)}, got none");
        if (eq != null && (ge ?? le) != null) section.Error(key, $"expected either eq or ge and le under {section.Name(key)}, got both");
        if (ge > le) section.Error(key, $"expected ge to be at most le under {section.Name(key)}, got {ge} and {le}");
        return new((uint)(eq ?? ge ?? 0), (uint)(eq ?? le ?? most));
    }

    /// <summary>A list is any of them; <c>{ any, all, none }</c> says more.</summary>
    private CommunityMatch? Communities(string key, CommunityKind kind)
    {
        if (!match.TryGet(key, out var value)) return null;
        if (value is not MappingNode) return new(kind, Flat(match, key, kind), [], []);
        var section = match.Child(key)!;
        var all = section.List("all")
            .Select(node => CommunityWords.Read(node, kind, section.Name("all"), section.Problems))
            .Where(forms => forms.Count > 0);
        var result = new CommunityMatch(kind, Flat(section, "any", kind), [.. all], Flat(section, "none", kind));
        section.Close();
        if (value is MappingNode { Entries.Count: 0 }) match.Error(key, $"expected any, all or none under {match.Name(key)}, got nothing");
        return result;
    }

    private static ListOf<CommunityPattern> Flat(Section section, string key, CommunityKind kind) =>
        [.. section.List(key).SelectMany(node => CommunityWords.Read(node, kind, section.Name(key), section.Problems))];
}
