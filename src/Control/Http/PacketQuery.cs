// What a query says of a packet: src and dst, and as much more as whoever asks knows.

using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class PacketQuery
{
    /// <param name="kernel">Whose interfaces it may name.</param>
    /// <returns>What is wrong with it; null: nothing.</returns>
    public static ErrorAnswer? Of(HttpContext http, KernelSnapshot kernel, out Packet? packet) =>
        Read(http.Request.Query, out packet) ?? Elsewhere(packet!, kernel);

    private static ErrorAnswer? Read(IQueryCollection query, out Packet? packet)
    {
        packet = null;
        string Text(string key) => query[key].ToString();
        var (source, destination) = (Text("src"), Text("dst"));
        if (!Address.TryParse(source, out var from) || !Address.TryParse(destination, out var to) || from.Family != to.Family)
            return Wrong("two addresses of one family as src and dst", $"\"{source}\" and \"{destination}\"", "src, dst");
        if (!TryProtocol(Text("protocol"), out var protocol))
            return Wrong("tcp, udp, icmp, icmp6, sctp or a number", Text("protocol"), "protocol");
        if (!TryPort(Text("sport"), out var sourcePort)) return Wrong("a port", Text("sport"), "sport");
        if (!TryPort(Text("dport"), out var destinationPort)) return Wrong("a port", Text("dport"), "dport");
        if (!TryMark(Text("mark"), out var mark)) return Wrong("a mark (1, 0x1)", Text("mark"), "mark");
        packet = new(from, to)
        {
            Protocol = protocol,
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
            Mark = mark,
            In = Text("in") is { Length: > 0 } cameIn ? cameIn : null,
            Out = Text("out") is { Length: > 0 } leaves ? leaves : null,
        };
        return null;
    }

    /// <summary>An interface is named that this host does not have; null: none is.</summary>
    private static ErrorAnswer? Elsewhere(Packet packet, KernelSnapshot kernel)
    {
        bool IsMissing(string? link) => link != null && kernel.Links.Values.All(one => one.Name != link);
        return IsMissing(packet.In) ? Wrong("an interface of this host", packet.In!, "in")
            : IsMissing(packet.Out) ? Wrong("an interface of this host", packet.Out!, "out") : null;
    }

    private static ErrorAnswer Wrong(string expected, string got, string where) =>
        new(AnswerCode.BadQuery, $"expected {expected}, got {got}", where);

    public static bool TryProtocol(string text, out IpProtocol? protocol)
    {
        protocol = null;
        if (text.Length == 0) return true;
        if (!byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && Enum.TryParse<IpProtocol>(text, ignoreCase: true, out var named)) number = (byte)named;
        protocol = (IpProtocol)number;
        return number != 0;
    }

    private static bool TryPort(string text, out ushort? port)
    {
        var isPort = ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        port = isPort ? number : null;
        return isPort || text.Length == 0;
    }

    private static bool TryMark(string text, out uint? mark)
    {
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var isMark = uint.TryParse(isHex ? text[2..] : text, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
            CultureInfo.InvariantCulture, out var number);
        mark = isMark ? number : null;
        return isMark || text.Length == 0;
    }
}
