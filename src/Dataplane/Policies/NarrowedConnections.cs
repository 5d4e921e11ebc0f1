using System.Collections.Immutable;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// <c>policy.cutNarrowed</c>. Rules see a connection's first packet; where a change forbids what was let through, that packet is asked
/// about once more, by the very rules that are in force (the walk that explains packets), and where each way that it may go ends in a drop
/// the connection is cut. What depends on something that is not known goes on.
/// <para>
/// Without the key, too, what a workload had that is gone is cut: else who gets its address next would have its connections, past all that
/// his own policies say.
/// </para>
/// <para>
/// The work is in a loop of its own. A pass looks at the connections whose ends the change has touched, asks about some at a time, and
/// rests as long as they took; behind a pass it rests nine times as long as that was, and what changes meanwhile is one pass more.
/// </para>
/// </summary>
internal sealed class NarrowedConnections(
    INftables nftables, IKernel kernel, ConnectionTable connections, Loops loops, TimeProvider clock, ILogger log)
    : IAsyncDisposable
{
    private const int AtOnce = 64, RestTimes = 9;

    private readonly Lock guard = new();
    private readonly Bell bell = new();
    private readonly CancellationTokenSource stopping = new();
    private NarrowingScope scope = NarrowingScope.Nothing;

    /// <summary>Addresses that have become somebody's since the pass began.</summary>
    private ImmutableHashSet<Address> returned = [];
    private Loop? loop;
    private long count;

    /// <summary>How many were cut.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>The change is in force. Never waits.</summary>
    public void Look(NarrowingScope changed)
    {
        if (changed.IsNothing) return;
        lock (guard) scope = scope.With(changed);
        loop ??= loops.Start("cutting", OnDefect.StartAgain, RunAsync, stop: stopping.Token);
        bell.Ring();
    }

    /// <summary>Addresses are somebody's from now on, and what he begins with them is his: before that is in force. Never waits.</summary>
    public void Come(ImmutableArray<Address> addresses)
    {
        if (addresses.IsEmpty || loop == null) return;
        lock (guard) (scope, returned) = (scope.Returned(addresses), returned.Union(addresses));
    }

    private async Task RunAsync(Loop turns)
    {
        while (true)
        {
            turns.Rest();
            await bell.HeardAsync(stopping.Token).ConfigureAwait(false);
            turns.Beat();
            var began = clock.GetTimestamp();
            await PassAsync(turns, Take()).ConfigureAwait(false);
            turns.Rest();
            await Task.Delay(RestTimes * clock.GetElapsedTime(began), clock, stopping.Token).ConfigureAwait(false);
        }
    }

    private NarrowingScope Take()
    {
        lock (guard)
        {
            var taken = scope;
            (scope, returned) = (NarrowingScope.Nothing, []);
            return taken;
        }
    }

    private NarrowingScope Now(NarrowingScope taken)
    {
        lock (guard) return taken.Returned(returned);
    }

    private async Task PassAsync(Loop turns, NarrowingScope changed)
    {
        try
        {
            using var host = new PassingHost(kernel.Current);
            var (cut, ended) = (0, 0);
            foreach (var family in ((IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]).Where(changed.MayConcern))
            {
                var found = connections.Read(family, changed.Concerns, out var errno);
                if (errno != 0) Refused(errno);
                // Those of one that was somebody's again before they were read may be his.
                var left = Now(changed);
                ended += End(found.Where(one => left.IsOfGone(one.Connection)));
                foreach (var some in found.Where(one => !left.IsOfGone(one.Connection)).Chunk(AtOnce))
                {
                    var began = clock.GetTimestamp();
                    var asked = nftables.DropsAsync([.. some.Select(one => PacketOf(one.Connection, changed, host))], host, stopping.Token);
                    await turns.WaitForAsync(asked).ConfigureAwait(false);
                    cut += Cut(some, await asked.ConfigureAwait(false));
                    // Who writes the table has as much time for others.
                    turns.Rest();
                    await Task.Delay(clock.GetElapsedTime(began), clock, stopping.Token).ConfigureAwait(false);
                    turns.Beat();
                }
            }
            Interlocked.Add(ref count, cut + ended);
            if (cut > 0) DataplaneLog.CutNarrowed(log, cut);
            if (ended > 0) DataplaneLog.CutGone(log, ended);
        }
        catch (Win32Exception refused)
        {
            DataplaneLog.CutNarrowedRefused(log, refused.Message);
        }
    }

    private int Cut(TrackedConnection[] some, ImmutableArray<bool> denied)
    {
        TrackedConnection[] forbidden = [.. some.Where((_, i) => denied[i])];
        if (forbidden.Length == 0) return 0;
        var (cut, errno) = connections.Cut(forbidden);
        if (errno != 0) Refused(errno);
        return cut;
    }

    /// <summary>Nobody is there who could go on with them.</summary>
    private int End(IEnumerable<TrackedConnection> of)
    {
        var (cut, errno) = connections.Cut(of, isBarred: false);
        if (errno != 0) Refused(errno);
        return cut;
    }

    private void Refused(int errno) => DataplaneLog.CutNarrowedRefused(log, Marshal.GetPInvokeErrorMessage(errno));

    /// <summary>Its first one, as it came here.</summary>
    private static Packet PacketOf(Connection connection, NarrowingScope changed, PassingHost host)
    {
        var isSentOn = (connection.Server, connection.ServerPort) != (connection.Destination, connection.DestinationPort);
        string? LinkOf(Address address) => host.IsLocal(address) == true ? null
            : changed.Workloads.GetValueOrDefault(address) ?? host.LinkTo(address);
        return new(connection.Source, connection.Destination)
        {
            Protocol = (IpProtocol)connection.Protocol,
            SourcePort = connection.SourcePort,
            DestinationPort = connection.DestinationPort,
            IcmpType = connection.IcmpType,
            IcmpCode = connection.IcmpCode,
            Mark = 0,
            Redirect = isSentOn ? new PacketRedirect(connection.Server, connection.ServerPort) : PacketRedirect.None,
            In = LinkOf(connection.Source),
            Out = LinkOf(connection.Server),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        stopping.Dispose();
    }
}
