using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>Which destinations are reached through somebody who translates: those whose longest match leads to him alone.</summary>
internal static class UpstreamCoverage
{
    /// <summary>A prefix and whether its route leads upstream; each prefix once.</summary>
    public static AddressRanges Of(IpFamily family, IReadOnlyDictionary<Prefix, bool> routes)
    {
        var ranges = new List<AddressRange>();
        var open = new Stack<(Address Last, bool Upstream)>();
        var at = new Address(0, family);
        var ended = false;
        foreach (var (prefix, upstream) in routes.Where(route => route.Key.Family == family).OrderBy(route => route.Key.Address)
            .ThenBy(route => route.Key.Length))
        {
            while (open.TryPeek(out var over) && over.Last < prefix.Address) CloseInnermost();
            if (open.TryPeek(out var outer) && outer.Upstream && !ended && at < prefix.Address)
                ranges.Add(new(at, AddressRanges.Previous(prefix.Address)));
            at = prefix.Address;
            open.Push((AddressRanges.Of(prefix).Last, upstream));
        }
        while (open.Count > 0) CloseInnermost();
        return AddressRanges.Of(ranges);

        void CloseInnermost()
        {
            var (last, upstream) = open.Pop();
            if (ended || at > last) return;
            if (upstream) ranges.Add(new(at, last));
            if (AddressRanges.Next(last) is { } next) at = next;
            else ended = true;
        }
    }
}
