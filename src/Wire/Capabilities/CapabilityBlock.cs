namespace Calico.Bgp.Wire.Capabilities;

/// <summary>
/// Walks the capabilities in one optional parameter (RFC 5492 section 4). Codes that mean nothing here are noted and passed
/// over; the same code may come again (section 5), which each codec settles.
/// </summary>
//  +----------+------------+-------------------+
//  | Code (8) | Length (8) | Value (variable)  |  as often as there is room
//  +----------+------------+-------------------+
internal static class CapabilityBlock
{
    // In the order in which we send them.
    private static readonly CapabilityCodec[] Codecs =
    [
        new MultiprotocolCodec(), new RouteRefreshCapabilityCodec(), new ExtendedNextHopCodec(), new ExtendedMessagesCodec(),
        new RoleCodec(), new GracefulRestartCodec(), new FourOctetAsCodec(), new AddPathCodec(), new EnhancedRouteRefreshCodec(),
        new LongLivedCodec(), new FqdnCodec(), new CiscoRouteRefreshCodec(),
    ];

    /// <summary>False: the OPEN is to be refused.</summary>
    public static bool Decode(ReadOnlySpan<byte> block, CapabilityBuilder into)
    {
        var reader = new WireReader(block);
        while (reader.Left > 0)
        {
            var code = reader.U8();
            var value = reader.Take(reader.U8());
            if (reader.Overrun || !DecodeOne(code, value, into)) return false;
        }
        return true;
    }

    public static void Encode(CapabilitySet set, ref WireWriter into)
    {
        foreach (var codec in Codecs) codec.Encode(set, ref into);
    }

    private static bool DecodeOne(byte code, ReadOnlySpan<byte> value, CapabilityBuilder into)
    {
        foreach (var codec in Codecs)
        {
            if ((byte)codec.Code != code) continue;
            var reader = new WireReader(value);
            return (codec.Decode(ref reader, into) && reader.Exact) || codec.Malformed == Malformed.Ignored;
        }
        if (!into.Unknown.Contains(code)) into.Unknown.Add(code);
        return true;
    }
}
