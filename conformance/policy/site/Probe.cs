using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>One packet that opens something: from an address of somebody's to an address and port.</summary>
internal sealed record Probe(Place From, IPAddress Source, IPAddress To, int Protocol)
{
    public int Port { get; init; }

    /// <summary>Its source port is one of these, and one that no probe had for long: what is tracked of an earlier one is to say nothing
    /// of this one.</summary>
    public (int First, int Last) SourcePorts { get; init; } = LowPorts;

    public static readonly (int First, int Last) LowPorts = (10_000, 29_999), HighPorts = (30_000, 59_999);

    /// <summary>Of ICMP; null: an echo request.</summary>
    public (int Type, int Code)? Icmp { get; init; }

    /// <summary>Somebody listens who answers; of all else it is only seen that it arrives.</summary>
    public bool IsAnswered => Protocol is Protocols.Tcp or Protocols.Udp
        || (Protocol is Protocols.Icmp or Protocols.IcmpV6 && Icmp is null or (8 or 128, 0));

    public override string ToString()
    {
        var what = Protocol switch
        {
            Protocols.Tcp => "TCP",
            Protocols.Udp => "UDP",
            Protocols.Sctp => "SCTP",
            Protocols.UdpLite => "UDP-Lite",
            _ => "ICMP",
        };
        return $"{From} ({Source}) to {To}, {what} {(Icmp is { } icmp ? $"{icmp.Type}/{icmp.Code}" : Port)}";
    }
}
