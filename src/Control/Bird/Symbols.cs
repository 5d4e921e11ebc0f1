using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird;

internal enum SymbolKind : byte { Protocol, Table, Filter }

/// <summary>The names that a command may use, as of the moment it came.</summary>
internal sealed class Symbols
{
    private readonly Dictionary<string, SymbolKind> known = new(StringComparer.Ordinal);

    public Symbols(ISpeaker speaker)
    {
        foreach (var filter in speaker.FilterNames) known[filter] = SymbolKind.Filter;
        foreach (var protocol in speaker.Protocols) known[protocol.Name] = SymbolKind.Protocol;
        foreach (var family in Tables.Families) known[Tables.Name(family)] = SymbolKind.Table;
    }

    /// <summary>Filters first, then protocols, then tables.</summary>
    public IEnumerable<(string Name, SymbolKind Kind)> All => known.Select(pair => (pair.Key, pair.Value));

    public bool TryGet(string name, out SymbolKind kind) => known.TryGetValue(name, out kind);
}

/// <summary>BIRD's names of the two routing tables.</summary>
internal static class Tables
{
    public static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    public static string Name(IpFamily family) => family == IpFamily.IPv4 ? "master4" : "master6";

    public static IpFamily Family(string name) => name == "master6" ? IpFamily.IPv6 : IpFamily.IPv4;
}
