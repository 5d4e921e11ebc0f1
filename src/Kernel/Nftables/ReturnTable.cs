using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// The way back over an overlay, without anybody who knows it: a table of family netdev on the overlay's link, which remembers by which
/// link-layer address packets of a source have come, and has what goes to that source go there. The link itself has learnt behind which
/// address of a node that is. So no list of pods is needed, and no program while packets pass.
/// </summary>
public static class ReturnTable
{
    private const byte Netdev = 5;                     // NFPROTO_NETDEV
    private const uint Ingress = 0, Egress = 1;        // NF_NETDEV_…
    private const uint LinkHeader = 0, NetworkHeader = 1, Destination = 0, Source = 6;
    private const uint MacOctets = 6, Most = 262_144, EtherAddress = 9; // nft's own number of that type
    private const uint IsMap = 8, Times = 16, ByPackets = 32;           // NFT_SET_MAP, _TIMEOUT, _EVAL
    private const uint ProtocolKey = 1;                                 // NFT_META_PROTOCOL

    /// <summary>A client that has sent nothing for so long is forgotten.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <param name="KeyType">nft's own number of the type.</param>
    private readonly record struct Kind(string Map, uint KeyType, uint Octets, byte[] Protocol, uint SourceAt, uint DestinationAt);

    private static readonly Kind[] Kinds =
    [
        new("from4", 7, 4, [0x08, 0x00], 12, 16), new("from6", 8, 16, [0x86, 0xdd], 8, 24),
    ];

