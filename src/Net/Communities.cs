using System.Globalization;

namespace Calico.Bgp.Net;

/// <summary>A community (RFC 1997): AS number in the high half, the AS's own value in the low.</summary>
public readonly record struct Community(uint Value)
{
    public static readonly Community GracefulShutdown = new(0xffff0000); // RFC 8326
    public static readonly Community LlgrStale = new(0xffff0006);        // RFC 9494
    public static readonly Community NoLlgr = new(0xffff0007);           // RFC 9494
    public static readonly Community Blackhole = new(0xffff029a);        // RFC 7999
    public static readonly Community NoExport = new(0xffffff01);
    public static readonly Community NoAdvertise = new(0xffffff02);
    public static readonly Community NoExportSubconfed = new(0xffffff03);
    public static readonly Community NoPeer = new(0xffffff04);           // RFC 3765

    public Community(ushort high, ushort low) : this((uint)high << 16 | low) { }

    public ushort High => (ushort)(Value >> 16);
    public ushort Low => (ushort)Value;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High}:{Low}");
}

/// <summary>A large community (RFC 8092): three numbers of four octets.</summary>
public readonly record struct LargeCommunity(uint Global, uint Data1, uint Data2)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Global}:{Data1}:{Data2}");
}

/// <summary>An extended community (RFC 4360): eight octets, the type in the first one or two.</summary>
public readonly record struct ExtendedCommunity(ulong Value)
{
    public byte Type => (byte)(Value >> 56);
    public byte Subtype => (byte)(Value >> 48);
    /// <summary>Bit 6 of the type octet set: stays inside the AS (RFC 4360 section 2).</summary>
    public bool IsTransitive => (Type & 0x40) == 0;

    /// <summary>
    /// Octets in a second, of a link bandwidth community (draft-ietf-idr-link-bandwidth section 3), transitive or not; null: it is another.
    /// </summary>
    public float? LinkBandwidth => (Type & ~0x40) == 0x00 && Subtype == 0x04 ? BitConverter.UInt32BitsToSingle((uint)Value) : null;
}
