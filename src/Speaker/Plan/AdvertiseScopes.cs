using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// bgpd.yaml's <c>advertise</c>: peers that hear of some services only. Peers that the same rules name share one set of withheld addresses,
/// which their export chain looks at.
/// </summary>
internal sealed class AdvertiseScopes(ListOf<AdvertiseRule> rules)
{
    private sealed class Scope(AdvertiseRule[] rules)
    {
        public LivePrefixes Withheld { get; } = new();
        public bool Selects(Service service) => rules.Any(rule => rule.Services.Matches(service.Labels));
    }

    private readonly Dictionary<string, Scope> scopes = [];

    /// <summary>False: there is a scope that the services have not all been held against.</summary>
    public bool AreDecided { get; set; }

    /// <summary>Null: the peer hears of every service.</summary>
    public LivePrefixes? WithheldFrom(PlannedPeer peer)
    {
        if (rules.Count == 0) return null;
        var name = peer.Name;
        var naming = rules.Index().Where(rule => rule.Item.Peers.Any(pattern => Match.Glob(pattern, name))).ToArray();
        if (naming.Length == 0) return null;
        var key = string.Join(',', naming.Select(rule => rule.Index));
        if (scopes.TryGetValue(key, out var scope)) return scope.Withheld;
        AreDecided = false;
        return (scopes[key] = new([.. naming.Select(rule => rule.Item)])).Withheld;
    }

    /// <param name="services">Those that have the address announced.</param>
    public void Decide(Prefix prefix, IEnumerable<Service> services)
    {
        foreach (var scope in scopes.Values)
        {
            if (services.Any(scope.Selects)) scope.Withheld.Remove(prefix);
            else scope.Withheld.Add(prefix);
        }
    }

    public void Forget(Prefix prefix)
    {
        foreach (var scope in scopes.Values) scope.Withheld.Remove(prefix);
    }
}
