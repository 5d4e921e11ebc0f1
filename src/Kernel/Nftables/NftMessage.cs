using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>struct nfgenmsg: follows netlink's header in each message of NETLINK_NETFILTER.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct NetfilterHeader(byte Family, byte Version, ushort Resource)
{
    public const int Octets = 4;
}

/// <summary>
/// The messages of nf_tables for a table of family inet (linux/netfilter/nf_tables.h). Above each the nft command that says the same;
/// the numbers' names stand behind them. User data is what nft itself keeps there, or it would list our sets turned round.
/// </summary>
internal static class NftMessage
{
    private const ushort Subsystem = 10 << 8, BatchBegin = 0x10, BatchEnd = 0x11;
    public const ushort NewTable = Subsystem, GetTable = Subsystem | 1, DelTable = Subsystem | 2;
    public const ushort NewChain = Subsystem | 3, GetChain = Subsystem | 4, DelChain = Subsystem | 5;
    public const ushort NewRule = Subsystem | 6, GetRule = Subsystem | 7, DelRule = Subsystem | 8;
    public const ushort NewSet = Subsystem | 9, GetSet = Subsystem | 10, DelSet = Subsystem | 11;
    public const ushort NewElement = Subsystem | 12, GetElement = Subsystem | 13, DelElement = Subsystem | 14;
    public const ushort NewGeneration = Subsystem | 15, GetGeneration = Subsystem | 16;
    public const ushort NewObject = Subsystem | 18, GetObject = Subsystem | 19, DelObject = Subsystem | 20;
    public const uint CounterObject = 1, TimeoutObject = 7;
    private const ushort DestroyElement = Subsystem | 30;
    public const byte Inet = 1;

    /// <summary>The first attribute of every object: its table.</summary>
    public const ushort Table = 1;

    /// <summary>Elements' octets in one message: they share one attribute, whose length has 16 bits; one more element must fit.</summary>
    public const int MostOctets = 60_000;

    private static NetlinkMessage Message(ushort type, NetlinkFlags flags) =>
        new NetlinkMessage(type, flags | NetlinkFlags.Request).Header(new NetfilterHeader(Inet, 0, 0));

    private static NetlinkMessage Write(ushort type, string table, bool create = false) =>
        Message(type, create ? NetlinkFlags.Create : NetlinkFlags.None).Text(Table, table);

    public static NetlinkMessage Begin() => Batch(BatchBegin, NetlinkFlags.Request);

    /// <summary>Acknowledged (from Linux 6.10 on) if and only if the whole batch is in force.</summary>
    public static NetlinkMessage End() => Batch(BatchEnd, NetlinkFlags.Request | NetlinkFlags.Ack);

    private static NetlinkMessage Batch(ushort type, NetlinkFlags flags) => new NetlinkMessage(type, flags)
        .Header(new NetfilterHeader(0, 0, BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((ushort)10) : (ushort)10));

    /// <summary>Answered after all that was sent before it, whatever became of that.</summary>
    public static NetlinkMessage Barrier() => Message(GetGeneration, NetlinkFlags.None);

    /// <summary>How often nf_tables has been changed, by whomever: the answer's body has the number (NFTA_GEN_ID).</summary>
    public static NetlinkMessage AskGeneration() => Message(GetGeneration, NetlinkFlags.Ack);

    public static uint ReadGeneration(ReadOnlySpan<byte> body) =>
        body.Length < NetfilterHeader.Octets ? 0 : AttributeReader.BigEndian(AttributeReader.Find(body[NetfilterHeader.Octets..], 1)); // ID

    // nft add table inet NAME { comment "…"; }
    public static NetlinkMessage AddTable(string table, string? comment) =>
        Comment(Write(NewTable, table, create: true).BigEndian(2, 0), 6, 0, comment); // FLAGS, USERDATA

    // nft delete table inet NAME
    public static NetlinkMessage DeleteTable(string table) => Write(DelTable, table);

