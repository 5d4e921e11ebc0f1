using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>
/// The sets that rules look names' addresses up in: two, of IPv4 and of IPv6, for each list of names, however many rules have it. What is
/// in them is the responses' affair: they are adopted as they are, and their elements end by the clock.
/// </summary>
internal sealed class DnsSets
{
    public const string Prefix = Enforcement.Prefix + "dns";

    private readonly record struct Key(ListOf<DomainPattern> Patterns, DnsIsolation Isolation);

    private sealed class Part(DnsSet set, Key key)
    {
        public DnsSet Set => set;
        public Key Key => key;
        public int Uses { get; set; }
    }

    private readonly Dictionary<Key, Part> used = [];
    private readonly HashSet<Part> unwritten = [];
    private readonly HashSet<string> unused = new(StringComparer.Ordinal);
    private int lastId;

    public int Count => used.Count;

    /// <summary>For whom a lookup opens; rules that use a set are rendered anew when it changes.</summary>
    public DnsIsolation Isolation { get; set; }

    public ImmutableArray<DnsSet> All => [.. used.Values.Select(part => part.Set).OrderBy(set => set.Id)];

    /// <summary>Counted.</summary>
    /// <param name="patterns">In order, each once (<see cref="Ordered"/>).</param>
    public DnsSet Use(ListOf<DomainPattern> patterns)
    {
        var key = new Key(patterns, Isolation);
        if (!used.TryGetValue(key, out var part))
        {
            used[key] = part = new(SetOf(key), key);
            if (!unused.Remove(part.Set.OfIPv4)) unwritten.Add(part);
            unused.Remove(part.Set.OfIPv6);
        }
        part.Uses++;
        return part.Set;
    }

    public void Release(DnsSet set)
    {
        var part = used.Values.First(one => one.Set.Id == set.Id);
        if (--part.Uses > 0) return;
        used.Remove(part.Key);
        if (unwritten.Remove(part)) return;
        unused.Add(set.OfIPv4);
        unused.Add(set.OfIPv6);
    }

    /// <summary>Two lists of the same names are one.</summary>
    public static ListOf<DomainPattern> Ordered(IEnumerable<DomainPattern> patterns) =>
        [.. patterns.Distinct().OrderBy(pattern => pattern.Text, StringComparer.Ordinal)];

    private DnsSet SetOf(Key key)
    {
        var hash = ContentHash.Of(string.Join(' ', key.Patterns));
        var of = key.Isolation == DnsIsolation.Node ? "n" : "";
        return new(++lastId, key.Patterns, $"{Prefix}4{of}-{hash}", $"{Prefix}6{of}-{hash}");
    }

    /// <summary>Sets come before the rules that ask them, and go behind these: the kernel's side sees to that.</summary>
    public void Write(PartsWriter into)
    {
        if (into.IsFresh)
        {
            unused.Clear();
            unwritten.UnionWith(used.Values);
        }
        foreach (var name in unused.Order(StringComparer.Ordinal)) into.RemoveSet(name);
        unused.Clear();
        foreach (var part in unwritten.OrderBy(part => part.Set.Id))
        {
            into.Put(Render(part, IpFamily.IPv4, NftType.Ipv4Address));
            into.Put(Render(part, IpFamily.IPv6, NftType.Ipv6Address));
        }
        unwritten.Clear();
    }

    private static NftSet Render(Part part, IpFamily family, NftType address) => new(part.Set.Of(family),
        part.Key.Isolation == DnsIsolation.Node ? [address] : [NftType.InterfaceName, address], false, [])
    {
        Dynamic = true,
        Comment = Comment(part.Set.Patterns),
    };

    /// <summary>The kernel takes 128 octets of a set's user data, which has more than the comment in it.</summary>
    private static string Comment(ListOf<DomainPattern> patterns)
    {
        const int most = 90;
        var words = string.Join(' ', patterns);
        return words.Length <= most ? words : words[..(most - 1)] + "…";
    }

    /// <summary>What a rule asks.</summary>
    public NftStatement Match(DnsSet set, IpFamily family) => Isolation == DnsIsolation.Node
        ? new MatchAddress(family, NftEnd.Destination, set.Of(family)) : new MatchInterfaceAddress(family, set.Of(family));
}
