using System.Globalization;

namespace Calico.Bgp.Kernel.Routes;

/// <summary>Who put a route there (rtm_protocol), by the names that iproute2's rt_protos gives.</summary>
public static class RouteProtocol
{
    public const byte Kernel = 2; // RTPROT_KERNEL

    public static string Name(byte protocol) => protocol switch
    {
        1 => "redirect",
        2 => "kernel",
        3 => "boot",
        4 => "static",
        8 => "gated",
        9 => "ra",
        10 => "mrt",
        11 => "zebra",
        12 => "bird",
        13 => "dnrouted",
        14 => "xorp",
        15 => "ntk",
        16 => "dhcp",
        18 => "keepalived",
        42 => "babel",
        99 => "openr",
        186 => "bgp",
        187 => "isis",
        188 => "ospf",
        189 => "rip",
        192 => "eigrp",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };
}
