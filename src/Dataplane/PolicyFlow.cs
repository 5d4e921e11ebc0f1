using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>Who sends what to whom; connections of a client's to one port are one, whatever ports it sends them from.</summary>
/// <param name="Port">The destination's, or an ICMP's type; null: the protocol has none, or it is not known.</param>
/// <param name="In">The interface that it came in by; null: it is this host's own.</param>
/// <param name="Out">The one that it was to leave by; null: none, or it was not known there yet.</param>
public sealed record FlowEnds(Address Source, Address Destination, IpProtocol? Protocol, int? Port, string? In, string? Out)
{
    /// <summary>What the client has sent it to (a service, a node's port), where that is not the destination; null: it is, or the kernel
    /// does not say.</summary>
    public AskedEnd? Asked { get; init; }

    public bool IsIcmp => Protocol is IpProtocol.Icmp or IpProtocol.Icmp6;

    /// <summary><c>tcp 10.65.0.2 to 10.65.0.3:80</c>, and behind it <c>, asked for 10.96.0.10:443</c>.</summary>
    public override string ToString()
    {
        var asked = Asked is { } end ? $", asked for {End(end.To, end.Port)}" : "";
        return $"{ProtocolWord}{(IsIcmp && Port is { } type ? $" type {type}" : "")} {Source} to "
            + $"{End(Destination, IsIcmp ? null : Port)}{asked}";
    }

    private static string End(Address address, int? port) =>
        port == null ? $"{address}" : address.IsIPv4 ? $"{address}:{port}" : $"[{address}]:{port}";

    public string ProtocolWord => Protocol switch
    {
        null => "?",
        IpProtocol.Icmp6 => "icmpv6",
        { } known when Enum.IsDefined(known) => known.ToString().ToLowerInvariant(),
        { } other => $"{(byte)other}",
    };
}

/// <summary>By whom, as far as the rule says it.</summary>
/// <param name="Program">Where on its way it was asked, as explanations call it; null: that is not known.</param>
/// <param name="Endpoint">Whose policies these were: NAMESPACE/POD, or a host endpoint's name; null: nobody's.</param>
/// <param name="Direction">ingress or egress; null: no policy's.</param>
/// <param name="Policy">With its kind; null: none decided.</param>
/// <param name="Rule">From 0.</param>
public sealed record FlowJudge(
    string? Program, string? Endpoint, string? Direction, string? Tier, string? Policy, int? Rule, string Reason);

/// <summary>Packets of one flow that one rule has told of.</summary>
/// <param name="Number">Counts what was told: a flow that goes on gets a new one.</param>
/// <param name="Packets">That were told; more may have been denied, which counters know.</param>
/// <param name="SourcePort">Of the last of them.</param>
public sealed record PolicyFlow(
    long Number, FlowEnds Ends, FlowJudge By, DateTimeOffset First, DateTimeOffset Last, long Packets, int? SourcePort);

/// <summary>The last that were denied.</summary>
/// <param name="IsLogged"><c>policy.logDenied</c>: else nothing is told.</param>
/// <param name="Problem">Why nothing is heard of it; null: it is.</param>
/// <param name="Lost">Packets that rules told of and nobody took.</param>
/// <param name="Flows">The newest last.</param>
public sealed record DeniedView(bool IsLogged, string? Problem, long Lost, ImmutableArray<PolicyFlow> Flows)
{
    public static readonly DeniedView Off = new(false, null, 0, []);
}
