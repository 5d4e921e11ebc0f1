using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>Protocols and ports as rules and endpoints spell them (Calico's numorstring).</summary>
internal static partial class Protocols
{
    public const byte Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58, Sctp = 132, UdpLite = 136;

    private static readonly FrozenDictionary<string, byte> Numbers = new Dictionary<string, byte>(StringComparer.Ordinal)
    {
        ["TCP"] = Tcp,
        ["UDP"] = Udp,
        ["ICMP"] = Icmp,
        ["ICMPv6"] = IcmpV6,
        ["SCTP"] = Sctp,
        ["UDPLite"] = UdpLite,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private const string Expected = "TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 to 255";

    /// <summary>IANA's names of services, as Kubernetes' names of ports are (RFC 6335 section 5.1).</summary>
    [GeneratedRegex(@"\A(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?\z")]
    private static partial Regex PortName();

    public static bool HasPorts(byte protocol) => protocol is Tcp or Udp or Sctp;

    public static byte? Read(Field field)
    {
        if (field.Word() is not { } word) return null;
        if (Numbers.TryGetValue(word, out var known)) return known;
        if (PlainNumber.Integer(word) is >= 1 and <= 255 and var number) return (byte)number;
        field.Error($"expected {Expected}, got \"{word}\"");
        return null;
    }

    /// <summary>One whose packets have ports.</summary>
    public static byte? ReadWithPorts(Field field)
    {
        if (Read(field) is not { } protocol) return null;
        if (HasPorts(protocol)) return protocol;
        field.Error($"expected TCP, UDP or SCTP, which have ports, got \"{field.Word()}\"");
        return null;
    }

    /// <summary>
    /// Of a failsafe port. Felix's documents have these in small letters and libcalico-go checks for great ones; an API server that knows
    /// Calico's CRDs alone takes both, and so does Felix.
    /// </summary>
    public static byte? ReadFailsafe(Field field)
    {
        if (field.Word() is not { } word) return null;
        if (Numbers.TryGetValue(word.ToUpperInvariant(), out var protocol) && HasPorts(protocol)) return protocol;
        field.Error($"expected TCP, UDP or SCTP, got \"{word}\"");
        return null;
    }

    /// <summary>A number, <c>first:last</c>, or a name.</summary>
    public static PortMatch? ReadPort(Field field)
    {
        field.Require("a port");
        if (field.Word() is not { } word) return null;
        if (Range(word) is { } range) return range;
        if (IsPortName(word)) return new(0, 0, Repeats.Of(word));
        field.Error($"expected a port from 1 to 65535, a range first:last, or a port's name, got \"{word}\"");
        return null;
    }

    public static bool IsPortName(string word) => PortName().IsMatch(word);

    private static PortMatch? Range(string word)
    {
        var colon = word.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return Number(word) is { } only ? new(only, only) : null;
        return Number(word[..colon]) is { } first && Number(word[(colon + 1)..]) is { } last && first <= last ? new(first, last) : null;
    }

    private static ushort? Number(string digits) =>
        ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 ? port : null;
}
