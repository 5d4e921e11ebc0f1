using System.Collections.Immutable;
using System.Text;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <content>Whose connections are to be asked about again, from what was written, and whose are at their end.</content>
internal sealed partial class Enforcement
{
    /// <summary>Addresses of workloads that have left their interface, and whose they were.</summary>
    private readonly Dictionary<Address, ResourceId> left = [];
    private readonly HashSet<Address> come = [];

    /// <summary>A workload that goes to another interface keeps what it has.</summary>
    private void NoteAddresses(EndpointChange change)
    {
        var (before, after) = (AddressesOf(change.Before), AddressesOf(change.After));
        foreach (var address in before.Except(after)) left[address] = change.Before!.Id;
        foreach (var address in after.Except(before))
        {
            come.Add(address);
            if (left.TryGetValue(address, out var whose) && whose == change.After!.Id) left.Remove(address);
        }
    }

    private static HashSet<Address> AddressesOf(LocalEndpoint? endpoint) =>
        endpoint is { IsWorkload: true } ? [.. endpoint.Nets.Where(net => net.IsHost).Select(net => net.Address)] : [];

    /// <summary>Addresses that workloads have got since it was asked last.</summary>
    public ImmutableArray<Address> TakeCome()
    {
        ImmutableArray<Address> taken = [.. come];
        come.Clear();
        return taken;
    }

    /// <summary>
    /// Connections of whoever had an address are no connections of who gets it next, and no policy of his has been asked about them. Of one
    /// that somebody has already, what his policies let through goes on: it may be his.
    /// </summary>
    public NarrowingScope TakeScope(ImmutableArray<NftChange> changes)
    {
        var gone = left.Keys.ToImmutableHashSet();
        left.Clear();
        var isNarrowed = settings.Policy is { CutNarrowed: true };
        if (!IsOn || (!isNarrowed && gone.IsEmpty)) return NarrowingScope.Nothing;
        var workloads = WorkloadInterfaces;
        var scope = NarrowingScope.Nothing with { Gone = gone, Workloads = workloads };
        return (isNarrowed ? scope.With(NarrowedBy(changes)) : scope).Returned(gone.Where(workloads.ContainsKey));
    }

    private NarrowingScope NarrowedBy(ImmutableArray<NftChange> changes)
    {
        var (interfaces, chainNames) = (new HashSet<string>(), new HashSet<string>());
        var addresses = ImmutableHashSet.CreateBuilder<Address>();
        var ranges = ImmutableArray.CreateBuilder<(Address, Address)>();
        var isAll = false;
        foreach (var change in changes)
            switch (change)
            {
                case NftChange.PutElements(var set, var elements): Of(set, elements); break;
                case NftChange.RemoveElements(var set, var elements): Of(set, elements); break;
                case NftChange.PutChain(var chain) when chain.Name.StartsWith(Prefix, StringComparison.Ordinal):
                    chainNames.Add(chain.Name);
                    break;
                case NftChange.PutChain(var chain): isAll |= chain.Hook is { Type: "filter" }; break;
            }
        isAll |= chainNames.Any(name => !IsProgramOrPolicy(name));
        interfaces.UnionWith(InterfacesAsking(chainNames));
        foreach (var name in interfaces)
            if (endpoints.On(name) is { IsWorkload: true } workload) addresses.UnionWith(workload.Nets.Select(net => net.Address));
            else isAll |= endpoints.On(name) != null;
        return new NarrowingScope(false, [], [], WorkloadInterfaces)
            .With(new(isAll, addresses.ToImmutable(), ranges.ToImmutable(), WorkloadInterfaces));

        void Of(string set, ImmutableArray<NftElement> elements)
        {
            // Names forbid nothing: what they have opened stands for as long as it lasts.
            if (!set.StartsWith(Prefix, StringComparison.Ordinal) || set.StartsWith(DnsSets.Prefix, StringComparison.Ordinal)
                || set.StartsWith(Dispatch.NumbersPrefix, StringComparison.Ordinal)) return;
            foreach (var element in elements)
                if (set.StartsWith(Dispatch.Prefix, StringComparison.Ordinal)) interfaces.Add(NameOf(element));
                else if (AddressOf(element.From) is var first && AddressOf(element.To) is var last && first == last) addresses.Add(first);
                else ranges.Add((first, last));
        }
    }

    private static string NameOf(NftElement element) => Encoding.UTF8.GetString(element.From.Span).TrimEnd('\0');

    /// <summary>Sets of policies have an address first in their keys, and behind it nothing or a protocol and a port.</summary>
    private static Address AddressOf(NftOctets key)
    {
        const int withPort = 4 + 4;
        return Address.FromOctets(key.Span[..(key.Span.Length is 4 or 4 + withPort ? 4 : 16)]);
    }

    private bool IsProgramOrPolicy(string chain) => chains.KeyOf(chain) != null || PolicyExplainer.KindOf(chain) != null;

    private IEnumerable<string> InterfacesAsking(HashSet<string> chainNames)
    {
        var policies = chainNames.Select(chains.KeyOf).OfType<ChainKey>().ToHashSet();
        return following.Where(one => one.Value.Values.Any(program =>
            chainNames.Contains(programs.NameOf(program)) || program.Chains.Any(policies.Contains))).Select(one => one.Key);
    }
}
