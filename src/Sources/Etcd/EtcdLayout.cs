// Where Calico keeps what in etcd (libcalico-go/lib/backend/model), as far as this daemon acts on it:
//
//   /calico/resources/v3/projectcalico.org/bgppeers/NAME               the whole object, as calicoctl shows it
//   /calico/ipam/v2/host/NODE/ipv4/block/10.244.7.0-26                 {"state":"confirmed","deleted":false}, {} or nothing
//
// A block's affinity has no name there; it gets the one that the same affinity has in Kubernetes. Affinities of virtual owners
// (/calico/ipam/v2/virtual/), which are no nodes, and the blocks themselves are not asked for: nothing follows from them here.

using System.Collections.Immutable;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Sources.Etcd;

internal static class EtcdLayout
{
    private const string Group = "projectcalico.org";
    private const string Resources = $"/calico/resources/v3/{Group}/";
    private const string Affinities = "/calico/ipam/v2/host/";

    /// <summary>The beginnings of all keys that are read: Calico's kinds that one of these is concerned by.</summary>
    public static ImmutableArray<string> Prefixes(Concern wanted) =>
    [
        .. Kinds.All.Where(kind => kind.IsFor(wanted) && !kind.ChangesWithPods)
            .SelectMany(kind => kind.Names).Where(name => name.Group == Group)
            .Select(name => name.Kind == Kinds.BlockAffinity.Word ? Affinities : $"{Resources}{name.Plural}/")
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>What a key says that has this value.</summary>
    public static OriginContent Read(int source, string key, ReadOnlySpan<byte> value)
    {
        var origin = new ResourceOrigin(source, key);
        if (key.StartsWith(Affinities, StringComparison.Ordinal)) return Affinity(origin, value);
        if (Tree(value, origin, out var unreadable) is not { } tree) return unreadable!;
        var reading = ResourceJson.Read([tree], key);
        return new(origin, [.. reading.Definitions.Select(one => one with { Line = 0 })], reading.Problems);
    }

    /// <summary>A value that is no JSON says nothing: what the key said before stays.</summary>
    private static DocumentNode? Tree(ReadOnlySpan<byte> value, ResourceOrigin origin, out OriginContent? unreadable)
    {
        var tree = JsonTree.Read(value, 1, out var error);
        unreadable = tree != null ? null
            : new(origin, [], [new("", "", error ?? "this is not JSON", origin.Name, 0, ProblemSeverity.Error)], Whole: false);
        return tree;
    }

    private static OriginContent Affinity(ResourceOrigin origin, ReadOnlySpan<byte> value)
    {
        if (origin.Name[Affinities.Length..].Split('/') is not [var node, "ipv4" or "ipv6", "block", var block])
            return new(origin, [], []);
        var said = value.IsEmpty ? Map() : Tree(value, origin, out var unreadable) ?? (object?)unreadable;
        if (said is OriginContent bad) return bad;
        var cidr = block.LastIndexOf('-') is > 0 and var dash ? $"{block[..dash]}/{block[(dash + 1)..]}" : block;
        var name = $"{node}-{cidr.Replace('.', '-').Replace(':', '-').Replace('/', '-')}";
        var document = Map(
            ("apiVersion", Word($"{Group}/v3")), ("kind", Word(Kinds.BlockAffinity.Word)), ("metadata", Map(("name", Word(name)))),
            ("spec", Map([.. Said((DocumentNode)said!), ("node", Word(node)), ("cidr", Word(cidr)), ("type", Word("host"))])));
        var reading = ResourceJson.Read([document], origin.Name);
        return new(origin, reading.Definitions, reading.Problems);
    }

    private static IEnumerable<(string, DocumentNode)> Said(DocumentNode value) =>
        value is MappingNode map
            ? map.Entries.Where(entry => entry.Key.Text is "state" or "deleted").Select(entry => (entry.Key.Text, entry.Value)) : [];

    private static ScalarNode Word(string text) => new(0, 0, text, Plain: false);

    private static MappingNode Map(params ReadOnlySpan<(string Key, DocumentNode Value)> entries)
    {
        var (size, all) = (1, new List<MappingEntry>());
        foreach (var (key, value) in entries)
        {
            all.Add(new(Word(key), value, Merged: false));
            size += value.Size;
        }
        return new(0, 0, size, all);
    }
}
