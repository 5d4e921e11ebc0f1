using System.Globalization;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>What stands in lines of cnat for many things: addresses, interfaces, ports, numbers.</summary>
internal static class CnatTerms
{
    /// <summary>What a macro has left in lines that cnat's documentation prints: no word of cnat's.</summary>
    public const string Relic = "ex_ctl", OfRelic = "ex_ctl is a word of the tool that made cnat's documentation";

    private const string PlaceWords = "ADDRESS or INTERFACE [v6]";

    public static long? Long(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static int? Int(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static ushort? Port(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    public static string? Address(string text) => Net.Address.TryParse(text, out var address) ? address.ToString() : null;

    public static string? Network(string text) => Prefix.TryParse(text, out var prefix) ? prefix.ToString() : null;

    /// <exception cref="CnatMistake">There is none.</exception>
    public static string Interface(CnatLine line) =>
        line.Text("INTERFACE", text => LinkNames.IsName(text) ? text : null) ?? throw line.Mistake();

    /// <summary><c>10.0.0.9</c>, <c>10.0.0.9:40000</c>, <c>[2001:db8::9]:40000</c>.</summary>
    /// <exception cref="CnatMistake">There is none.</exception>
    public static (string Address, ushort? Port) AddressAndPort(CnatLine line, string what)
    {
        static BackendEnd? Read(string text) => TranslationWords.End(text) is { Place.Address: not null } end ? end : null;
        var text = line.Text(what, text => Read(text) == null ? null : text) ?? throw line.Mistake();
        var end = Read(text)!.Value;
        return (end.Place.ToString()!, end.Port);
    }

    /// <summary><c>tcp:80</c>, <c>icmp</c>, <c>47</c>.</summary>
    public static (string Protocol, ushort? Port)? ProtocolAndPort(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (protocol, port) = colon < 0 ? (text, null) : (text[..colon], Port(text[(colon + 1)..]));
        if (colon >= 0 && port == null) return null;
        var isKnown = protocol.ToLowerInvariant() is "tcp" or "udp" or "sctp" or "udplite"
            || (port == null && (protocol.ToLowerInvariant() is "icmp" or "icmp6" || byte.TryParse(protocol, out _)));
        return isKnown ? (protocol.ToLowerInvariant(), port) : null;
    }

    /// <summary>Whether the word comes, and 0 behind it: there is one table of routes here.</summary>
    /// <exception cref="CnatMistake">Another table is meant.</exception>
    public static bool Table(CnatLine line, string word)
    {
        if (!line.Is(word)) return false;
        if (!line.Is("0")) throw line.Mistake("0 (packets of other tables are not told apart here)");
        return true;
    }

    /// <exception cref="CnatMistake">There is none.</exception>
    public static int Number(CnatLine line, string what) => line.Reads(what, Int, out var number) ? number : throw line.Mistake();

    /// <summary>cnat's commands take any; sessions have these alone, there as here.</summary>
    /// <exception cref="CnatMistake">There is none.</exception>
    public static string Protocol(CnatLine line)
    {
        foreach (var word in (string[])["tcp", "udp", "sctp", "icmp", "any"])
            if (line.Is(word)) return word;
        return line.Is("icmp6") ? "icmp" : throw line.Mistake();
    }

    /// <summary>An address, or an interface and perhaps <c>v6</c>, as bgpd.yaml has them; null: there is none.</summary>
    public static string? Place(CnatLine line)
    {
        if (line.Text(PlaceWords, text => Whole(text) is { Port: null } ? text : null) is not { } place) return null;
        return Whole(place)?.Place?.Interface != null && line.Is("v6") ? $"{place} v6" : Whole(place).ToString();
    }

    /// <summary>One of these and perhaps a port, which may also be glued to it; null: there is none.</summary>
    public static string? End(CnatLine line)
    {
        if (line.Text(PlaceWords, text => Whole(text) == null ? null : text) is not { } text) return null;
        var end = Whole(text)!.Value;
        if (end is { Place.Interface: { } name, Port: null } && line.Is("v6"))
            end = end with { Place = TranslationPlace.OfInterface(name, IpFamily.IPv6) };
        // Port 0 of a backend is the packet's own.
        if (end.Port == null && line.Reads("PORT", Port, out var port) && port != 0) end = end with { Port = port };
        return end.ToString();
    }

    /// <summary>What is only a number is a port.</summary>
    private static BackendEnd? Whole(string text) =>
        Port(text) == null && TranslationWords.End(text) is { Place: not null } end ? end : null;
}
