using System.Collections.Immutable;
using System.Text;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>A set as it is written. Its name follows from what it is a set of, so that it is the same after a restart.</summary>
/// <param name="of">What the set is of, in words that name nothing else.</param>
/// <param name="elements">All that it shall have, each at least once.</param>
internal sealed class SetPart(SetKind kind, IpFamily family, string of, Func<IEnumerable<SetElement>> elements)
{
    /// <summary>nft prints no longer one.</summary>
    private const int CommentLimit = 128 - 1;

    private const int NameOctets = 10;

    public string Name { get; } = $"{Prefix(kind)}{(family == IpFamily.IPv4 ? 4 : 6)}-{Hash(of)}";

    /// <summary>Elements of it may be put and removed.</summary>
    public bool IsWritten { get; set; }

    /// <summary>One of its name is written from before, with whatever elements.</summary>
    public bool IsThere { get; set; }

    public bool IsGone { get; set; }

    public NftElement Render(SetElement element) => element.Of(kind);

    public NftSet Render()
    {
        var all = elements().ToArray();
        Array.Sort(all);
        return new(Name, Key, kind == SetKind.Nets, [.. all.Where((element, i) => i == 0 || all[i - 1] != element).Select(Render)])
        {
            Comment = Comment(of),
        };
    }

    private ImmutableArray<NftType> Key
    {
        get
        {
            var address = family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
            return kind == SetKind.Ports ? [address, NftType.Protocol, NftType.Port] : [address];
        }
    }

    private static string Prefix(SetKind kind) =>
        kind switch { SetKind.Hosts => "pol-hosts", SetKind.Nets => "pol-nets", _ => "pol-ports" };

    private static string Hash(string of)
    {
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(of), hash);
        return Convert.ToHexStringLower(hash[..NameOctets]);
    }

    /// <summary>For who lists the table. What is not ASCII could be cut within a character.</summary>
    private static string Comment(string of)
    {
        var plain = string.Concat(of.Select(letter => char.IsAscii(letter) && !char.IsControl(letter) ? letter : '?'));
        return plain.Length <= CommentLimit ? plain : plain[..(CommentLimit - 3)] + "...";
    }
}
