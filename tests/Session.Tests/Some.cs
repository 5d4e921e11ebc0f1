using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session.Tests;

/// <summary>Two external neighbours as every test begins with them: AS 65001 (we, 10.0.0.1) and AS 65002 (the peer, 10.0.0.2).</summary>
internal static class Some
{
    public static readonly SessionSettings Settings = new()
    {
        Name = "peer",
        Index = 1,
        PeerAddress = Address.Parse("10.0.0.2"),
        LocalAs = new(65001),
        PeerAs = new(65002),
        RouterId = Id("10.0.0.1"),
    };

    public static readonly SessionSettings PeersSettings = Settings with
    {
        Name = "us",
        PeerAddress = Address.Parse("10.0.0.1"),
        LocalAs = new(65002),
        PeerAs = new(65001),
        RouterId = Id("10.0.0.2"),
    };

    public static readonly OpenMessage Open = Negotiation.Open(PeersSettings, default);

    public static Negotiated Negotiated => Agree(Settings, Open).Agreed!;

    public static NegotiationResult Agree(SessionSettings our, OpenMessage received) =>
        Negotiation.Agree(our, Negotiation.Open(our, default), received, Address.Parse("10.0.0.1"), Address.Parse("10.0.0.2"));

    public static RouterId Id(string text) => RouterId.TryParse(text, out var id) ? id : throw new FormatException(text);
}
