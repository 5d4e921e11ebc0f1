using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// How parts of a translation are written, in bgpd.yaml, over HTTP and at the command line. An end:
/// <c>20.0.0.1</c>, <c>20.0.0.1:8080</c>, <c>2001:db8::1</c>, <c>[2001:db8::1]:8080</c>,
/// <c>eth0:8080</c>, <c>eth0 v6</c>.
/// </summary>
public static class TranslationWords
{
    public const string FlowHashWords = "source, destination, sourcePort, destinationPort, protocol, reverse, symmetric or flowLabel";

    private static readonly (string Word, FlowHash Bit)[] Fields =
    [
        ("source", Services.FlowHash.Source), ("destination", Services.FlowHash.Destination),
        ("sourcePort", Services.FlowHash.SourcePort), ("destinationPort", Services.FlowHash.DestinationPort),
        ("protocol", Services.FlowHash.Protocol), ("reverse", Services.FlowHash.Reverse),
        ("symmetric", Services.FlowHash.Symmetric), ("flowLabel", Services.FlowHash.FlowLabel),
    ];

    /// <summary>Whose a translation is.</summary>
    public static string Word(this TranslationSource source) => source switch
    {
        TranslationSource.File => "bgpd.yaml",
        TranslationSource.Cli => "cli",
        _ => "kubernetes",
    };

    /// <summary>Null: it is no such word.</summary>
    public static IEnumerable<string> FlowHashFields => Fields.Select(one => one.Word);

    public static FlowHash? FlowHash(string word) => Fields.FirstOrDefault(field => field.Word == word) is (not null, var bit) ? bit : null;

    /// <summary>What says no field of a flow means all.</summary>
    public static FlowHash WithFields(FlowHash hash) =>
        hash is Services.FlowHash.None or Services.FlowHash.Reverse ? hash | Services.FlowHash.Default : hash;

    public static IEnumerable<string> Of(FlowHash hash) => Fields.Where(field => hash.HasFlag(field.Bit)).Select(field => field.Word);

    /// <param name="protocol">Null: any.</param>
    public static bool TryProtocol(string word, IpFamily family, out IpProtocol? protocol)
    {
        protocol = word switch
        {
            "tcp" => IpProtocol.Tcp,
            "udp" => IpProtocol.Udp,
            "sctp" => IpProtocol.Sctp,
            "icmp" => family == IpFamily.IPv6 ? IpProtocol.Icmp6 : IpProtocol.Icmp,
            _ => null,
        };
        return protocol != null || word == "any";
    }

    public static string Of(IpProtocol? protocol) => protocol switch
    {
        null => "any",
        IpProtocol.Icmp6 => "icmp",
        { } one => one.ToString().ToLowerInvariant(),
    };

    private static readonly Address Broadcast = Net.Address.FromIPv4(uint.MaxValue);

    /// <summary>Why nothing can be translated to or from the address; null: something can.</summary>
    public static string? Unfit(Address address) =>
        address.IsUnspecified ? "it stands for no address"
        : address.IsMulticast ? "the kernel sends on no multicast that is translated"
        : address == Broadcast ? "the kernel sends on no broadcast that is translated"
        : null;

    /// <summary>Why no translation can be at the place; null: one can.</summary>
    public static string? Unfit(TranslationPlace place, TranslationKind kind) => place.Address is not { } address ? null
        : Unfit(address)
            ?? (kind == TranslationKind.Vip && address.IsLoopback ? "every node has it itself, so that it is a real one" : null);

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
        return LinkNames.IsName(link) && !LooksLikeAddress(link)
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
