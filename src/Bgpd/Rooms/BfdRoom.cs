using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>Watches neighbours for the speaker. When it ends it tells them that they need not look for us.</summary>
internal sealed class BfdRoom(Loops loops, TimeProvider time, ILogger<BfdLoop> log) : Room
{
    public BfdLoop Loop { get; } = new(loops, time, log);

    protected override ValueTask LeaveAsync() => Loop.DisposeAsync();
}