    // nft add chain inet TABLE NAME { type nat hook postrouting priority 110; }
    public static NetlinkMessage AddChain(string table, NftChain chain)
    {
        var message = Write(NewChain, table, create: true).Text(3, chain.Name); // NAME
        if (chain.Hook is { } hook)
        {
            using (message.OpenNested(4))                                                             // HOOK
                message.BigEndian(1, (uint)hook.Point).BigEndian(2, (uint)hook.Priority);             // HOOKNUM, PRIORITY
            message.BigEndian(5, (uint)NftVerdictCode.Accept).Text(7, hook.Type);                     // POLICY, TYPE
        }
        return Comment(message, 12, 0, chain.Comment);                                                // USERDATA
    }

    public static NetlinkMessage DeleteChain(string table, string chain) => Write(DelChain, table).Text(3, chain);

    // nft add rule inet TABLE CHAIN …
    /// <summary>The rule, and before it the sets that stand in it.</summary>
    /// <param name="nextId">A number for each, which no other set of the transaction has.</param>
    /// <param name="stoodInFor">As <see cref="Expressions.StoodInFor"/>.</param>
    public static IEnumerable<NetlinkMessage> AddRule(
        string table, string chain, NftRule rule, Func<uint> nextId, IReadOnlySet<string>? stoodInFor = null)
    {
        var message = Message(NewRule, NetlinkFlags.Create | NetlinkFlags.Append).Text(Table, table).Text(2, chain); // CHAIN
        var expressions = new Expressions(message, nextId) { StoodInFor = stoodInFor };
        WriteRule(message, rule, expressions);
        foreach (var (set, id) in expressions.Anonymous)
        {
            yield return AddSet(table, set with { Size = (uint)set.Elements.Length }, id);
            foreach (var elements in Elements(table, set, id)) yield return elements;
        }
        yield return message;
    }

    /// <summary>An anonymous set's: found by its id alone, because the kernel would look for its name among all sets.</summary>
    private static IEnumerable<NetlinkMessage> Elements(string table, NftSet set, uint id)
    {
        for (var next = 0; next < set.Elements.Length;)
        {
            var message = Write(NewElement, table, create: true).BigEndian(4, id); // SET_ID
            using (message.OpenNested(3))                                          // ELEMENTS
                for (; next < set.Elements.Length && message.Length < MostOctets; next++)
                    NftElements.Write(message, set, set.Elements[next], add: true);
            yield return message;
        }
    }

    /// <summary>What the kernel would tell of the rule, and the sets that would stand in it.</summary>
    /// <param name="told">The names that the kernel has given to these.</param>
    public static List<(NftSet Set, uint Id)> WriteRule(NetlinkMessage into, NftRule rule, IReadOnlyList<string> told)
    {
        var expressions = new Expressions(into, static () => 0, told);
        WriteRule(into, rule, expressions);
        return expressions.Anonymous;
    }

    private static void WriteRule(NetlinkMessage into, NftRule rule, Expressions expressions)
    {
        using (into.OpenNested(4)) // EXPRESSIONS
            foreach (var statement in rule.Statements) statement.Encode(expressions);
        Comment(into, 7, 0, rule.Comment); // USERDATA
    }

    // nft add counter inet TABLE NAME
    public static NetlinkMessage AddCounter(string table, string counter)
    {
        var message = Object(NewObject, table, counter, create: true);
        using (message.OpenNested(4))                          // DATA
            message.BigEndian(1, 0UL).BigEndian(2, 0UL);       // BYTES, PACKETS
        return message;
    }

    // nft delete counter inet TABLE NAME
    public static NetlinkMessage DeleteCounter(string table, string counter) => Object(DelObject, table, counter, create: false);

    private static NetlinkMessage Object(ushort type, string table, string name, bool create, uint kind = CounterObject) =>
        Write(type, table, create).Text(2, name).BigEndian(3, kind); // NAME, TYPE

    // nft add ct timeout inet TABLE NAME { protocol P; policy = { … }; }
    public static NetlinkMessage AddTimeout(string table, NftTimeout timeout)
    {
        var message = Object(NewObject, table, timeout.Name, create: true, TimeoutObject);
        using (message.OpenNested(4))                                        // DATA
        {
            message.Attribute(2, [(byte)timeout.Protocol]);                  // L4PROTO
            using (message.OpenNested(3))                                    // DATA
                foreach (var (state, seconds) in timeout.Times) message.BigEndian(state, seconds);
        }
        return message;
    }

    // nft delete ct timeout inet TABLE NAME
    public static NetlinkMessage DeleteTimeout(string table, string timeout) =>
        Object(DelObject, table, timeout, create: false, TimeoutObject);

