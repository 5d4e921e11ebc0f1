using Calico.Bgp.Net;

namespace Calico.Bgp.Wire;

/// <summary>Prefixes as RFC 4271 section 4.3 writes them, with RFC 7911's path identifier before each where it was negotiated.</summary>
//  +----------------------+------------+-------------------------------------+
//  | Path identifier (32) | Length (8) | Prefix (as many octets as it needs) |  as often as there is room
//  +----------------------+------------+-------------------------------------+
internal static class Nlri
{
    /// <summary>True where every prefix is whole and none is longer than its family's addresses (RFC 7606 section 5.3).</summary>
    public static bool IsSound(ReadOnlySpan<byte> octets, IpFamily family, bool addPath)
    {
        var before = addPath ? 4 : 0;
        var bits = family.Bits();
        var at = 0;
        while (at < octets.Length)
        {
            at += before;
            if (at >= octets.Length || octets[at] > bits) return false;
            at += OctetsOf(octets[at]);
        }
        return at == octets.Length;
    }

    /// <summary>How many octets of whole prefixes fit into <paramref name="room"/>; the octets are known to be sound.</summary>
    public static int Fitting(ReadOnlySpan<byte> octets, bool addPath, int room)
    {
        if (octets.Length <= room) return octets.Length;
        var before = addPath ? 4 : 0;
        var at = 0;
        while (true)
        {
            var next = at + before + OctetsOf(octets[at + before]);
            if (next > room) return at;
            at = next;
        }
    }

    /// <summary>The longest that one prefix can be.</summary>
    public static int MaxOctets(IpFamily family, bool addPath) => (addPath ? 4 : 0) + 1 + family.Octets();

    private static int OctetsOf(byte length) => 1 + ((length + 7) >> 3);
}
