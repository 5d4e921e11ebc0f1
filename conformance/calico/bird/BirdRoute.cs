// A route as a filter sees it: BIRD's names for what it has, and the types that they take.
using System.Collections.Immutable;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

internal sealed class BirdRoute
{
    public static readonly ImmutableDictionary<string, Type> Attributes = new Dictionary<string, Type>
    {
        ["net"] = typeof(IPNetwork),
        ["source"] = typeof(Source),
        ["ifname"] = typeof(string),
        ["preference"] = typeof(uint),
        ["krt_metric"] = typeof(uint),
        ["krt_tunnel"] = typeof(string),
        ["bgp_local_pref"] = typeof(uint),
        ["bgp_med"] = typeof(uint),
        ["bgp_next_hop"] = typeof(IPAddress),
        ["bgp_path"] = typeof(ImmutableArray<uint>),
        ["bgp_community"] = typeof(ImmutableArray<Community>),
        ["bgp_large_community"] = typeof(ImmutableArray<LargeCommunity>),
    }.ToImmutableDictionary();

    private static readonly string[] ReadOnly = ["net", "source", "ifname"];

    private ImmutableDictionary<string, object> has;

    public BirdRoute(IPNetwork net, Source source)
        : this(new Dictionary<string, object> { ["net"] = net, ["source"] = source }.ToImmutableDictionary()) { }

    private BirdRoute(ImmutableDictionary<string, object> has) => this.has = has;

    public BirdRoute Copy() => new(has);

    public bool Has(string attribute) => has.ContainsKey(attribute);

    /// <summary>Lists that are not there read as empty ones; anything else as null.</summary>
    public object? this[string attribute] => has.GetValueOrDefault(attribute) ?? attribute switch
    {
        "bgp_path" => ImmutableArray<uint>.Empty,
        "bgp_community" => ImmutableArray<Community>.Empty,
        "bgp_large_community" => ImmutableArray<LargeCommunity>.Empty,
        _ => null,
    };

    public T Get<T>(string attribute) => (T)(this[attribute] ?? throw new BirdException($"the route has no {attribute}"));

    /// <summary>For whoever makes a route; a null leaves it without.</summary>
    public BirdRoute With(string attribute, object? value)
    {
        if (value != null) has = has.SetItem(attribute, Typed(attribute, value));
        return this;
    }

    /// <summary>For a filter's assignment.</summary>
    public void Set(string attribute, object? value)
    {
        if (ReadOnly.Contains(attribute)) throw new BirdException($"{attribute} cannot be changed");
        has = has.SetItem(attribute, Typed(attribute, value ?? throw new BirdException($"{attribute} is set to what is not defined")));
    }

    private static object Typed(string attribute, object value) =>
        Attributes[attribute] == value.GetType() ? value
        : throw new BirdException($"{attribute} takes {Attributes[attribute].Name}, not {value.GetType().Name} ({value})");
}
