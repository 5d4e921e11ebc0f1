using System.Globalization;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>What stands in lines of cnat for many things: addresses, interfaces, ports, numbers.</summary>
internal static class CnatTerms
{
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
        return Whole(place)!.Place!.Interface != null && line.Is("v6") ? $"{place} v6" : Whole(place)!.ToString();
    }

    /// <summary>One of these and perhaps a port, which may also be glued to it; null: there is none.</summary>
    public static string? End(CnatLine line)
    {
        if (line.Text(PlaceWords, text => Whole(text) == null ? null : text) is not { } text) return null;
        var end = Whole(text)!;
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
