using Calico.Bgp.Net;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire.Tests;

/// <summary>Negotiated sessions as tests want them: our AS is 65001, an external peer's 65002.</summary>
internal static class Sessions
{
    public static readonly Negotiated External = Of(65002);
    public static readonly Negotiated Internal = Of(65001);
    public static readonly Negotiated Old = External with { FourOctetAs = false };

    /// <summary>All that a codec may read differently.</summary>
    public static readonly IReadOnlyList<Negotiated> All =
    [
        External, Internal, Old, Internal with { FourOctetAs = false },
        External with { AddPathReceive = FamilySet.Both, ExtendedNextHop = true, ExtendedMessages = true },
        Internal with { Families = FamilySet.IPv6, EnforceFirstAs = false },
    ];

    private static Negotiated Of(uint peerAs)
    {
        var open = new OpenMessage(new(peerAs), 90, new(0x0a630002), new CapabilitySet());
        return new()
        {
            LocalAs = new(65001),
            PeerAs = new(peerAs),
            LocalId = new(0x0a630001),
            PeerId = new(0x0a630002),
            LocalAddress = Address.Parse("10.99.0.1"),
            PeerAddress = Address.Parse("10.99.0.2"),
            Families = FamilySet.Both,
            FourOctetAs = true,
            Sent = open,
            Received = open,
        };
    }
}
