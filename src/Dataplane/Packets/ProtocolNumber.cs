namespace Calico.Bgp.Dataplane.Packets;

/// <summary>A number that stands for an IP protocol where somebody may have meant a port.</summary>
public static class ProtocolNumber
{
    /// <summary>What it was taken for.</summary>
    public static string Taken(byte number) => Name(number) is { } name ? $"{number} is taken for the IP protocol {name}"
        : $"{number} is taken for the number of an IP protocol; the port is asked about by tcp:{number} or udp:{number}";

    /// <summary>Of those that are hardly meant for a port (IANA's registry); null: another.</summary>
    private static string? Name(byte number) => number switch
    {
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPv4",
        6 => "TCP",
        17 => "UDP",
        41 => "IPv6",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        89 => "OSPF",
        112 => "VRRP",
        132 => "SCTP",
        136 => "UDPLite",
        _ => null,
    };
}
