using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker;

/// <summary>
/// The link bandwidth community (draft-ietf-idr-link-bandwidth), by which a neighbour shares traffic among several announcers of a prefix.
/// The transitive form, since the neighbour is a ToR of another AS more often than not; the AS in it says who set it, and nobody looks at
/// it.
/// </summary>
internal static class Bandwidth
{
    private const ulong Transitive = 0x00, LinkBandwidth = 0x04;
    /// <summary>Octets in a second that stand for one endpoint: only the ratio matters.</summary>
    private const float Unit = 125_000;

    //  0                   1                   2                   3
    // +---------------+---------------+-------------------------------+
    // | Type 0x00     | Subtype 0x04  | AS                            |
    // +---------------+---------------+-------------------------------+
    // | Bandwidth, octets in a second (IEEE float)                    |
    // +---------------------------------------------------------------+
    public static ExtendedCommunity Of(int weight) => new(
        Transitive << 56 | LinkBandwidth << 48 | (ulong)Asn.Trans.Value << 32 | BitConverter.SingleToUInt32Bits(weight * Unit));
}
