using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>A service address whose announcement began, changed or ended.</summary>
/// <param name="Weight">Ready endpoints behind it on this node, over all services that share it.</param>
public readonly record struct ServiceMove(Prefix Prefix, bool Announced, int Weight);

/// <summary>
/// Which service addresses this node announces, kept service by service: what one service changes costs the same whatever the others are.
/// An address that several services have is announced while one of them has it announced. The live sets that filters look at change before
/// anything is told of it.
/// </summary>
internal sealed class ServiceIndex(ServiceRanges ranges, AdvertiseScopes scopes)
{
    private readonly Dictionary<ResourceKey, (Service Service, ServiceVerdict Verdict)> services = [];
    private readonly Dictionary<Prefix, ImmutableSortedSet<ResourceKey>> users = [];

    public ServiceRanges Ranges => ranges;

    public IEnumerable<(Prefix Prefix, ImmutableSortedSet<ResourceKey> Services)> Announced =>
        users.OrderBy(user => user.Key).Select(user => (user.Key, user.Value));

    public ImmutableSortedSet<ResourceKey> UsersOf(Prefix prefix) => users.GetValueOrDefault(prefix, []);

    public int WeightOf(Prefix prefix) => users.TryGetValue(prefix, out var keys) ? keys.Sum(key => services[key].Verdict.ReadyHere) : 0;

    public static ServiceIndex Of(ResourceSnapshot resources, ServiceRanges ranges, AdvertiseScopes scopes)
    {
        var index = new ServiceIndex(ranges, scopes);
        foreach (var key in resources.Of(Kinds.Service).Keys) index.Look(key, resources, []);
        scopes.AreDecided = true;
        return index;
    }

    /// <summary>Looks at one service again. <paramref name="moves"/> gets what changed, each address once.</summary>
    public void Look(ResourceKey key, ResourceSnapshot resources, List<ServiceMove> moves)
    {
        var before = services.GetValueOrDefault(key);
        var (had, weighed) = (before.Verdict == null ? [] : before.Verdict.Announced.ToArray(), before.Verdict?.ReadyHere ?? 0);
        var service = resources.Of(Kinds.Service)[key];
        var verdict = service == null ? null : ServiceDecision.Of(service, SlicesOf(key, resources), ranges);
        var has = verdict == null ? [] : verdict.Announced.ToArray();
        if (verdict == null) services.Remove(key);
        else services[key] = (service!, verdict);
        foreach (var prefix in had.Except(has)) Leave(key, prefix);
        foreach (var prefix in has.Except(had)) Join(key, prefix);
        var relabelled = service != null && before.Service != null && service.Labels != before.Service.Labels;
        foreach (var prefix in had.Union(has))
        {
            if (users.TryGetValue(prefix, out var keys)) scopes.Decide(prefix, keys.Select(user => services[user].Service));
            else scopes.Forget(prefix);
            var isNew = had.Contains(prefix) != has.Contains(prefix);
            if (isNew || relabelled || weighed != verdict!.ReadyHere) moves.Add(new(prefix, keys != null, WeightOf(prefix)));
        }
    }

    private ImmutableArray<EndpointSlice> SlicesOf(ResourceKey key, ResourceSnapshot resources)
    {
        var slices = resources.Of(Kinds.EndpointSlice).Under(key);
        return ranges.ReadsEndpoints && resources.Of(Kinds.Endpoints)[key] is { } endpoints ? slices.AddRange(endpoints.Slices) : slices;
    }

    public ServiceVerdict? VerdictOf(ResourceKey key) => services.GetValueOrDefault(key).Verdict;

    private void Join(ResourceKey key, Prefix prefix)
    {
        users[prefix] = users.TryGetValue(prefix, out var keys) ? keys.Add(key) : [key];
        ranges.Hosts.Add(prefix);
    }

    private void Leave(ResourceKey key, Prefix prefix)
    {
        var left = users[prefix].Remove(key);
        if (!left.IsEmpty)
        {
            users[prefix] = left;
            return;
        }
        users.Remove(prefix);
        ranges.Hosts.Remove(prefix);
    }
}
