using System.Buffers;
using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Wire;

/// <summary>What encoding depends on: members of one export group share it.</summary>
public readonly record struct EncodeContext(bool FourOctetAs, int MaxMessageLength, bool ExtendedNextHop, FamilySet AddPath)
{
    /// <summary>Prefixes may have a next hop of that family: their own, or IPv6 for IPv4 where RFC 8950 was negotiated.</summary>
    public bool Carries(IpFamily prefixes, IpFamily nextHop) => nextHop == prefixes || (prefixes == IpFamily.IPv4 && ExtendedNextHop);
}

/// <summary>
/// Encodes UPDATE messages (RFC 4271 section 4.3, RFC 4760, RFC 8950), whole ones only, splitting the prefixes over as many as
/// they need. Attributes ascend by type (RFC 4271 section 5), but for MP_REACH_NLRI and MP_UNREACH_NLRI, which come first
/// (RFC 7606 section 5.1).
/// </summary>
public sealed class UpdateEncoder(EncodeContext context)
{
    private const int FixedOctets = MessageHeader.Octets + 4;
    private const int MpReachOctets = 5, MpUnreachOctets = 3;

    private readonly OldListener old = new();
    private byte[] scratch = [];

    /// <param name="attributes">Canonical octets as they are to leave (the export door has done its work).</param>
    /// <param name="nlri">NLRI octets of any number of prefixes, each with its path id where ADD-PATH was negotiated.</param>
    /// <returns>False, and nothing written, where a message has no room for the attributes and any of the prefixes (the caller tries one
    /// by one, and withholds what does not fit alone), or where their next hop is none that this peer could be told for this
    /// family.</returns>
    public bool Announce(IpFamily family, ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into)
    {
        var least = Math.Min(nlri.Length, Nlri.MaxOctets(family, AddPath(family)));
        if (!TryMeasure(family, ref attributes, out var nextHop, out var at, out var end, out var room) || room < least) return false;
        if (nextHop.Length == 4)
        {
            while (!nlri.IsEmpty) WriteClassic([], attributes, Cut(ref nlri, family, room), into);
            return true;
        }
        attributes = Without(attributes, at, end);
        while (!nlri.IsEmpty) WriteMpReach(family, attributes, nextHop, Cut(ref nlri, family, room), into);
        return true;
    }

    /// <summary>Whether <see cref="Announce"/> would announce the prefix with these attributes.</summary>
    public bool Fits(Prefix prefix, ReadOnlySpan<byte> attributes) =>
        TryMeasure(prefix.Family, ref attributes, out _, out _, out _, out var room)
        && room >= Nlri.OctetsOf((byte)prefix.Length) + (AddPath(prefix.Family) ? 4 : 0);

    /// <param name="attributes">Becomes what this listener is sent.</param>
    /// <param name="room">What they leave of a message for prefixes.</param>
    private bool TryMeasure(
        IpFamily family, ref ReadOnlySpan<byte> attributes, out ReadOnlySpan<byte> nextHop, out int at, out int end, out int room)
    {
        room = 0;
        if (!context.FourOctetAs) attributes = old.Translate(attributes);
        if (!TryFindNextHop(attributes, out nextHop, out at, out end)) return false;
        if (!context.Carries(family, nextHop.Length == 4 ? IpFamily.IPv4 : IpFamily.IPv6)) return false;
        room = context.MaxMessageLength - FixedOctets - attributes.Length;
        // As MP_REACH_NLRI the next hop stands with the prefixes, in place of an attribute of its own.
        if (nextHop.Length != 4) room += end - at - 4 - MpReachOctets - nextHop.Length;
        return true;
    }

    public void Withdraw(IpFamily family, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into)
    {
        var mp = family == IpFamily.IPv6;
        var room = context.MaxMessageLength - FixedOctets - (mp ? 4 + MpUnreachOctets : 0);
        while (!nlri.IsEmpty)
        {
            var some = Cut(ref nlri, family, room);
            if (mp) WriteMpUnreach(family, some, into);
            else WriteClassic(some, [], [], into);
        }
    }

