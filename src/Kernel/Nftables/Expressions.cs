using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A rule's bytecode: a list of expressions, each a name and its attributes (linux/netfilter/nf_tables.h; the attributes' names stand in
/// the comments). Every attribute that the kernel has a default for is written out, so that what it tells back can be compared.
/// Registers are counted in slots of 32 bits, 16 of them; a value of 16 octets wants a slot divisible by four.
/// </summary>
internal sealed class Expressions(NetlinkMessage message)
{
    private const ushort ListElement = 1, Name = 1, Data = 2, Value = 1, Verdict = 2;
    private const uint FirstWideRegister = 1, FirstRegister = 8;
    public const int SlotsOfAddress = 4;

    public enum Operator : uint { Equal, NotEqual, Less }

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

    /// <summary>Network header 1, transport header 2.</summary>
    public void Payload(uint header, uint offset, uint length, int slot = 0) => Add("payload", data => data
        .BigEndian(1, Register(slot)).BigEndian(2, header).BigEndian(3, offset).BigEndian(4, length)); // DREG, BASE, OFFSET, LEN

    public void Meta(uint key, int slot = 0) => Add("meta", data => data.BigEndian(2, key).BigEndian(1, Register(slot))); // KEY, DREG

    public void SetMeta(uint key, int slot = 0) => Add("meta", data => data.BigEndian(2, key).BigEndian(3, Register(slot))); // KEY, SREG

    public void Conntrack(uint key, int slot = 0) => Add("ct", data => data.BigEndian(2, key).BigEndian(1, Register(slot))); // KEY, DREG

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

    /// <summary>value &amp; mask ^ xor, in the machine's order.</summary>
    public void Bitwise(uint mask, uint xor, int slot = 0) => Add("bitwise", data =>
    {
        data.BigEndian(1, Register(slot)).BigEndian(2, Register(slot)).BigEndian(3, sizeof(uint)); // SREG, DREG, LEN
        Plain(data, 4, BitConverter.GetBytes(mask));                                               // MASK
        Plain(data, 5, BitConverter.GetBytes(xor));                                                // XOR
    });

    /// <summary>A number from the machine's order into the network's, so that it can be compared by its octets.</summary>
    public void ToNetworkOrder(int slot = 0) => Add("byteorder", data => data
        // SREG, DREG, OP, LEN, SIZE
        .BigEndian(1, Register(slot)).BigEndian(2, Register(slot)).BigEndian(3, 1).BigEndian(4, 4).BigEndian(5, 4));

    /// <param name="into">The slot that the map's value goes to; the verdict's is not one of them.</param>
    public void Lookup(string set, bool outside = false, int slot = 0, int? into = null, bool verdict = false) => Add("lookup", data =>
    {
        data.Text(1, set).BigEndian(2, Register(slot)); // SET, SREG
        if (verdict) data.BigEndian(3, 0);              // DREG: the verdict register
        if (into is { } target) data.BigEndian(3, Register(target));
        data.BigEndian(5, outside ? 1u : 0);            // FLAGS: inverted
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

    /// <summary>Counts what gets here; its figures are the kernel's.</summary>
    public void Counter() => Add("counter", _ => { });

    public void NoTrack() => Add("notrack", _ => { });
}
