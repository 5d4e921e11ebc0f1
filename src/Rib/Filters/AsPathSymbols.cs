using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

/// <summary>What one place of an AS path expression takes.</summary>
internal enum AsPathSymbolKind : byte
{
    /// <summary>An AS number of the ranges.</summary>
    Number,
    Any,
    /// <summary><c>^</c>: what stands before the first AS.</summary>
    Begin,
    /// <summary><c>$</c>: what stands after the last one.</summary>
    End,
}

internal readonly record struct AsPathSymbol(AsPathSymbolKind Kind, ListOf<NumberRange> Ranges)
{
    public bool TakesNumber(uint number) =>
        Kind == AsPathSymbolKind.Any || (Kind == AsPathSymbolKind.Number && NumberRange.AnyHas(Ranges.Items, number));
}

/// <summary>A part of an expression in Glushkov's terms: where it may begin and end, and whether it may be empty.</summary>
internal readonly record struct AsPathPart(bool Nullable, ulong[] First, ulong[] Last);
