namespace Calico.Bgp.Wire.Messages;

/// <summary>KEEPALIVE (RFC 4271 section 4.4): a header and nothing else, so one array serves every session.</summary>
public static class Keepalive
{
    private static readonly byte[] Message = MessageHeader.Wrap(MessageType.Keepalive, []);

    public static ReadOnlyMemory<byte> Octets => Message;
}
