using System.Globalization;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <summary>A connection's first packet, as whoever asks names it.</summary>
/// <param name="Source">An address, or NAMESPACE/POD.</param>
/// <param name="Destination">The same.</param>
/// <param name="Port">The destination's; of protocols without ports there is none.</param>
/// <param name="Icmp">Type and code; null: an echo request.</param>
public sealed record PolicyQuestion(string Source, string Destination, IpProtocol Protocol, ushort? Port, (byte Type, byte Code)? Icmp)
{
    private const string Words = "tcp:PORT, udp:PORT, sctp:PORT, udplite:PORT, icmp[:TYPE/CODE], icmpv6[:TYPE/CODE] or a number";

    /// <summary>The interface that it comes in by; null: the one that leads back to its source.</summary>
    public string? FromInterface { get; init; }

    /// <summary>The protocol was said as a number, which may be meant for a port.</summary>
    public bool IsByNumber { get; init; }

    /// <summary>Null: any.</summary>
    internal ushort? SourcePort { get; init; }

    internal ConnectionStates State { get; init; } = ConnectionStates.New;

    /// <param name="protocol"><c>tcp:80</c>, <c>icmp</c>, <c>icmp:8/0</c>, <c>47</c>.</param>
    /// <returns>What is wrong with it; null: nothing.</returns>
    public static string? Read(string source, string destination, string protocol, string? from, out PolicyQuestion? question)
    {
        question = null;
        var (word, rest) = protocol.Split(':', 2) is [var first, var second] ? (first, second) : (protocol, null);
        if (ProtocolOf(word) is not { } number) return $"expected {Words}, got \"{protocol}\"";
        ushort? port = null;
        (byte, byte)? icmp = null;
        if (number is IpProtocol.Icmp or IpProtocol.Icmp6)
        {
            if (rest != null && (icmp = IcmpOf(rest)) == null) return $"expected TYPE or TYPE/CODE behind {word}:, got \"{rest}\"";
        }
        else if (rest != null)
        {
            if (!ushort.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var asked))
                return $"expected a port from 0 to 65535 behind {word}:, got \"{rest}\"";
            port = asked;
        }
        question = new(source, destination, number, port, icmp)
        {
            FromInterface = string.IsNullOrEmpty(from) ? null : from,
            IsByNumber = char.IsAsciiDigit(word[0]),
        };
        return null;
    }

    private static IpProtocol? ProtocolOf(string word) => word.ToLowerInvariant() switch
    {
        "tcp" => IpProtocol.Tcp,
        "udp" => IpProtocol.Udp,
        "sctp" => IpProtocol.Sctp,
        "udplite" => IpProtocol.UdpLite,
        "icmp" => IpProtocol.Icmp,
        "icmpv6" or "icmp6" => IpProtocol.Icmp6,
        var number => byte.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0
            ? (IpProtocol)value : null,
    };

    private static (byte, byte)? IcmpOf(string text)
    {
        var parts = text.Split('/');
        if (parts.Length > 2 || !byte.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var type)) return null;
        if (parts.Length == 1) return (type, 0);
        return byte.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? (type, code) : null;
    }
}
