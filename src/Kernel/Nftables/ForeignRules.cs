using System.Net.Sockets;
using Calico.Bgp.Kernel.Foreign;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>Whether others have a table or a chain of a name. Each is asked for by it, and nothing is listed, however much there is; but
/// iptables-legacy's table is read as a whole, as the kernel tells it in no other way.</summary>
public sealed class ForeignRules : IDisposable
{
    /// <summary>Somebody changes the table while it is read.</summary>
    private const int MostAttempts = 5;

    private readonly NetlinkSocket socket;
    private readonly NetlinkDump answers;

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no netlink socket.</exception>
    public ForeignRules()
    {
        socket = new(0, 1 << 16, NetlinkProtocol.Netfilter);
        answers = new(socket);
    }

    /// <summary>nft list table FAMILY TABLE, nft list chain FAMILY TABLE CHAIN; without what is in them.</summary>
    /// <param name="family">Null: tables of both (inet).</param>
    /// <param name="chain">Null: the table is asked for alone.</param>
    public bool Has(IpFamily? family, string table, string? chain = null) =>
        answers.Read(NftMessage.AskOther(family, table, chain), (in NetlinkHeader _, ReadOnlySpan<byte> _) => { }, out _)
            == DumpEnd.Complete;

    /// <summary>iptables-legacy -t nat -S CHAIN, ip6tables-legacy: these tables are none of nftables'.</summary>
    public static bool HasLegacy(IpFamily family, string chain)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                return LegacyTable.Read(family)?.Has(chain) == true;
            }
            catch (SocketException changing) when (changing.SocketErrorCode == SocketError.TryAgain && attempt < MostAttempts) { }
            catch (SocketException)
            {
                return false; // Whoever may not read it cannot know.
            }
    }

    public void Dispose() => socket.Dispose();
}