    // nft list ct timeouts table inet TABLE
    public static NetlinkMessage AskTimeouts(string table) =>
        Message(GetObject, NetlinkFlags.Dump).Text(Table, table).BigEndian(3, TimeoutObject); // TYPE

    /// <summary>Its name.</summary>
    public static string ReadTimeout(ReadOnlySpan<byte> attributes) => AttributeReader.Text(AttributeReader.Find(attributes, 2)); // NAME

    // nft list counters table inet TABLE
    public static NetlinkMessage AskCounters(string table) =>
        Message(GetObject, NetlinkFlags.Dump).Text(Table, table).BigEndian(3, CounterObject); // TYPE

    public static NftCount ReadCounter(ReadOnlySpan<byte> attributes)
    {
        var figures = AttributeReader.Find(attributes, 4); // DATA
        // NAME; PACKETS, BYTES
        return new(AttributeReader.Text(AttributeReader.Find(attributes, 2)), Figure(figures, 2), Figure(figures, 1));
    }

    private static ulong Figure(ReadOnlySpan<byte> figures, ushort type) =>
        BinaryPrimitives.TryReadUInt64BigEndian(AttributeReader.Find(figures, type), out var number) ? number : 0;

    // nft flush chain inet TABLE CHAIN
    public static NetlinkMessage FlushChain(string table, string chain) => Write(DelRule, table).Text(2, chain);

    // nft add set inet TABLE NAME { type ipv4_addr; flags interval; }; nft add set … { flags dynamic,timeout; timeout 1m; size 1000; }
    public static NetlinkMessage AddSet(string table, NftSet set, uint id)
    {
        var message = Write(NewSet, table, create: true).Text(2, set.Name).BigEndian(3, Flags(set))     // NAME, FLAGS
            .BigEndian(4, NftTypes.Number(set.Key)).BigEndian(5, (uint)NftTypes.Length(set.Key));       // KEY_TYPE, KEY_LEN
        // DATA_TYPE, DATA_LEN
        if (set.IsMap) message.BigEndian(6, NftTypes.Number(set.Value)).BigEndian(7, (uint)NftTypes.Length(set.Value));
        message.BigEndian(10, id);                                                                      // ID
        if (IsRanges(set) || set.Size > 0) Describe(message, set);
        if (set.Timeout is { } timeout) message.BigEndian(11, Milliseconds(timeout));                   // TIMEOUT
        return message.Attribute(13, SetUserData(set));                                                 // USERDATA
    }

    public static ulong Milliseconds(TimeSpan time) => checked((ulong)time.TotalMilliseconds);

    private static bool IsRanges(NftSet set) => set.Intervals && set.Key.Length > 1;

    /// <summary>What packets shall put into a set (dynamic) and what the clock takes out of it (timeout) go together here.</summary>
    public static uint Flags(NftSet set)
    {
        const uint anonymous = 1, constant = 2, interval = 4, map = 8, timeout = 16, dynamic = 32, concatenation = 128;
        return (set.Anonymous ? anonymous | constant : 0) | (set.Intervals ? interval : 0) | (set.IsMap ? map : 0)
            | (set.Dynamic ? timeout | dynamic : 0) | (IsRanges(set) ? concatenation : 0);
    }

    private static void Describe(NetlinkMessage message, NftSet set)
    {
        using var description = message.OpenNested(9);       // DESC
        if (set.Size > 0) message.BigEndian(1, set.Size);    // SIZE
        if (IsRanges(set)) Parts(message, set);
    }

    private static void Parts(NetlinkMessage message, NftSet set)
    {
        using var concatenation = message.OpenNested(2);  // CONCAT
        foreach (var part in set.Key)
            using (message.OpenNested(1))                 // LIST_ELEM
                message.BigEndian(1, (uint)part.Octets()); // FIELD_LEN
    }

