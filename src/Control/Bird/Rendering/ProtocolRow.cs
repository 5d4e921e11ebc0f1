using Calico.Bgp.Session;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>The row of a protocol, as <c>show protocols</c> prints it; <c>all</c> begins with it too.</summary>
internal static class ProtocolRow
{
    public static readonly string Heading = Columns("Name", "Proto", "Table", "State", "Since", "Info");

    public static string Of(ProtocolStatus protocol, Times times) =>
        Columns(protocol.Name, protocol.Kind.Word(), TableOf(protocol), StateOf(protocol), times.Short(protocol.Since), InfoOf(protocol));

    private static string Columns(string name, string proto, string table, string state, string since, string info) =>
        $"{name,-10} {proto,-10} {table,-10} {state,-6} {since,-12}  {info}";

    private static string Word(this ProtocolKind kind) => kind switch
    {
        ProtocolKind.Bgp => "BGP",
        ProtocolKind.Bfd => "BFD",
        _ => kind.ToString(),
    };

    /// <summary>Only protocols that can have no more than one channel name their table.</summary>
    private static string TableOf(ProtocolStatus protocol) =>
        protocol.Kind is ProtocolKind.Kernel or ProtocolKind.Static && protocol.Channels is [var channel, ..]
            ? Tables.Name(channel.Family)
            : "---";

    private static string StateOf(ProtocolStatus protocol) => protocol switch
    {
        { Enabled: false, Session: { Phase: not Phase.Idle } } => "stop",
        { Enabled: false } => "down",
        { Up: true } => "up",
        { Kind: ProtocolKind.Bgp } => "start",
        _ => "down",
    };

    private static string InfoOf(ProtocolStatus protocol) =>
        protocol.Session == null ? ""
        : protocol.Enabled ? $"{SessionWords.State(protocol),-14}{SessionWords.Error(protocol)}"
        : SessionWords.Error(protocol);
}
