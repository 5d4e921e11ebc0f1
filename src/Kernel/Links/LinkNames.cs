using System.Text;

namespace Calico.Bgp.Kernel.Links;

/// <summary>What an interface may be called.</summary>
public static class LinkNames
{
    /// <summary>IFNAMSIZ (linux/if.h), with its final zero.</summary>
    private const int Limit = 16;

    public static bool IsName(string name) =>
        Encoding.UTF8.GetByteCount(name) is > 0 and < Limit && name is not ("." or "..")
            && !name.Any(c => c is '/' or ':' or '%' || char.IsWhiteSpace(c) || char.IsControl(c));
}
