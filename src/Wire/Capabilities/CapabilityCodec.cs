namespace Calico.Bgp.Wire.Capabilities;

/// <summary>IANA "Capability Codes".</summary>
internal enum CapabilityCode : byte
{
    Multiprotocol = 1,
    RouteRefresh = 2,
    ExtendedNextHop = 5,
    ExtendedMessages = 6,
    Role = 9,
    GracefulRestart = 64,
    FourOctetAs = 65,
    AddPath = 69,
    EnhancedRouteRefresh = 70,
    LongLivedGracefulRestart = 71,
    Fqdn = 73,
    /// <summary>Route refresh as Cisco sent it before RFC 2918.</summary>
    CiscoRouteRefresh = 128,
}

/// <summary>What a malformed capability costs.</summary>
internal enum Malformed : byte
{
    /// <summary>It counts as absent: nothing of what follows on the session is read differently for it.</summary>
    Ignored,
    /// <summary>The OPEN is refused: the peer believes that we agreed on what UPDATE messages look like, and we would misread
    /// them.</summary>
    Refused,
}

/// <summary>One capability of RFC 5492: its value between the length octet and the next one. The walker owns codes, lengths and
/// leftovers.</summary>
internal abstract class CapabilityCodec(CapabilityCode code, Malformed malformed = Malformed.Ignored)
{
    public CapabilityCode Code { get; } = code;
    public Malformed Malformed { get; } = malformed;

    /// <summary>Reads the value; false where it says what it must not.</summary>
    public abstract bool Decode(ref WireReader value, CapabilityBuilder into);

    /// <summary>Writes as many capabilities as the set has of this kind.</summary>
    public abstract void Encode(CapabilitySet set, ref WireWriter into);

    /// <summary>Code and room for the length, to be closed with <see cref="End"/>.</summary>
    protected int Begin(ref WireWriter into)
    {
        into.U8((byte)Code);
        return into.Mark(1);
    }

    protected static void End(ref WireWriter into, int mark) => into.Close(mark, 1);
}

/// <summary>A capability set while its OPEN is being read.</summary>
internal sealed class CapabilityBuilder
{
    public List<Family> Multiprotocol { get; } = [];
    public List<ExtendedNextHopFamily> ExtendedNextHop { get; } = [];
    public List<LongLivedFamily> LongLived { get; } = [];
    public List<AddPathFamily> AddPath { get; } = [];
    public List<byte> Unknown { get; } = [];
    public CapabilitySet Set { get; set; } = new();

    public CapabilitySet Build() => Set with
    {
        Multiprotocol = Multiprotocol,
        ExtendedNextHop = ExtendedNextHop,
        LongLived = LongLived,
        AddPath = AddPath,
        Unknown = Unknown,
    };
}
