using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>
/// Sets of services' endpoints, ready or not, as Calico has them: of each EndpointSlice of the service every address, with every port that
/// has a number; a slice without ports brings no ports.
/// </summary>
internal sealed class ServiceSets(SetParts parts)
{
    private sealed class ServiceSet(ServiceMembers members, SetPart part)
    {
        public ServiceMembers Members { get; } = members;
        public SetPart Part { get; } = part;
        public int Uses { get; set; }
    }

    private readonly Dictionary<ResourceKey, List<EndpointSlice>> slices = [];
    private readonly Dictionary<ResourceKey, List<ServiceSet>> used = [];

    public string Use(ServiceMembers members)
    {
        var sets = CollectionsMarshal.GetValueRefOrAddDefault(used, members.Service, out _) ??= [];
        var set = sets.Find(set => set.Members == members);
        if (set == null)
        {
            var part = new SetPart(members.WithPorts ? SetKind.Ports : SetKind.Hosts, members.Family, $"service {members.Service}",
                () => Elements(members));
            sets.Add(set = new(members, part));
            parts.Add(part);
        }
        set.Uses++;
        return set.Part.Name;
    }

    public void Release(ServiceMembers members)
    {
        var sets = used[members.Service];
        var set = sets.Find(set => set.Members == members)!;
        if (--set.Uses > 0) return;
        parts.Remove(set.Part);
        sets.Remove(set);
        if (sets.Count == 0) used.Remove(members.Service);
    }

    /// <returns>False: it is no slice.</returns>
    public bool Apply(ResourceChange change)
    {
        if (change.Kind != Kinds.EndpointSlice) return false;
        var (before, after) = ((EndpointSlice?)change.Before, (EndpointSlice?)change.After);
        if (before?.Service is { } from) Replace(from, change.Key, from == after?.Service ? after : null);
        if (after?.Service is { } to && to != before?.Service) Replace(to, change.Key, after);
        return true;
    }

    private void Replace(ResourceKey service, ResourceKey slice, EndpointSlice? now)
    {
        var sets = used.GetValueOrDefault(service, []);
        var before = sets.ConvertAll(set => Elements(set.Members).ToHashSet());
        var all = CollectionsMarshal.GetValueRefOrAddDefault(slices, service, out _) ??= [];
        all.RemoveAll(one => one.Key == slice);
        if (now != null) all.Add(now);
        if (all.Count == 0) slices.Remove(service);
        foreach (var (set, had) in sets.Zip(before))
        {
            var has = Elements(set.Members).ToHashSet();
            foreach (var element in had.Except(has)) parts.Change(set.Part, element, isIn: false);
            foreach (var element in has.Except(had)) parts.Change(set.Part, element, isIn: true);
        }
    }

    private IEnumerable<SetElement> Elements(ServiceMembers members) =>
        from slice in slices.GetValueOrDefault(members.Service, [])
        from endpoint in slice.Endpoints
        from address in endpoint.Addresses
        where address.Family == members.Family
        let host = new Prefix(address, address.Family.Bits())
        from element in members.WithPorts ? slice.Ports.Where(port => port.Port > 0).Select(port => WithPort(host, port)) : [new(host)]
        select element;

    private static SetElement WithPort(Prefix host, ServicePort port) => new(host, port.Protocol switch
    {
        ServiceProtocol.UDP => 17,
        ServiceProtocol.SCTP => 132,
        _ => 6,
    }, (ushort)port.Port);
}
