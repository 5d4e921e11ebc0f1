using System.Globalization;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>IPVS's services and who is behind each, as /proc/net/ip_vs lists them (net/netfilter/ipvs/ip_vs_ctl.c).</summary>
internal sealed class IpvsServices
{
    private readonly Dictionary<(IpProtocol, Address, ushort), List<PacketRedirect>> services = [];

    private IpvsServices() { }

    /// <summary>Null: this kernel has no IPVS, or does not tell.</summary>
    public static IpvsServices? Read()
    {
        try
        {
            return Read(File.ReadLines("/proc/thread-self/net/ip_vs"));
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// <code>
    /// TCP  0A600001:0050 rr
    ///   -&gt; C0A80105:1F90      Masq    1      0          0
    /// </code>
    /// Numbers in hexadecimal, an address of IPv6 in brackets as text. By firewall marks (FWM) kube-proxy has none.
    /// </summary>
    public static IpvsServices Read(IEnumerable<string> lines)
    {
        var (read, behind) = (new IpvsServices(), (List<PacketRedirect>?)null);
        foreach (var words in lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (words is ["->", var end, _, var weight, ..])
            {
                // Of weight 0 it gets no connections that begin.
                if (behind != null && weight != "0" && Socket(end) is var (address, port)) behind.Add(new(address, port));
                continue;
            }
            behind = null;
            if (words.Length < 2 || ProtocolOf(words[0]) is not { } protocol || Socket(words[1]) is not var (called, calledPort)) continue;
            read.services[(protocol, called, calledPort)] = behind = [];
        }
        return read;
    }

    private static IpProtocol? ProtocolOf(string word) => word switch
    {
        "TCP" => IpProtocol.Tcp,
        "UDP" => IpProtocol.Udp,
        "SCTP" => IpProtocol.Sctp,
        _ => null,
    };

    private static (Address, ushort)? Socket(string text)
    {
        var (colon, invariant) = (text.LastIndexOf(':'), CultureInfo.InvariantCulture);
        if (colon < 0 || !ushort.TryParse(text[(colon + 1)..], NumberStyles.HexNumber, invariant, out var port)) return null;
        var address = text[..colon];
        if (address.StartsWith('['))
            return Address.TryParse(address.Trim('[', ']'), out var six) ? (six, port) : null;
        return uint.TryParse(address, NumberStyles.HexNumber, invariant, out var four)
            ? (Address.FromIPv4(four), port) : null;
    }

    /// <summary>Who gets it; none: nobody is there, and it goes nowhere. Null: it is of no service.</summary>
    public IReadOnlyList<PacketRedirect>? Of(Packet packet) =>
        packet is { Protocol: { } protocol, DestinationPort: { } port }
            ? services.GetValueOrDefault((protocol, packet.Destination, port)) : null;
}
