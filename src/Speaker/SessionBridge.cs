using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Speaker;

/// <summary>A session's outlet, as the RIB asks for it: Session and Rib do not know each other.</summary>
internal sealed class PeerOutlet(IOutlet outlet) : IPeerOutlet
{
    public ushort Peer => outlet.Peer;
    public long Backlog => outlet.Backlog;
    public void Send(OutBuffer buffer) => outlet.Send(buffer);
    public void WhenDrained(long octets, Action drained) => outlet.WhenDrained(octets, drained);
}

/// <summary>What an established session's peer says, on its way into the RIB.</summary>
internal sealed class RouteSink(Rib.Rib rib, RouteInlet inlet, PeerOutlet outlet) : IRouteSink
{
    public PeerOutlet Outlet => outlet;

    public void Receive(ref DecodedUpdate update) => inlet.Receive(ref update);

    public void TakeRefresh(IpFamily family, byte subtype)
    {
        if (subtype == RouteRefresh.Request) rib.Refresh(inlet.Peer, family);
        else if (subtype == RouteRefresh.BeginOfRefresh) inlet.BeginRefresh(family);
        else inlet.EndRefresh(family);
    }

    public ValueTask FlushAsync() => inlet.FlushAsync();
}
