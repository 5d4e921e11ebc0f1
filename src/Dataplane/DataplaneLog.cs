using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>Everything this room can say; event ids 7000 to 7099.</summary>
internal static partial class DataplaneLog
{
    [LoggerMessage(7000, LogLevel.Information, "pool {Pool}: {Treatment} ({Reason})")]
    public static partial void Treats(ILogger log, string pool, string treatment, string reason);

    [LoggerMessage(7001, LogLevel.Information, "connections were cut, as a change of pools alters their treatment: {Count}")]
    public static partial void Cut(ILogger log, long count);

    [LoggerMessage(7002, LogLevel.Warning, "connections whose treatment has changed cannot be cut: {Words}")]
    public static partial void CutRefused(ILogger log, string words);

    [LoggerMessage(7003, LogLevel.Information, "connections were cut, as a change of policies forbids them: {Count}")]
    public static partial void CutNarrowed(ILogger log, long count);

    [LoggerMessage(7004, LogLevel.Warning, "connections that a change of policies forbids cannot be cut: {Words}")]
    public static partial void CutNarrowedRefused(ILogger log, string words);

    [LoggerMessage(7005, LogLevel.Information, "connections were ended whose workloads are gone: {Count}")]
    public static partial void CutGone(ILogger log, long count);

    [LoggerMessage(7010, LogLevel.Information, "denied: {Flow} ({Where}): {Why}; packets told of: {Packets}")]
    public static partial void Denied(ILogger log, FlowEnds flow, string where, string why, long packets);

    [LoggerMessage(7011, LogLevel.Information, "logged: {Flow} ({Where}): {Why}; packets told of: {Packets}")]
    public static partial void Logged(ILogger log, FlowEnds flow, string where, string why, long packets);

    [LoggerMessage(7012, LogLevel.Warning, "{Count} more lines on what policies have {What} were not written in the last minute")]
    public static partial void Unsaid(ILogger log, long count, string what);

    [LoggerMessage(7013, LogLevel.Warning, "what rules of policies log is not heard: {Words}")]
    public static partial void Deaf(ILogger log, string words);

    [LoggerMessage(7014, LogLevel.Warning, "what is asked of the DNS is not heard, so that no name opens anything: {Words}")]
    public static partial void NamesUnheard(ILogger log, string words);

    [LoggerMessage(7025, LogLevel.Warning, "denied packets do not wait for names (DelayDeniedPacket), responses do: policy.markMask has no "
        + "third bit that egress.markMask has not")]
    public static partial void NamesLackMark(ILogger log);

    [LoggerMessage(7026, LogLevel.Warning, "copies of DNS responses are heard, and nothing waits for them, so that the first packets to "
        + "a name may be lost: {Words}")]
    public static partial void NamesUnheld(ILogger log, string words);

    [LoggerMessage(7030, LogLevel.Information, "this node is a gateway out of the cluster with {Address}")]
    public static partial void EgressHere(ILogger log, Address address);

    [LoggerMessage(7031, LogLevel.Information, "this node is no longer a gateway out of the cluster with {Address}")]
    public static partial void EgressGone(ILogger log, Address address);

    [LoggerMessage(7032, LogLevel.Information, "egress flow: pod {Namespace}/{Pod} ({Source} port {SourcePort}) leaves by {Gateway} with "
        + "{Address} port {Port} to {Destination} port {DestinationPort}, {Protocol}")]
    public static partial void EgressFlow(ILogger log, string @namespace, string pod, Address source, string sourcePort,
        Resources.ResourceKey gateway, Address address, string port, Address destination, string destinationPort, string protocol);

    [LoggerMessage(7033, LogLevel.Warning, "{Count} egress flows or more are not in the log: they came faster than they were heard")]
    public static partial void FlowsLost(ILogger log, long count);

    [LoggerMessage(7040, LogLevel.Warning, "what {Node} says of its egress flows cannot be read, and the connection is ended: {Words}")]
    public static partial void FlowsDamaged(ILogger log, string node, string words);

