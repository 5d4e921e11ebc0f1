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

namespace Calico.Bgp.Dataplane;

/// <summary>
/// <c>nat.onChange: cut</c>. The kernel decides a connection's translation on its first packet; when pools change, those that would be
/// treated otherwise now are cut, so that they begin anew. That the network translates, or has stopped to, is no such change: connections
/// keep what they have. The kernel can tell families and translated ones apart, and not prefixes: that much is left to us.
/// </summary>
internal sealed class ChangedConnections(ConnectionTable table, ILogger log)
{
    public long Count { get; private set; }

    public void Cut(NatPlan before, NatPlan after, KernelSnapshot machine)
    {
        var cut = 0L;
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var (old, now) = (Treatments.Rules(before, family), Treatments.Rules(after, family));
            if (old.Same(now)) continue;
            using var treatments = new Treatments(old, now, new(machine));
            cut += Cut(family, false, treatments.Differ);
            cut += Cut(family, true, treatments.Differ);
        }
        Count += cut;
        if (cut > 0) DataplaneLog.Cut(log, cut);
    }

    private int Cut(IpFamily family, bool translated, Predicate<Connection> which)
    {
        var (cut, errno) = table.Cut(family, translated, which);
        if (errno != 0) DataplaneLog.CutRefused(log, Marshal.GetPInvokeErrorMessage(errno));
        return cut;
    }
}

/// <summary>What the rules of two plans make of connections of one family: their first packets walk through both.</summary>
internal sealed class Treatments(NatRules before, NatRules after, HostFacts facts) : IDisposable
{
    private readonly PacketTable old = before.Alone(), now = after.Alone();
    private PacketWays? ways;

    /// <summary>Of one family, where this node alone translates.</summary>
    public static NatRules Rules(NatPlan plan, IpFamily family) => Masquerade.Render(plan.WithoutUpstream().Only(family));

    /// <summary>
    /// It would not become what it is. One that is not as the old rules make it has become so by others', which is no affair of ours.
    /// </summary>
    public bool Differ(Connection connection)
    {
        var packet = new Packet(connection.Source, connection.Server)
        {
            Protocol = (IpProtocol)connection.Protocol,
            SourcePort = connection.SourcePort,
            DestinationPort = connection.ServerPort,
        };
        var (then, next) = (Ends(old, packet), Ends(now, packet));
        if ((then.Any(DependsOnLink) || next.Any(DependsOnLink)) && LinkOf(packet) is { } link)
        {
            packet = packet with { Out = link };
            (then, next) = (Ends(old, packet), Ends(now, packet));
        }
        var was = Sources(then.Where(end => end.Source != null == connection.SourceTranslated));
        return was.Count > 0 && !was.SetEquals(Sources(next));
    }

    private ImmutableArray<PacketEnd> Ends(PacketTable rules, Packet packet) => PacketWalk.Ends(rules, facts, packet, telling: false);

    private static bool DependsOnLink(PacketEnd end) => end.DependsOn.Any(condition => condition.Fact == PacketFact.Out);

    private static HashSet<PacketTranslation?> Sources(IEnumerable<PacketEnd> ends) => [.. ends.Select(end => end.Source)];

    private string? LinkOf(Packet packet)
    {
        try
        {
            ways ??= new();
        }
        catch (Win32Exception)
        {
            return null; // no socket is to be had: then it is not known
        }
        return ways.Of(packet, facts.IsLocal(packet.Source) == true) is { } way ? facts.NameOf(way.Interface) : null;
    }

    public void Dispose() => ways?.Dispose();
}
