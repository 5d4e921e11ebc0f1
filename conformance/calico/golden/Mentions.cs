// What texts name, by their look: prefixes, addresses, large numbers, link patterns, AS paths and communities. Found in BIRD's words
// and in the resources' alike; too much does no harm, for it only makes more probes.
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

internal sealed partial class Mentions(IEnumerable<string> texts, AddressFamily family)
{
    private readonly string text = string.Join('\n', texts);

    /// <summary>The default route is always one of them.</summary>
    public IReadOnlyList<IPNetwork> Prefixes => field ??=
        [.. Networks().Concat(Addresses.Select(Bits.Host))
            .Append(Bits.Cut(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0)).Distinct()];

    public IReadOnlyList<IPAddress> Addresses =>
        field ??= [.. Found().Where(found => found.Length == null).Select(found => found.Address).Distinct()];

    /// <summary>Bounds of prefix patterns.</summary>
    public IReadOnlyList<int> Lengths => field ??= [.. Pattern().Matches(text).SelectMany(match =>
        new[] { Integer(match.Groups[1]), Integer(match.Groups[2]) }).Distinct()];

    /// <summary>Metrics and local preferences.</summary>
    public IReadOnlyList<uint> Numbers => field ??= [.. Compared().Matches(text).Select(match =>
        uint.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct()];

    /// <summary>Names for the patterns that filters hold against links.</summary>
    public IReadOnlyList<string> Links => field ??= [.. Link().Matches(text).Select(match =>
        match.Groups[1].Value.Replace("*", "x", StringComparison.Ordinal)).Distinct()];

    public IReadOnlyList<ImmutableArray<uint>> Paths => field ??=
        [.. Mask().Matches(text).Select(match => match.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse)
            .ToImmutableArray()).Where(path => path.Length > 0)];

    /// <summary>Each by itself, all together, and one that nobody names.</summary>
    public IReadOnlyList<ImmutableArray<Community>> Communities => field ??=
        Sets(Pair().Matches(text).Select(match => new Community(Number(match, 1), Number(match, 2))), new Community(64999, 1));

    public IReadOnlyList<ImmutableArray<LargeCommunity>> LargeCommunities => field ??=
        Sets(Triple().Matches(text).Select(match => new LargeCommunity(Number(match, 1), Number(match, 2), Number(match, 3))),
            new LargeCommunity(64999, 1, 1));

    private static IReadOnlyList<ImmutableArray<T>> Sets<T>(IEnumerable<T> named, T unnamed)
    {
        var all = named.Distinct().ToImmutableArray();
        return all.IsEmpty ? [[unnamed]] : [.. all.Select(one => ImmutableArray.Create(one)), all, [unnamed]];
    }

    private IEnumerable<IPNetwork> Networks() =>
        Found().Where(found => found.Length != null).Select(found => Bits.Cut(found.Address, found.Length!.Value));

    private IEnumerable<(IPAddress Address, int? Length)> Found() =>
        from Match match in Address().Matches(text)
        let address = IPAddress.TryParse(match.Groups[1].Value, out var parsed) ? parsed : null
        where address?.AddressFamily == family
        let length = match.Groups[2].Success ? Integer(match.Groups[2]) : (int?)null
        where length == null || length <= Bits.Length(address)
        select (address, length);

    private static uint Number(Match match, int group) => uint.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static int Integer(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<![\w.:])(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*)(?:/(\d+))?(?![\w.:])")]
    private static partial Regex Address();

    [GeneratedRegex(@"\{(\d+),\s*(\d+)\}")]
    private static partial Regex Pattern();

    [GeneratedRegex(@"(?:krt_metric|bgp_local_pref)\s*[=<>]\s*(\d+)(?!\d|\s*-)")]
    private static partial Regex Compared();

    [GeneratedRegex(@"ifname ~ ""([^""]+)""")]
    private static partial Regex Link();

    [GeneratedRegex(@"\[=([\d ]+)\*? =\]")]
    private static partial Regex Mask();

    [GeneratedRegex(@"\((\d+), (\d+)\)")]
    private static partial Regex Pair();

    [GeneratedRegex(@"\((\d+), (\d+), (\d+)\)")]
    private static partial Regex Triple();
}
