namespace Calico.Bgp.Wire.Messages;

/// <summary>NOTIFICATION (RFC 4271 section 4.5): sent or received, it ends the session.</summary>
/// <param name="Data">As the code's section of the RFC asks; empty where it asks for none.</param>
public sealed record Notification(ErrorCode Code, byte Subcode, ReadOnlyMemory<byte> Data)
{
    public Notification(ErrorCode code, byte subcode) : this(code, subcode, default) { }
}
