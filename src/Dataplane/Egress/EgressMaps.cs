using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>What a pod's address leads to.</summary>
/// <param name="Out">By which class's chain its packets are marked, or that they go as they are; null: it is nobody's concern here.</param>
/// <param name="Source">By which chain they get a gateway's address; null: this node is no gateway of the pod's.</param>
/// <param name="IsBlocked">It leaves by no way.</param>
internal readonly record struct EgressPlace(
    ResourceId Pod, bool IsLocal, Address Address, NftVerdict? Out, NftVerdict? Source, bool IsBlocked) : IComparable<EgressPlace>
{
    /// <summary>Some of its gateways are reached by the overlay.</summary>
    public bool IsFar { get; init; }

    /// <summary>Of two pods with one address this node's own counts; it may be another's that has ended and is still said.</summary>
    public int CompareTo(EgressPlace other) =>
        IsLocal != other.IsLocal ? (IsLocal ? -1 : 1) : Pod.CompareTo(other.Pod);

    public IEnumerable<string> Chains =>
        new[] { Out?.Chain, Source?.Chain }.OfType<string>();
}

/// <summary>
/// The maps by pods' addresses and the chains that they lead to, kept by name: a change costs the addresses and the chains that it
/// touches, whatever else there is.
/// </summary>
internal sealed class EgressMaps
{
    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly Dictionary<ResourceId, ImmutableArray<EgressPlace>> places = [];
    private readonly Dictionary<Address, ImmutableArray<EgressPlace>> claims = [];
    private readonly Dictionary<string, int> uses = [];
    private readonly Dictionary<Address, EgressPlace> written = [];
    private readonly Dictionary<string, NftChain> writtenChains = [];
    private readonly HashSet<Address> moved = [];
    private readonly HashSet<string> movedChains = [];
    private readonly int[] blocked = new int[Families.Length];
    private bool isThere;

    /// <summary>Something may differ from what was written.</summary>
    public bool IsDirty => moved.Count + movedChains.Count > 0;

    /// <summary>There are some that leave by no way.</summary>
    public ListOf<IpFamily> BlockedIn => [.. Families.Where(family => blocked[(int)family] > 0)];

    /// <summary>All is said anew from here on: what is not said again goes.</summary>
    public void Clear()
    {
        moved.UnionWith(claims.Keys);
        movedChains.UnionWith(uses.Keys);
        places.Clear();
        claims.Clear();
        uses.Clear();
        Array.Clear(blocked);
    }

    /// <summary>Where the pod's addresses lead from now on; none: it is gone.</summary>
    public void Put(ResourceId pod, ImmutableArray<EgressPlace> now)
    {
        var before = places.GetValueOrDefault(pod, []);
        if (before.AsSpan().SequenceEqual(now.AsSpan())) return;
        foreach (var one in before) Forget(one);
        foreach (var one in now) Claim(one);
        if (now.IsEmpty) places.Remove(pod);
        else places[pod] = now;
    }

    private void Claim(EgressPlace one)
    {
        moved.Add(one.Address);
        if (one.IsBlocked) blocked[(int)one.Address.Family]++;
        claims[one.Address] = [.. claims.GetValueOrDefault(one.Address, []).Append(one).Order()];
        foreach (var chain in one.Chains)
            if ((uses[chain] = uses.GetValueOrDefault(chain) + 1) == 1) movedChains.Add(chain);
    }

    private void Forget(EgressPlace one)
    {
        moved.Add(one.Address);
        if (one.IsBlocked) blocked[(int)one.Address.Family]--;
        if (claims[one.Address].Remove(one) is { IsEmpty: false } left) claims[one.Address] = left;
        else claims.Remove(one.Address);
        foreach (var chain in one.Chains)
        {
            if (--uses[chain] > 0) continue;
            uses.Remove(chain);
            movedChains.Add(chain);
        }
    }

    /// <summary>Nobody who is blocked gets through for another's sake.</summary>
    private EgressPlace? At(Address address) => !claims.TryGetValue(address, out var all) ? null
        : all[0] with { IsBlocked = all.Any(one => one.IsBlocked) };

