using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;

namespace Calico.Bgp.Configuration;

/// <summary>
/// How an end of a translation is written: <c>20.0.0.1</c>, <c>20.0.0.1:8080</c>, <c>2001:db8::1</c>, <c>[2001:db8::1]:8080</c>,
/// <c>eth0:8080</c>, <c>eth0 v6</c>.
/// </summary>
public static class TranslationWords
{
    /// <summary>Null: it is no such end.</summary>
    public static BackendEnd? End(string text)
    {
        if (Address.TryParse(text, out var whole)) return new(TranslationPlace.Of(whole), null);
        if (text.StartsWith('[')) return Bracketed(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (name, port) = colon < 0 ? (text, null) : (text[..colon], Port(text[(colon + 1)..]));
        if (colon >= 0 && port == null) return null;
        if (Address.TryParse(name, out var address)) return new(TranslationPlace.Of(address), port);
        var isSix = name.EndsWith(" v6", StringComparison.Ordinal);
        var link = isSix ? name[..^" v6".Length] : name;
        return Names.IsInterface(link) && !LooksLikeAddress(link)
            ? new(TranslationPlace.OfInterface(link, isSix ? IpFamily.IPv6 : IpFamily.IPv4), port) : null;
    }

    private static BackendEnd? Bracketed(string text)
    {
        var end = text.IndexOf(']', StringComparison.Ordinal);
        if (end < 0 || !Address.TryParse(text.AsSpan(1, end - 1), out var address) || address.IsIPv4) return null;
        if (end == text.Length - 1) return new(TranslationPlace.Of(address), null);
        return text[end + 1] == ':' && Port(text[(end + 2)..]) is { } port ? new(TranslationPlace.Of(address), port) : null;
    }

    /// <summary>A slip in an address is not a name.</summary>
    private static bool LooksLikeAddress(string text) => text.All(c => char.IsAsciiDigit(c) || c == '.');

    private static ushort? Port(string text) =>
        ushort.TryParse(text, System.Globalization.NumberStyles.None, null, out var port) && port != 0 ? port : null;
}
