using Calico.Bgp.Dataplane.Extending;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Examples;

/// <summary>Nobody from these prefixes gets to anything through this node or on it; what was dropped is counted.</summary>
public sealed class DenySources(params IReadOnlyList<Prefix> denied) : INatExtension
{
    public string Name => "deny";

    public IEnumerable<NatContribution> Build(NatModel model)
    {
        var prefix = NatContribution.PrefixOf(Name);
        foreach (var family in denied.GroupBy(one => one.Family))
        {
            var isFour = family.Key == IpFamily.IPv4;
            var set = new NftSet(prefix + (isFour ? "from4" : "from6"), [isFour ? NftType.Ipv4Address : NftType.Ipv6Address],
                Intervals: true, [.. family.Select(NftElement.Of)]);
            yield return new(NatSlot.PreDnat,
            [
                new(new MatchFamily(family.Key), new MatchAddress(family.Key, NftEnd.Source, set.Name), new ActCountBy(prefix + "dropped"),
                    ActDecide.Drop),
            ])
            {
                Sets = [set],
                Counters = [prefix + "dropped"],
            };
        }
    }
}
