// The BFD control packet: RFC 5880 section 4.1, and of section 6.8.6's list what can be judged without knowing any session.
using System.Buffers.Binary;

namespace Calico.Bgp.Bfd;

/// <summary>RFC 5880 section 4.1; the values are the wire's.</summary>
public enum BfdState : byte { AdminDown = 0, Down = 1, Init = 2, Up = 3 }

/// <summary>Why a session's state last changed (RFC 5880 section 4.1); the values are the wire's.</summary>
public enum BfdDiagnostic : byte
{
    None = 0,
    ControlDetectionTimeExpired = 1,
    EchoFunctionFailed = 2,
    NeighborSignaledSessionDown = 3,
    ForwardingPlaneReset = 4,
    PathDown = 5,
    ConcatenatedPathDown = 6,
    AdministrativelyDown = 7,
    ReverseConcatenatedPathDown = 8,
}

[Flags]
internal enum ControlFlags : byte
{
    None = 0,
    Multipoint = 1,
    Demand = 2,
    Authentication = 4,
    ControlPlaneIndependent = 8,
    Final = 16,
    Poll = 32,
}

/// <summary>Why a packet is discarded, in the order in which it is judged.</summary>
internal enum Discard : byte
{
    None,
    /// <summary>RFC 5881 section 5: a hop limit other than 255 has come over a router.</summary>
    HopLimit,
    TooShort,
    Version,
    Length,
    Multiplier,
    Multipoint,
    MyDiscriminator,
    /// <summary>Zero, though the sender's state says that it has heard us.</summary>
    YourDiscriminator,
    /// <summary>The A bit: no session of ours has authentication (RFC 5880 section 6.8.6).</summary>
    Authentication,
    NoSession,
    /// <summary>Our side is administratively down.</summary>
    Stopped,
}

/// <summary>One control packet. Intervals are microseconds, as on the wire.</summary>
internal readonly record struct ControlPacket(
    BfdDiagnostic Diagnostic, BfdState State, ControlFlags Flags, byte Multiplier, uint MyDiscriminator, uint YourDiscriminator,
    uint DesiredMinTx, uint RequiredMinRx)
{
    public const int Octets = 24;

    private const int Version = 1, WithAuthentication = 26;

    public bool Has(ControlFlags flag) => (Flags & flag) != 0;

    //  0                   1                   2                   3
    // +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
    // |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
    // +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
    // |                       My Discriminator                        |
    // |                      Your Discriminator                       |
    // |                    Desired Min TX Interval                    |
    // |                   Required Min RX Interval                    |
    // |                 Required Min Echo RX Interval                 |
    // +---------------------------------------------------------------+
    /// <summary>What a datagram says. The length field is believed where the datagram is as long; what follows it is
    /// <see cref="Behind"/>.</summary>
    public static Discard Read(ReadOnlySpan<byte> datagram, out ControlPacket packet)
    {
        packet = default;
        if (datagram.Length < Octets) return Discard.TooShort;
        packet = new(
            (BfdDiagnostic)(datagram[0] & 0x1f), (BfdState)(datagram[1] >> 6), (ControlFlags)(datagram[1] & 0x3f), datagram[2],
            BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]), BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(datagram[12..]), BinaryPrimitives.ReadUInt32BigEndian(datagram[16..]));
        return Judge(packet, datagram[0] >> 5, datagram[3], datagram.Length);
    }

    /// <summary>What a datagram that was read has behind its packet.</summary>
    public static ReadOnlySpan<byte> Behind(ReadOnlySpan<byte> datagram) => datagram[datagram[3]..];

    private static Discard Judge(in ControlPacket packet, int version, int length, int came)
    {
        if (version != Version) return Discard.Version;
        if (length < (packet.Has(ControlFlags.Authentication) ? WithAuthentication : Octets) || length > came) return Discard.Length;
        if (packet.Multiplier == 0) return Discard.Multiplier;
        if (packet.Has(ControlFlags.Multipoint)) return Discard.Multipoint;
        if (packet.MyDiscriminator == 0) return Discard.MyDiscriminator;
        if (packet.YourDiscriminator == 0 && packet.State is not (BfdState.Down or BfdState.AdminDown)) return Discard.YourDiscriminator;
        return packet.Has(ControlFlags.Authentication) ? Discard.Authentication : Discard.None;
    }

    /// <summary>Writes <see cref="Octets"/> octets. No echo is ever wanted.</summary>
    public void Write(Span<byte> into)
    {
        into[0] = (byte)(Version << 5 | (byte)Diagnostic & 0x1f);
        into[1] = (byte)((byte)State << 6 | (byte)Flags);
        into[2] = Multiplier;
        into[3] = Octets;
        BinaryPrimitives.WriteUInt32BigEndian(into[4..], MyDiscriminator);
        BinaryPrimitives.WriteUInt32BigEndian(into[8..], YourDiscriminator);
        BinaryPrimitives.WriteUInt32BigEndian(into[12..], DesiredMinTx);
        BinaryPrimitives.WriteUInt32BigEndian(into[16..], RequiredMinRx);
        BinaryPrimitives.WriteUInt32BigEndian(into[20..], 0);
    }
}
