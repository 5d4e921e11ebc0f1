using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>How parts of source NAT are written, in bgpd.yaml, over HTTP and at the command line.</summary>
public static class SourceNatWords
{
    public const string PlaceWords = "an address, a prefix without host bits (of IPv6 one of /64 or longer) or INTERFACE[ v6]";

    /// <summary>cnat's, of a prefix whose addresses are new sources.</summary>
    private const int ShortestPrefix6 = 64;

    public static readonly (string Word, SourceNatPolicy Policy)[] Policies =
        [("none", SourceNatPolicy.None), ("if-pfx", SourceNatPolicy.IfPfx), ("k8s", SourceNatPolicy.K8s), ("dnat", SourceNatPolicy.Dnat)];

    public static string Of(SourceNatPolicy policy) => Policies.First(one => one.Policy == policy).Word;

    /// <summary>Null: it is no such place.</summary>
    public static SourceNatPlace? Place(string text)
    {
        if (Prefix.TryParse(text, out var prefix) && !Prefix.HasHostBits(text))
            return prefix.Family == IpFamily.IPv4 || prefix.Length >= ShortestPrefix6 ? new(prefix.Family, prefix, null) : null;
        return TranslationWords.End(text) is { Place: { } place, Port: null }
            ? new(place.Family, place.Address is { } address ? new Prefix(address, address.Family.Bits()) : null, place.Interface) : null;
    }

    /// <summary>Why nothing can have its source there; null: something can.</summary>
    public static string? Unfit(SourceNatPlace place) => place.Prefix is not { } prefix ? null
        : TranslationWords.Unfit(prefix.Address) ?? TranslationWords.Unfit(prefix.Last)
            ?? (prefix.Address.IsLoopback ? "nothing leaves a node with a loopback's address" : null);

    /// <summary>An interface's name, or how it begins, with * behind it.</summary>
    public static bool IsLink(string text) => Kernel.Links.LinkNames.IsName(text.EndsWith('*') ? text[..^1] : text);
}