    [LoggerMessage(7041, LogLevel.Warning, "{Node} speaks of egress flows that are not its own, with {Address} from {Source} to "
        + "{Destination} for one: they are passed over")]
    public static partial void FlowsOfOthers(ILogger log, string node, Address address, Address source, Address destination);

    [LoggerMessage(7042, LogLevel.Warning, "egress flows of {Node} are not taken by the kernel: {Words}")]
    public static partial void FlowsRefused(ILogger log, string node, string words);

    [LoggerMessage(7043, LogLevel.Warning, "egress flows are not given to other nodes (egress.replicateFlows): {Words}")]
    public static partial void FlowsNotGiven(ILogger log, string words);

    [LoggerMessage(7044, LogLevel.Warning, "{Address} asks for egress flows, and is no other node of a gateway of this one")]
    public static partial void FlowsAskedByStranger(ILogger log, Address address);

    [LoggerMessage(7045, LogLevel.Warning, "egress flows of {Nodes} were waited for, and have not all come in {Seconds} s: gateways' "
        + "addresses are taken without them")]
    public static partial void FlowsNotWaitedFor(ILogger log, string nodes, double seconds);

    [LoggerMessage(7034, LogLevel.Warning, "egress flows are not in the log (egress.flowLog): {Words}")]
    public static partial void FlowsUnheard(ILogger log, string words);

    [LoggerMessage(7036, LogLevel.Information, "connections were ended, as their pods leave the cluster by another way now: {Count}")]
    public static partial void EgressMoved(ILogger log, int count);

    [LoggerMessage(7037, LogLevel.Warning, "connections of pods that leave the cluster by another way now cannot be ended: {Words}")]
    public static partial void EgressMovedRefused(ILogger log, string words);

    [LoggerMessage(7015, LogLevel.Warning, "what was looked up is not kept in {File}: {Words}")]
    public static partial void NamesNotKept(ILogger log, string file, string words);

    [LoggerMessage(7017, LogLevel.Warning, "{File} cannot be read, and nothing of what was looked up is known: {Words}; {What}")]
    public static partial void NamesUnreadable(ILogger log, string file, string words, string what);

    [LoggerMessage(7018, LogLevel.Warning, "what was looked up is not taken from {File}: {Words}")]
    public static partial void NamesNotTaken(ILogger log, string file, string words);

    [LoggerMessage(7019, LogLevel.Warning, "{Most} addresses are open by names: {Count} of {Endpoint}'s are closed before their time")]
    public static partial void NamesFull(ILogger log, int most, int count, string endpoint);

    [LoggerMessage(7016, LogLevel.Information, "names that are known from {File}: {Count}")]
    public static partial void NamesKept(ILogger log, int count, string file);

    [LoggerMessage(7020, LogLevel.Information, "connections to services were ended, as their backends have gone: {Count}")]
    public static partial void SessionsEnded(ILogger log, long count);

    [LoggerMessage(7035, LogLevel.Information, "connections to services were ended, as they were older than their translation: {Count}")]
    public static partial void SessionsBegunAnew(ILogger log, long count);

    [LoggerMessage(7021, LogLevel.Warning, "connections to backends that have gone cannot be ended: {Words}")]
    public static partial void SessionsStay(ILogger log, string words);

    [LoggerMessage(7038, LogLevel.Information, "services are off: connections that they have translated {What}")]
    public static partial void ServicesOff(ILogger log, string what);

    [LoggerMessage(7022, LogLevel.Warning, "services: {Words}")]
    public static partial void ServicesLack(ILogger log, string words);

    [LoggerMessage(7027, LogLevel.Information, "services: no longer so: {Words}")]
    public static partial void ServicesLackNoMore(ILogger log, string words);

    [LoggerMessage(7024, LogLevel.Warning, "{Words}")]
    public static partial void ExtensionLeftOut(ILogger log, string words);

    [LoggerMessage(7023, LogLevel.Warning, "Service/{Service}: load balancers are not answered on healthCheckNodePort {Port}: {Words}")]
    public static partial void NoHealthPort(ILogger log, Resources.ResourceKey service, ushort port, string words);
}
