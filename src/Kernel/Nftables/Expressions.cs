using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A rule's bytecode: a list of expressions, each a name and its attributes (linux/netfilter/nf_tables.h; the attributes' names stand in
/// the comments). Every attribute that the kernel has a default for is written out, so that what it tells back can be compared.
/// Registers are counted in slots of 32 bits, 16 of them; a value of 16 octets wants a slot divisible by four.
/// </summary>
/// <param name="told">
/// The names that the kernel has given to the rule's anonymous sets, in their order; null: they are made with the rule, and named by ids.
/// </param>
internal sealed class Expressions(NetlinkMessage message, Func<uint> nextId, IReadOnlyList<string>? told = null)
{
    private const ushort ListElement = 1, Name = 1, Data = 2, Value = 1, Verdict = 2;
    private const uint FirstWideRegister = 1, FirstRegister = 8;
    public const int SlotsOfAddress = 4;

    public enum Operator : uint { Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual }

    /// <summary>The sets that come with the rule, each with its id in the transaction.</summary>
    public List<(NftSet Set, uint Id)> Anonymous { get; } = [];

    /// <summary>Maps that are made again: others are asked meanwhile (<see cref="SetPart.StandInFor"/>). Null: none.</summary>
    public IReadOnlySet<string>? StoodInFor { get; init; }

    /// <summary>nft and the kernel name a slot that begins a 16-octet register by that register's number.</summary>
    private static uint Register(int slot) =>
        slot % SlotsOfAddress == 0 ? FirstWideRegister + (uint)(slot / SlotsOfAddress) : FirstRegister + (uint)slot;

    private void Add(string name, Action<NetlinkMessage> attributes)
    {
        using var element = message.OpenNested(ListElement);
        message.Text(Name, name);
        using var data = message.OpenNested(Data);
        attributes(message);
    }

    private static void Plain(NetlinkMessage into, ushort type, ReadOnlySpan<byte> value)
    {
        using var nest = into.OpenNested(type);
        into.Attribute(Value, value);
    }

    /// <summary>NFT_PAYLOAD_…_HEADER</summary>
    public static class Header
    {
        public const uint Network = 1, Transport = 2;
    }

    public void Payload(uint header, uint offset, uint length, int slot = 0) => Add("payload", data => data
        .BigEndian(1, Register(slot)).BigEndian(2, header).BigEndian(3, offset).BigEndian(4, length)); // DREG, BASE, OFFSET, LEN

    public void Meta(uint key, int slot = 0) => Add("meta", data => data.BigEndian(2, key).BigEndian(1, Register(slot))); // KEY, DREG

    public void SetMeta(uint key, int slot = 0) => Add("meta", data => data.BigEndian(2, key).BigEndian(3, Register(slot))); // KEY, SREG

    public void Conntrack(uint key, int slot = 0) => Add("ct", data => data.BigEndian(2, key).BigEndian(1, Register(slot))); // KEY, DREG

    public void SetConntrack(uint key, int slot = 0) => Add("ct", data => data.BigEndian(2, key).BigEndian(4, Register(slot))); // KEY, SREG

    /// <summary>Of the connection as its first packet began it (IP_CT_DIR_ORIGINAL).</summary>
    public void Original(uint key, int slot) => Add("ct", data => data
        .BigEndian(2, key).BigEndian(1, Register(slot)).Attribute(3, [0])); // KEY, DREG, DIRECTION

    public void Compare(Operator how, byte[] value, int slot = 0) => Add("cmp", data =>
    {
        data.BigEndian(1, Register(slot)).BigEndian(2, (uint)how); // SREG, OP
        Plain(data, 3, value);                                     // DATA
    });

    public void Range(bool outside, NftOctets from, NftOctets to, int slot = 0) => Add("range", data =>
    {
        data.BigEndian(1, Register(slot)).BigEndian(2, outside ? 1u : 0); // SREG, OP
        Plain(data, 3, from.Span);                                        // FROM_DATA
        Plain(data, 4, to.Span);                                          // TO_DATA
    });

    /// <summary>From one to another as nft says it: inside two comparisons, outside one.</summary>
    public void Within(bool outside, NftOctets from, NftOctets to)
    {
        if (outside) { Range(outside, from, to); return; }
        Compare(Operator.GreaterOrEqual, from.Span.ToArray());
        Compare(Operator.LessOrEqual, to.Span.ToArray());
    }

    /// <summary>value &amp; mask ^ xor, in the machine's order.</summary>
    public void Bitwise(uint mask, uint xor, int slot = 0) => Bitwise(BitConverter.GetBytes(mask), BitConverter.GetBytes(xor), slot);

