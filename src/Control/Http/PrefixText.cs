using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Http;

internal static class PrefixText
{
    /// <summary>What is wrong with the text of a prefix that says an address inside of it: a slip of either. Null: it does not.</summary>
    public static string? HostBits(string text, Prefix prefix) =>
        Prefix.HasHostBits(text) ? $"expected no host bits in a prefix ({prefix}), got \"{text}\"" : null;
}
