using System.Collections.Immutable;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Configuration;

/// <summary>The filters of the file by name, and how <c>import</c> and <c>export</c> refer to them.</summary>
/// <param name="filters">Null for a filter that is there and wrong: it was complained about where it stands.</param>
internal sealed class NamedFilters(IReadOnlyDictionary<string, Filter?> filters)
{
    public ImmutableArray<string> Names { get; } = [.. filters.Keys];
    public ImmutableArray<Filter> All { get; } = [.. filters.Values.OfType<Filter>()];

    /// <summary>accept, reject, a filter's name or a list of names; null where the key is absent.</summary>
    public IFilter? Named(Section section, string key)
    {
        if (!section.TryGet(key, out var value)) return null;
        if (value is ScalarNode { Text: "accept" }) return AcceptAll.Instance;
        if (value is ScalarNode { Text: "reject" }) return RejectAll.Instance;
        var named = section.List(key).Select(node => Find(node, section, key)).OfType<Filter>().ToArray();
        if (section.List(key).Count == 0)
            section.Error(key, $"expected accept, reject or names of filters for {section.Name(key)}, got none");
        return named.Length > 0 ? new FilterChain([.. named]) : RejectAll.Instance;
    }

    private Filter? Find(DocumentNode node, Section section, string key)
    {
        if (node is ScalarNode { IsNull: false } name && filters.TryGetValue(name.Text, out var filter)) return filter;
        var guess = Spelling.Guess(node, Names.Concat(["accept", "reject"]));
        section.Problems.Error(node, $"expected accept, reject or the name of a filter for {section.Name(key)}, got {node.Kind}{guess}");
        return null;
    }
}
