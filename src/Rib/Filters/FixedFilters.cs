using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary><c>accept</c>: every route as it is.</summary>
public sealed record AcceptAll : IFilter
{
    public static readonly AcceptAll Instance = new();
    /// <summary>The rule's name, for who does not run it.</summary>
    internal const string Label = "accept";

    private AcceptAll() { }

    public string Name => "ACCEPT";
    public bool LooksAtPrefix => false;
    public FilterResult Run(in FilterInput route, AttributeEditor editor) => new(FilterVerdict.Accept, route.Hints, Label);
}

/// <summary><c>reject</c>: no route; also what RFC 8212 gives an external peer for which nothing was configured.</summary>
public sealed record RejectAll : IFilter
{
    public static readonly RejectAll Instance = new();

    private RejectAll() { }

    public string Name => "REJECT";
    public bool LooksAtPrefix => false;
    public FilterResult Run(in FilterInput route, AttributeEditor editor) => new(FilterVerdict.Reject, route.Hints, "reject");
}
