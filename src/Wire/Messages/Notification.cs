namespace Calico.Bgp.Wire.Messages;

/// <summary>NOTIFICATION (RFC 4271 section 4.5): sent or received, it ends the session.</summary>
/// <param name="Data">As the code's section of the RFC asks; empty where it asks for none.</param>
public sealed record Notification(ErrorCode Code, byte Subcode, ReadOnlyMemory<byte> Data)
{
    // RFC 9003 raised RFC 8203's 128 octets to what the length octet holds.
    private const int MaxTextOctets = 255;

    public Notification(ErrorCode code, byte subcode) : this(code, subcode, default) { }

    /// <summary>A Cease, with the text that RFC 9003 lets an administrative shutdown or reset carry.</summary>
    public static Notification Cease(CeaseSubcode subcode, string? text = null)
    {
        if (!CarriesText(subcode) || string.IsNullOrEmpty(text)) return new(ErrorCode.Cease, (byte)subcode);
        var octets = PeerText.Encode(text, MaxTextOctets);
        return new(ErrorCode.Cease, (byte)subcode, (byte[])[(byte)octets.Length, .. octets]);
    }

    /// <summary>RFC 8538 section 3: what it is about ends for good, and nobody is to keep the other's routes.</summary>
    public static Notification HardReset(Notification about) =>
        new(ErrorCode.Cease, (byte)CeaseSubcode.HardReset, (byte[])[(byte)about.Code, about.Subcode, .. about.Data.Span]);

    /// <summary>
    /// RFC 8538 section 5: a peer that keeps routes over a NOTIFICATION must hear of these as a hard reset, for nobody comes back. Of BFD
    /// RFC 9384 leaves it open; RFC 5882 section 4.3.2.2 has packets look for another way when BFD is down before a restart was heard of.
    /// </summary>
    public bool EndsForGood => Code == ErrorCode.Cease && (CeaseSubcode)Subcode
        is CeaseSubcode.AdministrativeShutdown or CeaseSubcode.PeerDeconfigured or CeaseSubcode.MaximumNumberOfPrefixesReached
            or CeaseSubcode.BfdDown;

    /// <summary>
    /// The shutdown communication, a hard reset's own or that of what it is about, made safe for logs; null where there is none or its
    /// length octet lies.
    /// </summary>
    // One level only: a peer may nest as deep as its message is long.
    public string? Text => Inner is { } inner ? inner.OwnText : OwnText;

    private string? OwnText
    {
        get
        {
            if (Code != ErrorCode.Cease || !CarriesText((CeaseSubcode)Subcode)) return null;
            if (Data.Length < 2 || Data.Span[0] is 0 || Data.Span[0] >= Data.Length) return null;
            return PeerText.Decode(Data.Span.Slice(1, Data.Span[0]));
        }
    }

    /// <summary>RFC 8538 section 3: a hard reset carries the error that it is about.</summary>
    public Notification? Inner =>
        IsHardReset && Data.Length >= 2 ? new((ErrorCode)Data.Span[0], Data.Span[1], Data[2..]) : null;

    public bool IsHardReset => Code == ErrorCode.Cease && (CeaseSubcode)Subcode == CeaseSubcode.HardReset;

    /// <summary>Of two connections the other one is kept (RFC 4271 section 6.8).</summary>
    public bool IsCollision => Code == ErrorCode.Cease && (CeaseSubcode)Subcode == CeaseSubcode.ConnectionCollisionResolution;

    /// <summary>What the error is called.</summary>
    public string Name => ErrorNames.Of(Code, Subcode);

    /// <summary>The error's name and whatever text came with it, for <c>show protocols</c> and logs.</summary>
    public string Describe()
    {
        var name = Inner is { } inner ? $"{Name}: {inner.Name}" : Name;
        return Text is { } text ? $"{name}: {text}" : name;
    }

    private static bool CarriesText(CeaseSubcode subcode) =>
        subcode is CeaseSubcode.AdministrativeShutdown or CeaseSubcode.AdministrativeReset;

    public bool Equals(Notification? other) =>
        other != null && Code == other.Code && Subcode == other.Subcode && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode() => HashCode.Combine(Code, Subcode, Data.Length);

    public override string ToString() => $"{(byte)Code}/{Subcode} {Describe()}";
}
