using System.Collections.Immutable;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <content>What it knows of the objects, for who explains packets.</content>
internal sealed partial class Enforcement
{
    private readonly ServiceWays ways = new();

    /// <summary>What the kernel's counters say of policies and profiles.</summary>
    public PolicyCounts Counted(ImmutableArray<NftCount> counts) => new(chains.Counted(counts), Denials.Counted(counts));

    public PolicyExplainer Explainer => new(RuleOf, EndpointOn, link => IsWorkload(link) && endpoints.On(link) == null, WorkloadLinks);

    private WorkloadLinks WorkloadLinks => new(endpoints);

    /// <summary>Where interfaces are called otherwise than their workloads'.</summary>
    public ImmutableArray<PolicyFinding> Astray(IPolicyHost host) => [.. WorkloadLinks.Found(host)];

    private bool IsWorkload(string link) =>
        facts.Now.WorkloadPrefixes.Any(prefix => link.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>By the addresses of this node's workloads.</summary>
    public IReadOnlyDictionary<Address, string> WorkloadInterfaces => endpoints.All.Where(one => one.IsWorkload)
        .SelectMany(one => one.Nets.Select(net => (net.Address, one.Interface))).DistinctBy(one => one.Address).ToDictionary();

    /// <summary>The interface of the workload that has this address; null: none of this node's has it.</summary>
    /// <param name="way">That a route leads there by: where nobody has told of workloads its name does. Null: nobody knows.</param>
    public string? InterfaceOf(Address address, string? way) =>
        WorkloadInterfaces.GetValueOrDefault(address) ?? (way != null && IsWorkload(way) ? way : null);

    /// <summary>Interfaces that host endpoints name.</summary>
    public IReadOnlyList<string> HostInterfaces =>
        [.. endpoints.All.Where(one => !one.IsWorkload && one.Interface != LocalEndpoint.EveryInterface).Select(one => one.Interface)];

    /// <returns>Null: an end is neither an address nor a pod's name, as <paramref name="problem"/> says.</returns>
    public PolicyCase? Case(PolicyQuestion question, IPolicyHost host, out string? problem)
    {
        var (from, to) = (AddressesOf(question.Source), AddressesOf(question.Destination));
        IpFamily? only = question.Protocol == IpProtocol.Icmp6 ? IpFamily.IPv6 : null;
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            if (family != (only ?? family)) continue;
            var source = from.Where(address => address.Family == family).Select(address => (Address?)address).FirstOrDefault();
            var destination = to.Where(address => address.Family == family).Select(address => (Address?)address).FirstOrDefault();
            if (source is not { } one || destination is not { } other) continue;
            problem = null;
            return Case(question, one, other, host);
        }
        var unknown = from.Length == 0 ? question.Source : to.Length == 0 ? question.Destination : null;
        problem = unknown != null ? $"expected an address or the NAMESPACE/NAME of a pod that has one, got {unknown}"
            : $"expected two ends with addresses of one family, got {question.Source} and {question.Destination}";
        return null;
    }

    private PolicyCase Case(PolicyQuestion question, Address source, Address destination, IPolicyHost host)
    {
        var service = ways.Of(destination, question.Protocol, question.Port, host.IsLocal(destination) == true);
        return new(source, destination, question)
        {
            Interfaces = WorkloadInterfaces,
            Service = service?.Service,
            Ways = service?.To ?? [],
        };
    }

    private Address[] AddressesOf(string end)
    {
        if (Address.TryParse(end, out var address)) return [address];
        if (end.Split('/') is not [var space, var name]) return [];
        return [.. endpoints.Workloads.Where(one => one.Key.Namespace == space && IsCalled(one, name)).SelectMany(one => NetsOf(one))
            .Select(net => net.Address)];
    }

    private static bool IsCalled(Resource workload, string name) => workload.Key.Name == name
        || (workload is WorkloadEndpoint endpoint && endpoint.Workload == $"{endpoint.Key.Namespace}.{name}");

    private static ListOf<Prefix> NetsOf(Resource workload) => workload switch
    {
        Pod pod => pod.Nets,
        WorkloadEndpoint endpoint => endpoint.Nets,
        _ => [],
    };

    private PolicyRule? RuleOf(PolicyComment comment)
    {
        if (objects.IdOf(comment) is not { } found || objects.RulesOf(found, comment.Direction) is not { } rules) return null;
        return comment.Rule < rules.Rules.Count ? rules.Rules[comment.Rule.Value] : null;
    }

    public string? EndpointOn(string link)
    {
        var endpoint = endpoints.On(link) ?? (IsWorkload(link) ? null : endpoints.On(LocalEndpoint.EveryInterface));
        return endpoint == null ? null : PolicyChains.Said(endpoint.Id);
    }
}
