using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>The sets that the rules of one chain use, each as often as it is used.</summary>
internal sealed class SetUses
{
    private readonly List<(Selector Selector, IpFamily Family)> selectors = [];
    private readonly List<NamedPortMembers> ports = [];
    private readonly List<ServiceMembers> services = [];
    private readonly List<DnsSet> names = [];

    public IEnumerable<Selector> Selectors => selectors.Select(use => use.Selector).Distinct();

    /// <summary>Some rule goes by names.</summary>
    public bool HasNames => names.Count > 0;

    public MemberSetNames Use(MemberSets sets, Selector selector, IpFamily family)
    {
        selectors.Add((selector, family));
        return sets.Use(selector, family);
    }

    public string Use(MemberSets sets, NamedPortMembers members)
    {
        ports.Add(members);
        return sets.Use(members);
    }

    public string Use(MemberSets sets, ServiceMembers members)
    {
        services.Add(members);
        return sets.Use(members);
    }

    public DnsSet Use(DnsSets sets, ListOf<DomainPattern> patterns)
    {
        var set = sets.Use(patterns);
        names.Add(set);
        return set;
    }

    public void Release(MemberSets sets, DnsSets ofNames)
    {
        foreach (var set in names) ofNames.Release(set);
        foreach (var (selector, family) in selectors) sets.Release(selector, family);
        foreach (var members in ports) sets.Release(members);
        foreach (var members in services) sets.Release(members);
    }
}