    /// <summary>value &amp; mask, octet by octet.</summary>
    public void Bitwise(byte[] mask) => Bitwise(mask, new byte[mask.Length], 0);

    private void Bitwise(byte[] mask, byte[] xor, int slot) => Add("bitwise", data =>
    {
        data.BigEndian(1, Register(slot)).BigEndian(2, Register(slot)).BigEndian(3, (uint)mask.Length); // SREG, DREG, LEN
        Plain(data, 4, mask);                                                                           // MASK
        Plain(data, 5, xor);                                                                            // XOR
    });

    /// <summary>A number from the machine's order into the network's, so that it can be compared by its octets.</summary>
    public void ToNetworkOrder(int slot = 0) => Add("byteorder", data => data
        // SREG, DREG, OP, LEN, SIZE
        .BigEndian(1, Register(slot)).BigEndian(2, Register(slot)).BigEndian(3, 1).BigEndian(4, 4).BigEndian(5, 4));

    /// <param name="into">The slot that the map's value goes to; the verdict's is not one of them.</param>
    public void Lookup(string set, bool outside = false, int slot = 0, int? into = null, bool verdict = false) => Add("lookup", data =>
    {
        var asked = StoodInFor?.Contains(set) == true ? SetPart.StandInFor(set) : set;
        data.Text(1, asked).BigEndian(2, Register(slot)); // SET, SREG
        if (verdict) data.BigEndian(3, 0);                // DREG: the verdict register
        if (into is { } target) data.BigEndian(3, Register(target));
        data.BigEndian(5, outside ? 1u : 0);              // FLAGS: inverted
    });

    /// <summary>In a set that comes with the rule.</summary>
    public void LookupAmong(NftSet set, bool outside) => Add("lookup", data =>
    {
        var (nth, id) = (Anonymous.Count, nextId());
        Anonymous.Add((set, id));
        data.Text(1, told != null && nth < told.Count ? told[nth] : set.Name).BigEndian(2, Register(0)); // SET, SREG
        if (told == null) data.BigEndian(4, id);                                                         // SET_ID
        data.BigEndian(5, outside ? 1u : 0);                                                             // FLAGS: inverted
    });

    public void Immediate(byte[] value, int slot) => Add("immediate", data =>
    {
        data.BigEndian(1, Register(slot)); // DREG
        Plain(data, 2, value);             // DATA
    });

    public void Decide(NftVerdict verdict) => Add("immediate", data =>
    {
        data.BigEndian(1, 0);                // DREG: the verdict register
        using var nest = data.OpenNested(2); // DATA
        WriteVerdict(data, verdict);
    });

    public static void WriteVerdict(NetlinkMessage into, NftVerdict verdict)
    {
        using var nest = into.OpenNested(Verdict);
        into.BigEndian(1, (uint)(int)verdict.Code);                  // CODE
        if (verdict.Chain is { } chain) into.Text(2, chain);         // CHAIN
    }

    public void Fib(uint result, uint flags, int slot = 0) => Add("fib", data => data
        .BigEndian(1, Register(slot)).BigEndian(2, result).BigEndian(3, flags)); // DREG, RESULT, FLAGS

    public void Random(uint modulus, int slot = 0) => Add("numgen", data => data
        .BigEndian(1, Register(slot)).BigEndian(2, modulus).BigEndian(3, 1).BigEndian(4, 0)); // DREG, MODULUS, TYPE: random, OFFSET

    public void Hash(int from, uint length, uint modulus, int slot = 0) => Add("hash", data => data
        .BigEndian(1, Register(from)).BigEndian(2, Register(slot)).BigEndian(3, length).BigEndian(4, modulus) // SREG, DREG, LEN, MODULUS
        .BigEndian(5, 0).BigEndian(7, 0));                                                                   // SEED, TYPE: jhash

    public void SymmetricHash(uint modulus, int slot) => Add("hash", data => data
        .BigEndian(2, Register(slot)).BigEndian(4, modulus).BigEndian(7, 1)); // DREG, MODULUS, TYPE: symhash

    /// <summary>flags: NF_NAT_RANGE_….</summary>
    public void Masquerade(uint flags, int? portMin, int? portMax) => Add("masq", data =>
    {
        data.BigEndian(1, flags);                                           // FLAGS
        if (portMin is { } min) data.BigEndian(2, Register(min));           // REG_PROTO_MIN
        if (portMax is { } max) data.BigEndian(3, Register(max));           // REG_PROTO_MAX
    });

