using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>Which tunnels the nodes have between them: as FelixConfiguration says, else by the modes of the pools (Felix,
/// calc/encapsulation_calculator.go).</summary>
internal sealed record TunnelsInUse(bool Ipip, bool Vxlan, bool Vxlan6, bool Wireguard, bool Wireguard6)
{
    public static readonly TunnelsInUse None = new(false, false, false, false, false);

    public static TunnelsInUse Of(FelixConfiguration felix, IReadOnlyCollection<IPPool> pools)
    {
        return new(felix.IpipEnabled ?? Any(IpFamily.IPv4, pool => pool.IpipMode), felix.VxlanEnabled ?? UsesVxlan(IpFamily.IPv4),
            felix.VxlanEnabled ?? UsesVxlan(IpFamily.IPv6), felix.WireguardEnabled == true, felix.WireguardEnabledV6 == true);

        bool UsesVxlan(IpFamily family) => Any(family, pool => pool.VxlanMode);

        bool Any(IpFamily family, Func<IPPool, EncapsulationMode> mode) =>
            pools.Any(pool => pool.Cidr.Family == family && mode(pool) != EncapsulationMode.Never);
    }

    public bool UsesVxlan(IpFamily family) => family == IpFamily.IPv4 ? Vxlan : Vxlan6;

    public bool UsesWireguard(IpFamily family) => family == IpFamily.IPv4 ? Wireguard : Wireguard6;
}
