using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Rib;

/// <summary>Routes as filters look at them.</summary>
internal sealed class FilterInputs(AttributeInterner attributes, NextHops nextHops)
{
    /// <param name="prefix">Default where the filter does not look at it.</param>
    /// <param name="self">What "next hop self" means here.</param>
    public FilterInput Of(uint handle, RibPeer source, IpFamily family, Prefix prefix, Address self)
    {
        ref var row = ref attributes[handle];
        return new()
        {
            Prefix = prefix,
            Family = family,
            Origin = source.Origin,
            FromPeer = source.Origin == RouteOrigin.Bgp ? source.Name : null,
            Interface = nextHops.InterfaceOf(row),
            Attributes = attributes.OctetsOf(handle),
            Summary = row.Summary,
            Self = self,
            Hints = row.Marks.Hints,
        };
    }
}
