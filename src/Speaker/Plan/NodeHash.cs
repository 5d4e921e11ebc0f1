using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// The BGP identifier of a node that has no address to take one from, as Calico makes it: the first four octets of its name's SHA-256, kept
/// out of the multicast range. Equal on every start.
/// </summary>
public static class NodeHash
{
    private const byte LastUnicast = 223, Down = 32;

    public static RouterId RouterId(string node)
    {
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(node), hash);
        if (hash[0] > LastUnicast) hash[0] -= Down;
        var id = (uint)(hash[0] << 24 | hash[1] << 16 | hash[2] << 8 | hash[3]);
        return new(id == 0 ? 1 : id);
    }
}