    /// <summary>As it is where it stands already: what it has remembered goes on.</summary>
    /// <returns>Null, or why the kernel does not take it.</returns>
    public static string? Put(string table, string link)
    {
        using var socket = new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter);
        if (IsThere(socket, NftMessage.GetChain, table, "out")) return null;
        var transaction = new NftTransaction(socket);
        transaction.Begin();
        var part = new NftPart.Table(table);
        transaction.Add(part, Write(NftMessage.NewTable, table).BigEndian(2, 0)); // FLAGS
        transaction.Add(part, Write(NftMessage.DelTable, table, create: false));  // what is left of one that lost its link
        transaction.Add(part, Write(NftMessage.NewTable, table).BigEndian(2, 0));
        for (var i = 0; i < Kinds.Length; i++) transaction.Add(part, Map(table, Kinds[i], (uint)i + 1));
        transaction.Add(part, Chain(table, "in", Ingress, link));
        transaction.Add(part, Chain(table, "out", Egress, link));
        foreach (var kind in Kinds) transaction.Add(part, Remembering(table, kind));
        foreach (var kind in Kinds) transaction.Add(part, Returning(table, kind));
        return Exchange(transaction, table, " (the kernel needs CONFIG_NF_TABLES_NETDEV and CONFIG_NETFILTER_EGRESS: Linux 5.16)");
    }

    /// <summary>With its link, or without.</summary>
    public static bool IsThere(string table)
    {
        using var socket = new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter);
        return IsThere(socket, NftMessage.GetTable, table, null);
    }

    /// <returns>Null, or why it is still there.</returns>
    public static string? Remove(string table)
    {
        using var socket = new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter);
        var transaction = new NftTransaction(socket);
        transaction.Begin();
        transaction.Add(new NftPart.Table(table), Write(NftMessage.DelTable, table, create: false));
        return Exchange(transaction, table, "");
    }

    private static string? Exchange(NftTransaction transaction, string table, string advice) => transaction.Exchange() switch
    {
        NftOutcome.Committed => null,
        NftOutcome.Refused => $"table netdev {table}: {transaction.Refusals[0].Words}{advice}",
        _ => $"table netdev {table}: the kernel's answers are lost",
    };

    /// <param name="chain">Null: the table itself is asked for.</param>
    private static bool IsThere(NetlinkSocket socket, ushort type, string table, string? chain)
    {
        var (found, buffer) = (false, new byte[1 << 14]);
        var request = new NetlinkMessage(type, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NetfilterHeader(Netdev, 0, 0)).Text(NftMessage.Table, table);
        if (chain != null) request.Text(3, chain); // NAME
        var sequence = socket.Sequences(1);
        if (socket.Send(request.Numbered(sequence).Span) != System.Net.Sockets.SocketError.Success) return false;
        while (true)
        {
            var count = socket.Receive(buffer, out var error);
            if (error != System.Net.Sockets.SocketError.Success) return false;
            var messages = new NetlinkReader(buffer.AsSpan(0, count));
            while (messages.Next(out var header, out _))
            {
                if (header.Sequence != sequence) continue;
                if (header.Type == MessageType.Error) return found;
                found = true;
            }
        }
    }

    private static NetlinkMessage Write(ushort type, string table, bool create = true) =>
        new NetlinkMessage(type, NetlinkFlags.Request | (create ? NetlinkFlags.Create : NetlinkFlags.None))
            .Header(new NetfilterHeader(Netdev, 0, 0)).Text(NftMessage.Table, table);

    // nft add map netdev TABLE from4 { type ipv4_addr : ether_addr; flags dynamic,timeout; timeout 1d; size 262144; }
    private static NetlinkMessage Map(string table, Kind kind, uint id)
    {
        var message = Write(NftMessage.NewSet, table).Text(2, kind.Map).BigEndian(3, IsMap | Times | ByPackets) // NAME, FLAGS
            .BigEndian(4, kind.KeyType).BigEndian(5, kind.Octets)                                               // KEY_TYPE, KEY_LEN
            .BigEndian(6, EtherAddress).BigEndian(7, MacOctets).BigEndian(10, id);                              // DATA_TYPE, DATA_LEN, ID
        using (message.OpenNested(9)) message.BigEndian(1, Most);                                               // DESC: SIZE
        return message.BigEndian(11, NftMessage.Milliseconds(Kept));                                            // TIMEOUT
    }

    // nft add chain netdev TABLE NAME { type filter hook HOOK device LINK priority 0; }
    private static NetlinkMessage Chain(string table, string name, uint hook, string link)
    {
        var message = Write(NftMessage.NewChain, table).Text(3, name);              // NAME
        using (message.OpenNested(4))                                               // HOOK
            message.BigEndian(1, hook).BigEndian(2, 0u).Text(3, link);              // HOOKNUM, PRIORITY, DEV
        return message.BigEndian(5, (uint)NftVerdictCode.Accept).Text(7, "filter"); // POLICY, TYPE
    }

    // nft add rule netdev TABLE in meta protocol ip update @from4 { ip saddr : ether saddr }
    private static NetlinkMessage Remembering(string table, Kind kind) => Rule(table, "in", kind, into =>
    {
        into.Payload(NetworkHeader, kind.SourceAt, kind.Octets);
        into.Payload(LinkHeader, Source, MacOctets, slot: Expressions.SlotsOfAddress);
        into.Remember(kind.Map, key: 0, value: Expressions.SlotsOfAddress);
    });

    // nft add rule netdev TABLE out meta protocol ip ether daddr set ip daddr map @from4
    private static NetlinkMessage Returning(string table, Kind kind) => Rule(table, "out", kind, into =>
    {
        into.Payload(NetworkHeader, kind.DestinationAt, kind.Octets);
        into.Lookup(kind.Map, into: Expressions.SlotsOfAddress);
        into.SetPayload(LinkHeader, Destination, MacOctets, Expressions.SlotsOfAddress);
    });

    private static NetlinkMessage Rule(string table, string chain, Kind kind, Action<Expressions> write)
    {
        var message = new NetlinkMessage(NftMessage.NewRule, NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Append)
            .Header(new NetfilterHeader(Netdev, 0, 0)).Text(NftMessage.Table, table).Text(2, chain); // CHAIN
        using (message.OpenNested(4))                                                                 // EXPRESSIONS
        {
            var into = new Expressions(message, static () => 0);
            into.Meta(ProtocolKey);
            into.Compare(Expressions.Operator.Equal, kind.Protocol);
            write(into);
        }
        return message;
    }
}
