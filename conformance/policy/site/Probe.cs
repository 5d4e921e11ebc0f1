using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>One packet that opens something: from an address of somebody's to an address and port.</summary>
internal sealed record Probe(Place From, IPAddress Source, IPAddress To, int Protocol)
{
    public int Port { get; init; }

    /// <summary>0: the kernel's choice.</summary>
    public int SourcePort { get; init; }

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
