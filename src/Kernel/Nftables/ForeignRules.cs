using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>Whether others have a table or a chain of a name. Each is asked for by it: nothing is listed, however much there is.</summary>
public sealed class ForeignRules : IDisposable
{
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

    public void Dispose() => socket.Dispose();
}
