using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What becomes of a packet's source address, and the steps that say so.</summary>
/// <param name="Translated">By this node.</param>
/// <param name="To">What it becomes: <c>masquerade</c>, or addresses; null where it stays.</param>
public sealed record NatExplanation(bool Translated, string? To, ListOf<string> Steps);

/// <summary>
/// Walks a packet through the plan as the rules do, one step a match. It knows nothing of the rules' text: the packets of the
/// conformance tests hold the two together.
/// </summary>
/// <param name="own">Whether an address is this node's: the plan does not know.</param>
internal sealed class NatExplainer(NatPlan plan, Predicate<Address>? own = null)
{
    private readonly List<string> steps = [];

    public NatExplanation Explain(Address source, Address destination)
    {
        var translated = Decide(source, destination);
        return new(translated, translated ? To(plan, plan.Families.First(family => family.Family == source.Family)) : null, [.. steps]);
    }

    private bool Decide(Address source, Address destination)
    {
        if (plan.Families.FirstOrDefault(family => family.Family == source.Family) is not { } family)
            return Stays("NAT is off (nat.enabled)");
        if (own?.Invoke(destination) == true)
            return Stays("the destination is this node's own address: what is delivered here never meets the rules");
        if (PoolOf(family.Translated.Select(pool => pool.Cidr), source) is not { } cidr) return Stays(Untranslated(family, source));
        var pool = family.Translated.First(pool => pool.Cidr == cidr);
        steps.Add($"the source is in pool {pool.Name} ({pool.Cidr}), whose outgoing traffic is translated");
        if (PoolOf(family.Inside, destination) is { } inside) return Stays($"the destination is inside a pool ({inside})");
        steps.Add("the destination is in no pool");
        if (family.Hosts is { } hosts && PoolOf(hosts, destination) is { } host)
            return Stays($"the destination is a host ({host}), which natOutgoingExclusions excepts");
        if (pool.ExceptTo.Contains(destination)) return Stays($"the network translates: {pool.Reason}");
        if (pool.Asked != UpstreamNat.Ignore && pool.Reason.Length > 0) steps.Add($"this node translates: {pool.Reason}");
        if (plan.Interface is { } name) steps.Add($"where it leaves by an interface called {name}");
        return true;
    }

    private static Prefix? PoolOf(IEnumerable<Prefix> prefixes, Address address)
    {
        foreach (var prefix in prefixes)
            if (prefix.Contains(address)) return prefix;
        return null;
    }

    private bool Stays(string step)
    {
        steps.Add(step);
        return false;
    }

    private static string Untranslated(FamilyPlan family, Address source)
    {
        var pool = family.Pools.Where(pool => pool.Cidr.Contains(source)).OrderByDescending(pool => pool.Cidr.Length).FirstOrDefault();
        if (pool == null) return "the source is in no pool";
        var alone = pool.Treatment == PoolTreatment.UpstreamOnly
            ? ", which the network alone may translate (nat.bgpd/upstream: Require)" : "";
        return $"the source is in pool {pool.Name} ({pool.Cidr}){alone}: {pool.Reason}";
    }

    public static string To(NatPlan plan, FamilyPlan family)
    {
        var ports = plan.Ports is { } range ? $", TCP and UDP ports {range}" : "";
        return (family.Addresses.Count == 0 ? "the address of the interface it leaves by" : string.Join(", ", family.Addresses)) + ports;
    }
}
