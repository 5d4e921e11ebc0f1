using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using PortRange = Calico.Bgp.Kernel.Nftables.PortRange;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Ports by which a host stays reachable, and reaches what it needs, whatever its host endpoints say (FelixConfiguration,
/// <c>failsafeInboundHostPorts</c> and <c>failsafeOutboundHostPorts</c>): asked before all policies, but not of what is routed through.
/// In front of connection tracking answers are asked for too.
/// </summary>
internal static class Failsafes
{
    private const byte Tcp = 6, Udp = 17;

    private const string In = Enforcement.Prefix + "failsafe-in", Out = Enforcement.Prefix + "failsafe-out",
        RawIn = Enforcement.Prefix + "failsafe-raw-in", RawOut = Enforcement.Prefix + "failsafe-raw-out";

    public static readonly ListOf<FailsafePort> DefaultIn =
    [
        new(Tcp, 22, null), new(Udp, 68, null), new(Tcp, 179, null), new(Tcp, 2379, null), new(Tcp, 2380, null), new(Tcp, 5473,
            null), new(Tcp, 6443, null), new(Tcp, 6666, null),
        new(Tcp, 6667, null),
    ];

    public static readonly ListOf<FailsafePort> DefaultOut =
    [
        new(Udp, 53, null), new(Udp, 67, null), new(Tcp, 179, null), new(Tcp, 2379, null), new(Tcp, 2380, null), new(Tcp, 5473,
            null), new(Tcp, 6443, null), new(Tcp, 6666, null),
        new(Tcp, 6667, null),
    ];

    /// <summary>Null: none are asked there.</summary>
    public static string? ChainOf(ProgramKind kind) => kind switch
    {
        ProgramKind.HostIn or ProgramKind.PreDnat => In,
        ProgramKind.HostOut or ProgramKind.HostOutTranslated => Out,
        ProgramKind.UntrackedIn => RawIn,
        ProgramKind.UntrackedOut => RawOut,
        _ => null,
    };

    /// <summary>It was let pass as an answer. What begins a connection is one only where somebody has taken the port of a server for
    /// his own.</summary>
    public static bool IsOfAnswers(PacketStep step) => step is { Stopped: null, Chain.Name: RawIn or RawOut }
        && step.Rule.Statements.Any(statement => statement is MatchPorts { End: NftEnd.Source });

    public static IEnumerable<NftChain> Chains(PolicyFacts facts)
    {
        NftRule[] inbound = [.. Rules(facts.FailsafesIn, NftEnd.Source, NftEnd.Destination)];
        NftRule[] outbound = [.. Rules(facts.FailsafesOut, NftEnd.Destination, NftEnd.Destination)];
        yield return new(In, null, [.. inbound]);
        yield return new(Out, null, [.. outbound]);
        yield return new(RawIn, null, [.. inbound, .. Rules(facts.FailsafesOut, NftEnd.Source, NftEnd.Source)]);
        yield return new(RawOut, null, [.. outbound, .. Rules(facts.FailsafesIn, NftEnd.Destination, NftEnd.Source)]);
    }

    /// <param name="other">Which end is not this host.</param>
    /// <param name="port">Which end has the port.</param>
    private static IEnumerable<NftRule> Rules(ListOf<FailsafePort> ports, NftEnd other, NftEnd port)
    {
        foreach (var group in ports.GroupBy(one => (one.Protocol, one.Net)))
        {
            var match = new MatchPorts(port, [.. group.Select(one => new PortRange(one.Port, one.Port))]);
            NftStatement[] from = group.Key.Net is { Length: > 0 } net
                ? [new MatchFamily(net.Family), new MatchNets(net.Family, other, [net])]
                : group.Key.Net is { } any ? [new MatchFamily(any.Family)] : [];
            yield return new([.. from, new MatchProtocols([group.Key.Protocol]), match, ActDecide.Accept], PolicyComment.Failsafe);
        }
    }
}
