namespace Calico.Bgp.Wire.Messages;

/// <summary>
/// What the errors are called (RFC 4271 section 4.5, RFC 4486, 5492, 6608, 7313, 8538, 9234, 9384, 9687), in the words that
/// operators know from <c>birdc</c>.
/// </summary>
internal static class ErrorNames
{
    public static string Of(ErrorCode code, byte subcode) => (code, subcode) switch
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

        (ErrorCode.HoldTimerExpired, 0) => "Hold timer expired",

        (ErrorCode.FiniteStateMachine, 0) => "Finite state machine error",
        (ErrorCode.FiniteStateMachine, 1) => "Unexpected message in OpenSent state",
        (ErrorCode.FiniteStateMachine, 2) => "Unexpected message in OpenConfirm state",
        (ErrorCode.FiniteStateMachine, 3) => "Unexpected message in Established state",

        (ErrorCode.Cease, 0) => "Cease",
        (ErrorCode.Cease, 1) => "Maximum number of prefixes reached",
        (ErrorCode.Cease, 2) => "Administrative shutdown",
        (ErrorCode.Cease, 3) => "Peer de-configured",
        (ErrorCode.Cease, 4) => "Administrative reset",
        (ErrorCode.Cease, 5) => "Connection rejected",
        (ErrorCode.Cease, 6) => "Other configuration change",
        (ErrorCode.Cease, 7) => "Connection collision resolution",
        (ErrorCode.Cease, 8) => "Out of Resources",
        (ErrorCode.Cease, 9) => "Hard reset",
        (ErrorCode.Cease, 10) => "BFD session down",

        (ErrorCode.RouteRefresh, 0) => "Invalid ROUTE-REFRESH message",
        (ErrorCode.RouteRefresh, 1) => "Invalid ROUTE-REFRESH message length",

        (ErrorCode.SendHoldTimerExpired, 0) => "Send hold timer expired",

        _ => $"Unknown error {(byte)code}.{subcode}",
    };
}
