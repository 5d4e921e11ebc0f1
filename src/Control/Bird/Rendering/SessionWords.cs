using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>BIRD's words for the state of a session and for what ended it; monitoring compares them.</summary>
internal static class SessionWords
{
    public static string State(ProtocolStatus protocol) => protocol switch
    {
        { Enabled: false } => "Down",
        { Session: { Phase: Phase.Active or Phase.Idle, Settings.Passive: true, RetryLeft: null } } => "Passive",
        { Session: { } session } => session.Phase.ToString(),
        _ => "",
    };

    /// <summary>Class and text of the last error; empty once the session is established again, or where the operator ended it.</summary>
    public static string Error(SessionSnapshot session)
    {
        if (session.Phase == Phase.Established) return "";
        var fault = session.LastFault;
        return fault.Kind switch
        {
            FaultKind.Socket => $"Socket: {fault.Text}",
            FaultKind.Received => $"Received: {Text(fault)}",
            FaultKind.Sent => $"BGP Error: {Text(fault)}",
            _ => "",
        };
    }

    private static string Text(SessionFault fault) =>
        fault.Notification is { } notification ? Name(notification) : fault.Text;

    /// <summary>The short names that BIRD has for NOTIFICATION's codes and subcodes (RFC 4271 section 4.5 and others).</summary>
    public static string Name(Notification notification) => (notification.Code, notification.Subcode) switch
    {
        (ErrorCode.MessageHeader, 0) => "Invalid message header",
        (ErrorCode.MessageHeader, 1) => "Connection not synchronized",
        (ErrorCode.MessageHeader, 2) => "Bad message length",
        (ErrorCode.MessageHeader, 3) => "Bad message type",

        (ErrorCode.OpenMessage, 0) => "Invalid OPEN message",
        (ErrorCode.OpenMessage, 1) => "Unsupported version number",
        (ErrorCode.OpenMessage, 2) => "Bad peer AS",
        (ErrorCode.OpenMessage, 3) => "Bad BGP identifier",
        (ErrorCode.OpenMessage, 4) => "Unsupported optional parameter",
        (ErrorCode.OpenMessage, 5) => "Authentication failure",
        (ErrorCode.OpenMessage, 6) => "Unacceptable hold time",
        (ErrorCode.OpenMessage, 7) => "Required capability missing",
        (ErrorCode.OpenMessage, 8) => "No supported AFI/SAFI",
        (ErrorCode.OpenMessage, 11) => "Role mismatch",

        (ErrorCode.UpdateMessage, 0) => "Invalid UPDATE message",
        (ErrorCode.UpdateMessage, 1) => "Malformed attribute list",
        (ErrorCode.UpdateMessage, 2) => "Unrecognized well-known attribute",
        (ErrorCode.UpdateMessage, 3) => "Missing mandatory attribute",
        (ErrorCode.UpdateMessage, 4) => "Invalid attribute flags",
        (ErrorCode.UpdateMessage, 5) => "Invalid attribute length",
        (ErrorCode.UpdateMessage, 6) => "Invalid ORIGIN attribute",
        (ErrorCode.UpdateMessage, 7) => "AS routing loop",
        (ErrorCode.UpdateMessage, 8) => "Invalid NEXT_HOP attribute",
        (ErrorCode.UpdateMessage, 9) => "Optional attribute error",
        (ErrorCode.UpdateMessage, 10) => "Invalid network field",
        (ErrorCode.UpdateMessage, 11) => "Malformed AS_PATH",

        (ErrorCode.HoldTimerExpired, _) => "Hold timer expired",
        (ErrorCode.SendHoldTimerExpired, _) => "Send hold timer expired",

        (ErrorCode.FiniteStateMachine, 1) => "Unexpected message in OpenSent state",
        (ErrorCode.FiniteStateMachine, 2) => "Unexpected message in OpenConfirm state",
        (ErrorCode.FiniteStateMachine, 3) => "Unexpected message in Established state",
        (ErrorCode.FiniteStateMachine, _) => "Finite state machine error",

        (ErrorCode.Cease, 0) => "Cease",
        (ErrorCode.Cease, 1) => "Maximum number of prefixes reached",
        (ErrorCode.Cease, 2) => "Administrative shutdown",
        (ErrorCode.Cease, 3) => "Peer de-configured",
        (ErrorCode.Cease, 4) => "Administrative reset",
        (ErrorCode.Cease, 5) => "Connection rejected",
        (ErrorCode.Cease, 6) => "Other configuration change",
        (ErrorCode.Cease, 7) => "Connection collision resolution",
        (ErrorCode.Cease, 8) => "Out of Resources",

        (ErrorCode.RouteRefresh, 0) => "Invalid ROUTE-REFRESH message",
        (ErrorCode.RouteRefresh, 1) => "Invalid ROUTE-REFRESH message length",
        var (code, subcode) => $"Unknown error {(int)code}.{subcode}",
    };
}
