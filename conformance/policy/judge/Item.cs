using System.Net;

namespace Calico.Bgp.Conformance.Policy;

internal enum ItemKind { Workload, Host, Set }

internal readonly record struct NamedPort(string Name, int Protocol, int Port);

/// <summary>What selectors are asked of: an endpoint or a set of networks, with the labels that its profiles give it.</summary>
internal sealed record Item(ItemKind Kind, string Name, IReadOnlyDictionary<string, string> Labels)
{
    public string Node { get; init; } = "";

    /// <summary>A host endpoint's may be empty, or <c>*</c>.</summary>
    public string Interface { get; init; } = "";

    public IReadOnlyList<string> Nets { get; init; } = [];
    public IReadOnlyList<string> Profiles { get; init; } = [];
    public IReadOnlyList<NamedPort> Ports { get; init; } = [];

    public bool Contains(IPAddress address) => Nets.Any(net => Prefixes.Contains(net, address));
}

internal static class Prefixes
{
    /// <param name="net">An address with or without a length.</param>
    /// <param name="address"></param>
    public static bool Contains(string net, IPAddress address)
    {
        var parts = net.Split('/');
        var (left, right) = (IPAddress.Parse(parts[0]).GetAddressBytes(), address.GetAddressBytes());
        if (left.Length != right.Length) return false;
        var bits = parts.Length == 1 ? left.Length * 8 : int.Parse(parts[1], null);
        return Enumerable.Range(0, bits).All(bit => ((left[bit / 8] ^ right[bit / 8]) >> (7 - (bit % 8)) & 1) == 0);
    }

    public static bool IsIPv6(string net) => net.Contains(':', StringComparison.Ordinal);
}