    /// <summary>Chains before what leads to them, and what leads to them before chains that go.</summary>
    /// <param name="chainOf">What is in it.</param>
    public void Write(PartsWriter into, Func<string, NftChain> chainOf)
    {
        var isNew = into.IsFresh || !isThere;
        isThere = true;
        if (isNew)
        {
            written.Clear();
            writtenChains.Clear();
            movedChains.UnionWith(uses.Keys);
        }
        var gone = new List<string>();
        foreach (var name in movedChains)
            if (uses.ContainsKey(name)) Write(chainOf(name), into);
            else if (writtenChains.Remove(name)) gone.Add(name);
        if (isNew) WriteAll(into);
        else WriteMoved(into);
        foreach (var name in gone.Order(StringComparer.Ordinal)) into.RemoveChain(name);
        moved.Clear();
        movedChains.Clear();
    }

    /// <summary>There are none any more.</summary>
    public void End(PartsWriter into)
    {
        if (isThere && !into.IsFresh)
        {
            foreach (var family in Families)
                foreach (var map in EgressMap.All) into.RemoveSet(map.Name(family));
            foreach (var name in writtenChains.Keys.Order(StringComparer.Ordinal)) into.RemoveChain(name);
        }
        isThere = false;
        written.Clear();
        writtenChains.Clear();
        moved.Clear();
        movedChains.Clear();
    }

    private void Write(NftChain chain, PartsWriter into)
    {
        if (writtenChains.TryGetValue(chain.Name, out var before) && before.Same(chain)) return;
        into.Put(writtenChains[chain.Name] = chain);
    }

    private void WriteAll(PartsWriter into)
    {
        foreach (var address in claims.Keys) written[address] = At(address)!.Value;
        foreach (var family in Families)
            foreach (var map in EgressMap.All)
                into.Put(map.Set(family, written.Values.Where(one => one.Address.Family == family).OrderBy(one => one.Address)));
    }

    private void WriteMoved(PartsWriter into)
    {
        var differences = new List<(EgressPlace? Before, EgressPlace? Now)>();
        foreach (var address in moved.Order())
        {
            var (before, now) = (written.TryGetValue(address, out var had) ? had : (EgressPlace?)null, At(address));
            if (before == now) continue;
            differences.Add((before, now));
            if (now is { } place) written[address] = place;
            else written.Remove(address);
        }
        foreach (var family in Families)
            foreach (var map in EgressMap.All)
            {
                var of = differences.Where(one => (one.Before ?? one.Now)!.Value.Address.Family == family)
                    .Select(one => (Before: map.Element(one.Before), Now: map.Element(one.Now)))
                    .Where(one => one.Before != one.Now).ToArray();
                ImmutableArray<NftElement> less = [.. of.Where(one => one.Now == null).Select(one => one.Before!.Value)],
                    more = [.. of.Where(one => one.Now != null).Select(one => one.Now!.Value)];
                if (!less.IsEmpty) into.RemoveElements(map.Name(family), less);
                if (!more.IsEmpty) into.PutElements(map.Name(family), more);
            }
    }
}

/// <summary>One of the maps: which of a place's facts it has.</summary>
/// <param name="HasVerdicts">Else it is a set.</param>
internal sealed record EgressMap(string Word, bool HasVerdicts, Func<EgressPlace, bool> Has, Func<EgressPlace, NftVerdict?> Of)
{
    public static readonly EgressMap Pods = new("pods", true, one => one.Out != null, one => one.Out),
        Sources = new("sources", true, one => one.Source != null, one => one.Source),
        Blocked = new("blocked", false, one => one.IsBlocked, _ => null),
        Far = new("far", false, one => one.IsFar, _ => null);

    public static readonly ImmutableArray<EgressMap> All = [Pods, Sources, Blocked, Far];

    public string Name(IpFamily family) => $"{Egress.FeatureName}-{Word}{(family == IpFamily.IPv4 ? "4" : "6")}";

    public NftElement? Element(EgressPlace? place) => place is { } one && Has(one) ? Element(one) : null;

    private NftElement Element(EgressPlace one) =>
        NftElement.Of(NftOctets.Of(one.Address), Of(one));

    public NftSet Set(IpFamily family, IEnumerable<EgressPlace> all) => new(
        Name(family), [family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address], false, [.. all.Where(Has).Select(Element)],
        HasVerdicts ? [NftType.Verdict] : default);
}