    public void Nat(bool source, byte family, uint flags, int addressMin, int? addressMax, int? portMin, int? portMax) => Add("nat", data =>
    {
        data.BigEndian(1, source ? 0u : 1).BigEndian(2, family).BigEndian(3, Register(addressMin)); // TYPE, FAMILY, REG_ADDR_MIN
        if (addressMax is { } last) data.BigEndian(4, Register(last));      // REG_ADDR_MAX
        if (portMin is { } min) data.BigEndian(5, Register(min));           // REG_PROTO_MIN
        if (portMax is { } max) data.BigEndian(6, Register(max));           // REG_PROTO_MAX
        data.BigEndian(7, flags);                                           // FLAGS
    });

    /// <summary>Puts the key into a dynamic set, or begins its time there anew.</summary>
    public void Update(string set, int slot = 0) => Add("dynset", data => data
        .Text(1, set).BigEndian(3, 1).BigEndian(4, Register(slot))); // SET_NAME, OP: update, SREG_KEY

    /// <summary>TCP's greatest segment (TCPOPT_MAXSEG), where the packet says one.</summary>
    public void SetSegments(int slot = 0) => Add("exthdr", data => data
        .BigEndian(7, Register(slot)).Attribute(2, [2]).BigEndian(3, 2).BigEndian(4, 2) // SREG, TYPE, OFFSET, LEN
        .BigEndian(6, 1));                                                              // OP: NFT_EXTHDR_OP_TCPOPT; it minds FLAGS

    /// <summary>Puts the key with its value into a dynamic map, or begins its time there anew.</summary>
    public void Remember(string map, int key, int value) => Add("dynset", data => data
        // SET_NAME, OP: update, SREG_KEY, SREG_DATA
        .Text(1, map).BigEndian(3, 1).BigEndian(4, Register(key)).BigEndian(5, Register(value)));

    /// <summary>What no checksum covers.</summary>
    public void SetPayload(uint header, uint offset, uint length, int slot) => Add("payload", data => data
        .BigEndian(5, Register(slot)).BigEndian(2, header).BigEndian(3, offset).BigEndian(4, length) // SREG, BASE, OFFSET, LEN
        .BigEndian(6, 0u).BigEndian(7, 0u).BigEndian(8, 0u));                                         // CSUM_TYPE, CSUM_OFFSET, CSUM_FLAGS

    /// <summary>Counts what gets here; its figures are the kernel's.</summary>
    public void Counter() => Add("counter", _ => { });

    /// <summary>The kernel tells it back by its name alone, so it has no attributes here, either.</summary>
    public void NoTrack()
    {
        using var element = message.OpenNested(ListElement);
        message.Text(Name, "notrack");
    }

    public void Queue(ushort number, ushort queues, ushort flags) => Add("queue", data => data
        .Attribute(1, NftOctets.Of(number).Span).Attribute(2, NftOctets.Of(queues).Span) // NUM, TOTAL
        .Attribute(3, NftOctets.Of(flags).Span));                                        // FLAGS

    /// <summary>One of x_tables' (nft_compat).</summary>
    public void Target(string target, uint revision, byte[] info) => Add("target", data => data
        .Text(1, target).BigEndian(2, revision).Attribute(3, info)); // NAME, REV, INFO

    public void CountBy(string counter) => Add("objref", data => data
        .BigEndian(1, NftMessage.CounterObject).Text(2, counter)); // IMM_TYPE, IMM_NAME

    public void TimeBy(string timeout) => Add("objref", data => data
        .BigEndian(1, NftMessage.TimeoutObject).Text(2, timeout)); // IMM_TYPE, IMM_NAME

    public void Log(ushort group, string prefix) => Add("log", data =>
    {
        data.Attribute(1, NftOctets.Of(group).Span); // GROUP
        if (prefix.Length > 0) data.Text(2, prefix); // PREFIX
    });

    public void Limit(uint perSecond, uint burst)
    {
        const ulong second = 1;
        Add("limit", data => data.BigEndian(1, (ulong)perSecond).BigEndian(2, second).BigEndian(3, burst) // RATE, UNIT, BURST
            .BigEndian(4, 0u).BigEndian(5, 0u));                                                          // TYPE: NFT_LIMIT_PKTS, FLAGS
    }

    /// <summary>By TCP's RST.</summary>
    public void Reset() => Add("reject", data => data.BigEndian(1, 1)); // TYPE: NFT_REJECT_TCP_RST

    /// <summary>By ICMP or ICMPv6, as the packet is: port unreachable.</summary>
    public void Reject() => Add("reject", data => data.BigEndian(1, 2).Attribute(2, [1])); // TYPE: NFT_REJECT_ICMPX_UNREACH, ICMP_CODE
}
