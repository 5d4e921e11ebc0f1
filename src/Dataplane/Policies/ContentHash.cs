using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>Names of parts by what is in them: the same over restarts, so that a table can be adopted.</summary>
internal static class ContentHash
{
    private const int Octets = 8;

    public static string Of(string text)
    {
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(text), hash);
        return Convert.ToHexStringLower(hash[..Octets]);
    }
}
