using System.Collections.Immutable;
using System.ComponentModel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>A connection that a translation has made, or that source NAT alone has given another source.</summary>
/// <param name="Translation">Its id; null: it is gone, or source NAT.</param>
/// <param name="IsOfGone">The translation is gone, and its connections may live on (onBackendRemoval).</param>
public sealed record ServiceSession(int? Translation, Connection Connection, ConnectionState State, bool IsOfGone = false);

/// <summary>Which sessions are meant: those that all of these hold of; null: whichever.</summary>
public sealed record SessionFilter
{
    /// <summary>By its id.</summary>
    public uint? Id { get; init; }
    /// <summary>By its id.</summary>
    public int? Translation { get; init; }
    /// <summary>ICMP stands for that of either family.</summary>
    public IpProtocol? Protocol { get; init; }
    /// <summary>Of whichever end, before or behind the translation.</summary>
    public Address? Address { get; init; }
    /// <summary>Likewise.</summary>
    public ushort? Port { get; init; }

    internal bool Holds(ServiceSession one)
    {
        var (connection, state) = (one.Connection, one.State);
        return (Id == null || Id == state.Id) && (Translation == null || Translation == one.Translation)
            && (Protocol == null || (byte)Protocol == connection.Protocol
                || (Protocol == IpProtocol.Icmp && connection.Protocol == (byte)IpProtocol.Icmp6))
            && (Address is not { } address || connection.Source == address || connection.Destination == address
                || connection.Server == address || state.Client == address)
            && (Port is not { } port || connection.SourcePort == port || connection.DestinationPort == port
                || connection.ServerPort == port || state.ClientPort == port);
    }
}

/// <summary>Which translation takes what is sent to an address, a protocol and a port: one for all ports what no other takes.</summary>
/// <param name="sources">Those that source NAT gives.</param>
/// <param name="gone">What translations were found by that are gone.</param>
internal sealed class SessionOwners(
    Dictionary<(string Map, NftOctets Key), TranslationKey> fronts, Dictionary<TranslationKey, int> ids,
    IReadOnlyList<(Address First, Address Last)> sources, HashSet<(string Map, NftOctets Key)> gone)
{
    public bool GivesSources => sources.Count > 0;

    public bool Gives(Address source) => sources.Any(range => range.First <= source && source <= range.Last);

    /// <returns>Null: none does.</returns>
    public int? Of(Connection connection) => FrontsOf(connection).Select(front => fronts.GetValueOrDefault(front))
        .FirstOrDefault(key => key != null) is { } key ? Id(key) : null;

    /// <summary>One did that is gone, and none does now.</summary>
    public bool IsOfGone(Connection connection) => gone.Count > 0 && Of(connection) == null && FrontsOf(connection).Any(gone.Contains);

    /// <summary>The narrower first.</summary>
    private static IEnumerable<(string Map, NftOctets Key)> FrontsOf(Connection one)
    {
        if (one.DestinationPort is { } port) yield return ServiceParts.Front(one.Destination, one.Protocol, port);
        yield return ServiceParts.Front(one.Destination, one.Protocol, null);
    }

    private int? Id(TranslationKey key) => ids.TryGetValue(key, out var id) ? id : null;
}

/// <summary>The sessions of services are the kernel's connections; whoever asks has the kernel asked.</summary>
internal static class ServiceSessions
{
    /// <exception cref="Win32Exception">The kernel refused.</exception>
    public static ImmutableArray<ServiceSession> Read(SessionOwners owners, SessionFilter which)
    {
        using var table = new ConnectionTable();
        return [.. Find(table, owners, which).Select(one => one.Session)];
    }

    /// <returns>How many were ended.</returns>
    /// <exception cref="Win32Exception">The kernel refused.</exception>
    public static int End(SessionOwners owners, SessionFilter which)
    {
        using var table = new ConnectionTable();
        var (cut, errno) = table.Cut(Find(table, owners, which).Select(one => one.Tracked), isBarred: false);
        return errno == 0 ? cut : throw new Win32Exception(errno);
    }

    /// <summary>Of those that go to there and have got one of our sources.</summary>
    /// <returns>How many were ended.</returns>
    /// <exception cref="Win32Exception">The kernel refused.</exception>
    public static int EndMasked(Prefix destination, IReadOnlyList<(Address First, Address Last)> sources)
    {
        using var table = new ConnectionTable();
        var some = table.ReadMasked(destination.Family, one => destination.Contains(one.Server), out var errno);
        if (errno != 0) throw new Win32Exception(errno);
        var ours = some.Where(one => sources.Any(range => range.First <= one.State!.Client && one.State.Client <= range.Last));
        (var cut, errno) = table.Cut(ours, isBarred: false);
        return errno == 0 ? cut : throw new Win32Exception(errno);
    }

    private static List<(TrackedConnection Tracked, ServiceSession Session)> Find(
        ConnectionTable table, SessionOwners owners, SessionFilter which)
    {
        var found = new List<(TrackedConnection, ServiceSession)>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var some = table.ReadRedirected(family, one => owners.Of(one) != null || owners.IsOfGone(one), out var errno);
            if (errno != 0) throw new Win32Exception(errno);
            foreach (var tracked in some) Add(tracked, owners.Of(tracked.Connection));
            if (!owners.GivesSources) continue;
            var known = some.Select(one => one.State!.Id).ToHashSet();
            some = table.ReadMasked(family, one => true, out errno);
            if (errno != 0) throw new Win32Exception(errno);
            foreach (var tracked in some)
                if (owners.Gives(tracked.State!.Client) && !known.Contains(tracked.State.Id)) Add(tracked, null);
        }
        return found;

        void Add(TrackedConnection tracked, int? translation)
        {
            var session = new ServiceSession(
                translation, tracked.Connection, tracked.State!, translation == null && owners.IsOfGone(tracked.Connection));
            if (which.Holds(session)) found.Add((tracked, session));
        }
    }
}
