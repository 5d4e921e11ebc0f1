using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Connections of one translation that one backend has.</summary>
/// <param name="Port">Null: of all ports.</param>
/// <param name="ServerPort">Null where <paramref name="Port"/> is.</param>
internal readonly record struct BackendFlows(Address Front, byte Protocol, ushort? Port, Address Server, ushort? ServerPort)
{
    /// <summary>Those of them that go to where they were sent.</summary>
    public BackendFlows Direct => this with { Server = Front, ServerPort = Port };

    public bool IsDirect => this == Direct;

    /// <summary>Of a protocol without handshakes, so that any packet may be the first of a connection.</summary>
    public bool IsWithoutHandshake => (IpProtocol)Protocol is not (IpProtocol.Tcp or IpProtocol.Sctp);
}

/// <summary>
/// Connections whose backend has gone, and those that go by a translation since they are older than it. The kernel takes a backend once, so
/// that they would speak to nobody until they time out, and a client of UDP that keeps its port for ever; ended, the next packet gets a
/// backend that is there. Those of all others live on.
/// </summary>
internal sealed class EndingSessions(ConnectionTable connections, TimeProvider clock, ILogger log)
{
    /// <summary>All connections are looked through each time: what goes meanwhile goes together.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<BackendFlows, long> gone = [];
    private long? looked;

    /// <summary>How many were ended.</summary>
    public long Count { get; private set; }

    public void Go(BackendFlows flows, TimeSpan after) => gone[flows] = clock.GetTimestamp() + After(after);

    /// <summary>The backend is there again.</summary>
    public void Stay(BackendFlows flows) => gone.Remove(flows);

    public TimeSpan? Due
    {
        get
        {
            if (gone.Count == 0) return null;
            var first = gone.Values.Min();
            if (looked is { } before) first = Math.Max(first, before + After(Between));
            var left = clock.GetElapsedTime(clock.GetTimestamp(), first);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private long After(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    /// <summary>Ends those whose time has come.</summary>
    /// <param name="hasOwn">Whether there is a translation for this very port, beside one for all.</param>
    public void End(Func<Address, byte, ushort, bool> hasOwn)
    {
        if (Due != TimeSpan.Zero) return;
        var now = clock.GetTimestamp();
        looked = now;
        var due = gone.Where(one => one.Value <= now).Select(one => one.Key).ToHashSet();
        foreach (var flows in due) gone.Remove(flows);
        foreach (var (family, isDirect) in due.Select(flows => (flows.Front.Family, flows.IsDirect)).Distinct().ToArray())
            Cut(family, isDirect, one =>
                due.Contains(new(one.Destination, one.Protocol, one.DestinationPort, one.Server, one.ServerPort))
                || (due.Contains(new(one.Destination, one.Protocol, null, one.Server, null))
                    && !(one.DestinationPort is { } port && hasOwn(one.Destination, one.Protocol, port))));
    }

    /// <summary>
    /// What was in force before this run nobody knows any more: connections to these addresses whose backend is none of theirs are its.
    /// </summary>
    public void EndStrangers(IReadOnlySet<BackendFlows> known, Func<Address, byte, ushort, bool> hasOwn)
    {
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            Cut(family, isDirect: false, one => one.DestinationPort is { } port && hasOwn(one.Destination, one.Protocol, port)
                && !known.Contains(new(one.Destination, one.Protocol, port, one.Server, one.ServerPort)));
    }

    private void Cut(IpFamily family, bool isDirect, Predicate<Connection> which)
    {
        var (cut, errno) = isDirect ? connections.CutDirect(family, which) : connections.CutRedirected(family, which);
        Count += cut;
        if (cut > 0 && isDirect) DataplaneLog.SessionsBegunAnew(log, cut);
        else if (cut > 0) DataplaneLog.SessionsEnded(log, cut);
        if (errno != 0) DataplaneLog.SessionsStay(log, Marshal.GetPInvokeErrorMessage(errno));
    }
}
