using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Configuration;

/// <summary><c>change</c> of a filter's rule.</summary>
internal sealed class ChangeReader(Section change, Asn localAs)
{
    /// <summary>More numbers than that are a mistake, and a path that many routers refuse.</summary>
    private const int PrependLimit = 64;

    private readonly record struct NextHopWish(NextHopChoice Choice, Address? Address);

    private static readonly Reading<NextHopWish> NextHop = new("self, keep or an address", text => text switch
    {
        "self" => new NextHopWish(NextHopChoice.Self, null),
        "keep" => new NextHopWish(NextHopChoice.Keep, null),
        _ => Address.TryParse(text, out var address) && !address.IsUnspecified && !address.IsMulticast
            ? new(NextHopChoice.Set, address) : null,
    });

    public Change Read()
    {
        var removesMed = change.TryGet("med", out var med) && med is ScalarNode { Text: "none" };
        var nextHop = change.Value("nextHop", NextHop);
        var result = new Change
        {
            LocalPref = (uint?)change.Number("localPref", 0, uint.MaxValue),
            Med = removesMed ? null : (uint?)change.Number("med", 0, uint.MaxValue),
            RemoveMed = removesMed,
            Origin = change.Word("origin", ("igp", Origin.Igp), ("egp", Origin.Egp), ("incomplete", Origin.Incomplete)),
            Communities = Communities("communities", CommunityKind.Standard),
            LargeCommunities = Communities("largeCommunities", CommunityKind.Large),
            ExtendedCommunities = Communities("extCommunities", CommunityKind.Extended),
            Prepend = Prepend(),
            NextHop = nextHop?.Choice ?? NextHopChoice.Auto,
            NextHopAddress = nextHop?.Address,
            Kernel = Kernel(),
        };
        if (change.Node.Entries.Count == 0) change.Problems.Error(change.Node, "expected something to change, got an empty mapping");
        change.Close();
        return result;
    }

    private PathPrepend? Prepend()
    {
        if (change.Child("prepend") is not { } prepend) return null;
        var result = new PathPrepend(prepend.Value("asn", Scalars.Asn) ?? localAs, (int)(prepend.Number("count", 1, PrependLimit) ?? 1));
        prepend.Close();
        return result;
    }

    private KernelHints Kernel()
    {
        if (change.Child("kernel") is not { } kernel) return default;
        var hints = new KernelHints(
            (uint)(kernel.Number("metric", 1, uint.MaxValue) ?? 0), (uint)(kernel.Value("table", KernelReader.Table) ?? 0));
        kernel.Close();
        return hints;
    }

    private CommunityChange? Communities(string key, CommunityKind kind)
    {
        if (change.Child(key) is not { } section) return null;
        var set = Exact(section, "set", kind);
        var result = new CommunityChange(
            kind, section.Has("set") ? set : null, Patterns(section, "remove", kind), Exact(section, "add", kind));
        section.Close();
        return result;
    }

    private static ListOf<CommunityPattern> Patterns(Section section, string key, CommunityKind kind) =>
        [.. section.List(key).SelectMany(node => CommunityWords.Read(node, kind, section.Name(key), section.Problems))];

    private static ListOf<CommunityPattern> Exact(Section section, string key, CommunityKind kind)
    {
        var patterns = Patterns(section, key, kind);
        if (patterns.All(pattern => pattern.IsExact)) return patterns;
        section.Error(key, $"expected communities without * under {section.Name(key)}");
        return [];
    }
}
