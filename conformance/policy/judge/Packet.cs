using System.Net;

namespace Calico.Bgp.Conformance.Policy;

internal static class Protocols
{
    public const int Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58, Sctp = 132, UdpLite = 136, IpInIp = 4;

    public static int Number(string name) => name.ToUpperInvariant() switch
    {
        "TCP" => Tcp,
        "UDP" => Udp,
        "SCTP" => Sctp,
        "UDPLITE" => UdpLite,
        "ICMP" => Icmp,
        "ICMPV6" => IcmpV6,
        var number => int.Parse(number, null),
    };
}

/// <summary>The first packet of a connection, as one node meets it.</summary>
internal sealed record Packet(int Protocol, IPAddress Source, IPAddress Destination)
{
    /// <summary>Interfaces of the node; null: the node's own processes.</summary>
    public string? From { get; init; }

    /// <inheritdoc cref="From"/>
    public string? To { get; init; }

    public int SourcePort { get; init; }
    public int DestinationPort { get; init; }

    /// <summary>Whom its sender called, where another table translates that.</summary>
    public (IPAddress Address, int Port)? Called { get; init; }

    public (int Type, int Code)? Icmp { get; init; }

    public bool IsIPv6 => Source.GetAddressBytes().Length == 16;

    /// <summary>As it came, before anybody translated it.</summary>
    public Packet AsCalled => Called is { } called
        ? this with { Destination = called.Address, DestinationPort = called.Port, Called = null } : this;
}
