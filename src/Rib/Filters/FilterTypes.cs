using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>Where a route in our table came from.</summary>
public enum RouteOrigin : byte { Bgp, Static, Direct, Kernel }

/// <summary>The route that a filter looks at.</summary>
public readonly ref struct FilterInput
{
    /// <summary>Looked at only where the filter says <see cref="IFilter.LooksAtPrefix"/>; may be anything otherwise.</summary>
    public required Prefix Prefix { get; init; }
    public required IpFamily Family { get; init; }
    public required RouteOrigin Origin { get; init; }
    /// <summary>Name of the peer that it came from; null for own routes.</summary>
    public string? FromPeer { get; init; }
    /// <summary>Name of the interface that it leads to, where that is known.</summary>
    public string? Interface { get; init; }
    /// <summary>Canonical octets.</summary>
    public required ReadOnlySpan<byte> Attributes { get; init; }
    public required AttributeSummary Summary { get; init; }
    /// <summary>What "next hop self" means towards these peers (export) or for us (import).</summary>
    public Address Self { get; init; }
    /// <summary>Kernel metric and table set on the way in.</summary>
    public KernelHints Hints { get; init; }
}

/// <summary>What filters say about the route in the kernel; 0: nothing was said.</summary>
public readonly record struct KernelHints(uint Metric, uint Table);

public enum FilterVerdict : byte
{
    Reject,
    /// <summary>Accepted as it is.</summary>
    Accept,
    /// <summary>Accepted, with the attributes (or hints) that the editor now holds.</summary>
    AcceptChanged,
}

/// <summary>What a filter run answers. <paramref name="Rule"/>: which rule decided, for <c>explain</c>.</summary>
/// <param name="NextHop">What a rule said of the next hop on export beside setting an address.</param>
/// <param name="MedSet">A rule set the MED, so that it may go to an external peer (RFC 4271 5.1.4).</param>
/// <param name="Tunnel">The kernel shall reach the next hop through the IPIP tunnel.</param>
/// <param name="IsTold">The rule wants the log to say so (<see cref="FilterRule.IsTold"/>).</param>
public readonly record struct FilterResult(
    FilterVerdict Verdict, KernelHints Hints, string Rule, NextHopChoice NextHop = NextHopChoice.Auto, bool MedSet = false,
    bool Tunnel = false, bool IsTold = false);

/// <summary>Who decides what the next hop becomes on export.</summary>
public enum NextHopChoice : byte
{
    /// <summary>The peer's next-hop mode.</summary>
    Auto,
    Self,
    Keep,
    /// <summary>The editor holds the address.</summary>
    Set,
}

/// <summary>Import or export treatment of a peer: accept, reject, or a chain of named filters.</summary>
public interface IFilter
{
    /// <summary>As <c>show protocols all</c> names it: ACCEPT, REJECT, or the filters' names.</summary>
    string Name { get; }

    /// <summary>False: routes that differ only in their prefix (or path id) get the same verdict and changes: one run does for
    /// many.</summary>
    bool LooksAtPrefix { get; }

    /// <summary>The verdict depends on nothing but the arguments; filters with equal text are equal.</summary>
    FilterResult Run(in FilterInput route, AttributeEditor editor);
}