    /// <summary>NFTNL_UDATA_SET_…: type, length, value; numbers in the machine's order.</summary>
    private static byte[] SetUserData(NftSet set)
    {
        const byte keyOrder = 0, valueOrder = 1, comment = 7;
        var data = new List<byte>();
        Number(keyOrder, set.Key.Length > 1 ? 0u : Order(set.Key[0]));
        if (set.IsMap) Number(valueOrder, set.Value.Length > 1 ? 0u : Order(set.Value[0]));
        if (set.Comment is { } words) data.AddRange(CommentData(comment, words));
        return [.. data];

        void Number(byte type, uint number) => data.AddRange([type, sizeof(uint), .. BitConverter.GetBytes(number)]);
        static uint Order(NftType type) => type == NftType.Verdict ? 0u : type.IsBigEndian() ? 2u : 1u;
    }

    private static NetlinkMessage Comment(NetlinkMessage message, ushort attribute, byte type, string? words) =>
        words == null ? message : message.Attribute(attribute, CommentData(type, words));

    private static byte[] CommentData(byte type, string words)
    {
        var text = Encoding.UTF8.GetBytes(words + '\0');
        return [type, checked((byte)text.Length), .. text];
    }

    public static string? ReadComment(ReadOnlySpan<byte> userData, byte type)
    {
        while (userData.Length >= 2 && userData.Length >= 2 + userData[1])
        {
            if (userData[0] == type) return AttributeReader.Text(userData.Slice(2, userData[1]));
            userData = userData[(2 + userData[1])..];
        }
        return null;
    }

    public static NetlinkMessage DeleteSet(string table, string set) => Write(DelSet, table).Text(2, set);

    // nft get table; nft list …: of what belongs to others nothing is asked where that can be said
    public static NetlinkMessage AskTable(string table) => Message(GetTable, NetlinkFlags.Ack).Text(Table, table);

    // nft list table ip TABLE, nft list chain ip TABLE CHAIN: of others', and of what they are called alone
    public static NetlinkMessage AskOther(Net.IpFamily? family, string table, string? chain)
    {
        var message = new NetlinkMessage(chain == null ? GetTable : GetChain, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NetfilterHeader(family?.Number() ?? Inet, 0, 0)).Text(Table, table);
        return chain == null ? message : message.Text(3, chain); // NAME
    }

    private static NetlinkMessage OfOthers(ushort type, byte family, NetlinkFlags flags) =>
        new NetlinkMessage(type, flags | NetlinkFlags.Request).Header(new NetfilterHeader(family, 0, 0));

    // nft list chains ip; nft list chain ip TABLE CHAIN; nft list set ip TABLE SET: of others', one at a time
    public static NetlinkMessage AskOtherChains(byte family) => OfOthers(GetChain, family, NetlinkFlags.Dump);

    public static NetlinkMessage AskOtherRules(byte family, string table, string chain) =>
        OfOthers(GetRule, family, NetlinkFlags.Dump).Text(Table, table).Text(2, chain); // CHAIN

    public static NetlinkMessage AskOtherSet(byte family, string table, string set) =>
        OfOthers(GetSet, family, NetlinkFlags.Ack).Text(Table, table).Text(2, set); // NAME

    public static NetlinkMessage AskOtherElements(byte family, string table, string set) =>
        OfOthers(GetElement, family, NetlinkFlags.Dump).Text(Table, table).Text(2, set); // SET

    public static NetlinkMessage AskRules(string table) => Message(GetRule, NetlinkFlags.Dump).Text(Table, table);

    /// <summary>All tables of the family: there is no question for one's own chains alone.</summary>
    public static NetlinkMessage AskChains() => Message(GetChain, NetlinkFlags.Dump);

    public static NetlinkMessage AskSets(string table) => Message(GetSet, NetlinkFlags.Dump).Text(Table, table);

    public static NetlinkMessage AskElements(string table, string set) =>
        Message(GetElement, NetlinkFlags.Dump).Text(Table, table).Text(2, set);

    // nft get element inet TABLE SET { KEY }
    public static NetlinkMessage AskElement(string table, string set, NftOctets key)
    {
        var message = Message(GetElement, NetlinkFlags.Ack).Text(Table, table).Text(2, set); // SET
        using (message.OpenNested(3))                                                         // ELEMENTS
            NftElements.WriteKey(message, key);
        return message;
    }

    // nft add element inet TABLE SET { … }; nft delete element …; nft destroy element …, which minds no element that has gone by itself
    public static NetlinkMessage Elements(string table, string set, bool add, bool perhaps) =>
        Write(add ? NewElement : perhaps ? DestroyElement : DelElement, table, create: add).Text(2, set); // SET
}
