using Calico.Bgp.Session;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>BIRD's words for the state of a session and for what ended it; monitoring compares them.</summary>
internal static class SessionWords
{
    public static string State(ProtocolStatus protocol) => protocol switch
    {
        { Enabled: false } => "Down",
        { Session: { Phase: Phase.Active or Phase.Idle, Settings.Passive: true, Left.Retry: null } } => "Passive",
        { Session: { } session } => session.Phase.ToString(),
        _ => "",
    };

    /// <summary>Class and text of the last error; empty once the session is established again, or where the operator ended it.</summary>
    public static string Error(ProtocolStatus protocol)
    {
        if (protocol.Channels.Any(channel => channel.IsOverLimit)) return "Automatic shutdown: Route limit exceeded";
        if (protocol.Session is not { Phase: not Phase.Established } session) return "";
        var fault = session.Faults.Why;
        return fault.Kind switch
        {
            FaultKind.Socket => $"Socket: {fault.Text}",
            FaultKind.Received => $"Received: {Text(fault)}",
            FaultKind.Way => $"Error: {fault.Text}",
            FaultKind.Sent => $"BGP Error: {Text(fault)}",
            _ => "",
        };
    }

    /// <summary>What BIRD has no line for: a fault of its own time, in full.</summary>
    public static string Told(SessionFault fault, Times times)
    {
        var who = fault.Kind switch { FaultKind.Sent => "sent ", FaultKind.Received => "received ", _ => "" };
        return $"{who}{times.Long(fault.At)}: {fault.Text}{(fault.Detail == null ? "" : $" ({fault.Detail})")}";
    }

    private static string Text(SessionFault fault) =>
        fault.Notification is { } notification ? notification.Name : fault.Text;
}