    /// <summary>RFC 4724 section 2.</summary>
    public void EndOfRib(IpFamily family, IBufferWriter<byte> into)
    {
        if (family == IpFamily.IPv6) WriteMpUnreach(family, [], into);
        else WriteClassic([], [], [], into);
    }

    private static bool TryFindNextHop(ReadOnlySpan<byte> attributes, out ReadOnlySpan<byte> nextHop, out int at, out int end)
    {
        nextHop = default;
        (at, end) = (0, 0);
        foreach (var attribute in new AttributeView(attributes))
        {
            // They ascend by type.
            if (attribute.Type < AttributeType.NextHop) continue;
            if (attribute.Type > AttributeType.NextHop) break;
            nextHop = attribute.Value;
            (at, end) = (attribute.At, attribute.End);
            break;
        }
        return nextHop.Length is 4 or 16 or 32;
    }

    private bool AddPath(IpFamily family) => context.AddPath.Has(family);

    private ReadOnlySpan<byte> Cut(ref ReadOnlySpan<byte> nlri, IpFamily family, int room)
    {
        var fitting = Nlri.Fitting(nlri, AddPath(family), room);
        var some = nlri[..fitting];
        nlri = nlri[fitting..];
        return some;
    }

    private ReadOnlySpan<byte> Without(ReadOnlySpan<byte> attributes, int at, int end)
    {
        if (scratch.Length < attributes.Length) scratch = new byte[2 * attributes.Length];
        attributes[..at].CopyTo(scratch);
        attributes[end..].CopyTo(scratch.AsSpan(at));
        return scratch.AsSpan(0, attributes.Length - (end - at));
    }

    private static void WriteClassic(
        ReadOnlySpan<byte> withdrawn, ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into)
    {
        var writer = Begin(FixedOctets + withdrawn.Length + attributes.Length + nlri.Length, into);
        writer.U16((ushort)withdrawn.Length);
        writer.Octets(withdrawn);
        writer.U16((ushort)attributes.Length);
        writer.Octets(attributes);
        writer.Octets(nlri);
        into.Advance(writer.Length);
    }

    private static void WriteMpReach(
        IpFamily family, ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> nextHop, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into)
    {
        var value = MpReachOctets + nextHop.Length + nlri.Length;
        var total = HeaderOctets(value) + value + attributes.Length;
        var writer = Begin(FixedOctets + total, into);
        writer.U16(0);
        writer.U16((ushort)total);
        WriteAttributeHeader(ref writer, AttributeType.MpReachNlri, value);
        WriteFamily(ref writer, family);
        writer.U8((byte)nextHop.Length);
        writer.Octets(nextHop);
        writer.U8(0);
        writer.Octets(nlri);
        writer.Octets(attributes);
        into.Advance(writer.Length);
    }

    private static void WriteMpUnreach(IpFamily family, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into)
    {
        var value = MpUnreachOctets + nlri.Length;
        var total = HeaderOctets(value) + value;
        var writer = Begin(FixedOctets + total, into);
        writer.U16(0);
        writer.U16((ushort)total);
        WriteAttributeHeader(ref writer, AttributeType.MpUnreachNlri, value);
        WriteFamily(ref writer, family);
        writer.Octets(nlri);
        into.Advance(writer.Length);
    }

    private static WireWriter Begin(int length, IBufferWriter<byte> into)
    {
        var writer = new WireWriter(into.GetSpan(length));
        MessageHeader.Write(ref writer, MessageType.Update, length);
        return writer;
    }

    private static int HeaderOctets(int value) => value > byte.MaxValue ? 4 : 3;

    private static void WriteAttributeHeader(ref WireWriter into, AttributeType type, int value)
    {
        var extended = value > byte.MaxValue;
        into.U8((byte)(extended ? AttributeFlags.Optional | AttributeFlags.ExtendedLength : AttributeFlags.Optional));
        into.U8((byte)type);
        if (extended) into.U16((ushort)value);
        else into.U8((byte)value);
    }

    private static void WriteFamily(ref WireWriter into, IpFamily family)
    {
        into.U16(Family.Of(family).Afi);
        into.U8(Family.Of(family).Safi);
    }
}
