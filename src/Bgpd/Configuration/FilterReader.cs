using System.Collections.Immutable;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Bgpd.Configuration;

/// <summary>The filters of the file by name, and how <c>import</c> and <c>export</c> refer to them.</summary>
internal sealed class NamedFilters(ImmutableArray<string> names)
{
    public ImmutableArray<string> Names { get; } = names;

    /// <summary>accept, reject, a filter's name or a list of names; null where the key is absent.</summary>
    public IPolicy? Policy(Section section, string key)
    {
        if (!section.TryGet(key, out var value)) return null;
        if (value is ScalarNode { Text: "accept" }) return AcceptAll.Instance;
        if (value is ScalarNode { Text: "reject" }) return RejectAll.Instance;
        section.Problems.Error(value, $"expected accept or reject for {section.Name(key)}, got {value.Kind}");
        return RejectAll.Instance;
    }
}

/// <summary><c>filters</c>.</summary>
internal sealed class FilterReader(Section root)
{
    public NamedFilters Read()
    {
        root.Has("filters");
        return new([]);
    }
}
