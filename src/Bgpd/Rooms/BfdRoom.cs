using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>Watches neighbours for the speaker and for egress. When it ends it tells them that they need not look for us.</summary>
internal sealed class BfdRoom(Loops loops, TimeProvider time, ILogger<BfdLoop> log) : Room
{
    private readonly BfdLoop loop = new(loops, time, log);
    private BfdShares? shares;

    /// <summary>For one of those who want neighbours watched.</summary>
    public IBfd Share() => (shares ??= new(loop)).Begin();

    protected override ValueTask LeaveAsync() => loop.DisposeAsync();
}
