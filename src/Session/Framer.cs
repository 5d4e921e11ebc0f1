using System.Buffers;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

internal enum Cut { Message, TooShort, Damaged }

/// <summary>
/// Cuts messages out of what has arrived (RFC 4271 section 4.1) and makes each one contiguous, so that nobody else meets
/// segments. A message that lies in one segment is not copied. One that crosses a boundary goes through a scratch buffer, which
/// exists from the first such message on and is never larger than the largest message of the session, whatever a header claims.
/// </summary>
internal sealed class Framer
{
    private byte[] scratch = [];

    /// <summary>RFC 8654: set once both OPENs have asked for it.</summary>
    public bool ExtendedMessages { get; set; }

    /// <summary>What the peer is told after <see cref="Cut.Damaged"/>.</summary>
    public Notification? Damage { get; private set; }

    /// <summary>Takes the next message off <paramref name="unread"/>, which stays as it is where there is none.</summary>
    /// <param name="body">The message after its header; good until the next call.</param>
    public Cut Next(ref ReadOnlySequence<byte> unread, out MessageType type, out ReadOnlySpan<byte> body)
    {
        type = default;
        body = default;
        if (unread.Length < MessageHeader.Octets) return Cut.TooShort;
        // A header is judged as soon as it is there: what it claims may never come.
        Span<byte> copy = stackalloc byte[MessageHeader.Octets];
        Damage = MessageHeader.Check(Contiguous(unread, MessageHeader.Octets, copy), ExtendedMessages, out type, out var length);
        if (Damage != null) return Cut.Damaged;
        if (unread.Length < length) return Cut.TooShort;
        body = Whole(unread, length)[MessageHeader.Octets..];
        unread = unread.Slice(length);
        return Cut.Message;
    }

    private ReadOnlySpan<byte> Whole(ReadOnlySequence<byte> unread, int length)
    {
        if (unread.FirstSpan.Length >= length) return unread.FirstSpan[..length];
        if (scratch.Length < length) scratch = new byte[ExtendedMessages ? MessageHeader.MaxExtendedLength : MessageHeader.MaxLength];
        return Contiguous(unread, length, scratch);
    }

    private static ReadOnlySpan<byte> Contiguous(ReadOnlySequence<byte> unread, int length, Span<byte> room)
    {
        if (unread.FirstSpan.Length >= length) return unread.FirstSpan[..length];
        unread.Slice(0, length).CopyTo(room);
        return room[..length];
    }
}
