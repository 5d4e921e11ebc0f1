using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>
/// iptables' own table nat (iptables-legacy), which nf_tables knows nothing of: one blob of entries, as getsockopt tells it
/// (linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h). Chains are places in it.
/// </summary>
internal sealed class LegacyTable : IForeignTable
{
    private const int NameOctets = 32, InfoOctets = 84, EntriesHead = 40; // struct ipt_getinfo, ipt_get_entries
    private const int GetInfo = 64, GetEntries = 65;                      // IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES

    /// <summary>The target of an entry that goes before a chain, and says its name (XT_ERROR_TARGET).</summary>
    private const string HeadOfChain = "ERROR";

    private readonly IpFamily family;
    private readonly byte[] entries;
    private readonly uint[] starts;
    private readonly uint hooks;

    private LegacyTable(IpFamily family, byte[] entries, uint hooks, uint[] starts) =>
        (this.family, this.entries, this.hooks, this.starts) = (family, entries, hooks, starts);

    public string Words => family == IpFamily.IPv4 ? "iptables-legacy's table nat" : "ip6tables-legacy's table nat";

    /// <summary>Null: there is none, or this kernel has no such tables. It is looked for by name, as asking for it would make it.</summary>
    /// <exception cref="SocketException">It is not to be read, or has changed meanwhile.</exception>
    public static LegacyTable? Read(IpFamily family)
    {
        if (!IsThere(family)) return null;
        var isIPv4 = family == IpFamily.IPv4;
        using var socket = new Socket(
            isIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
        var level = isIPv4 ? 0 : 41; // SOL_IP, SOL_IPV6
        var info = new byte[InfoOctets];
        "nat"u8.CopyTo(info);
        socket.GetRawSocketOption(level, GetInfo, info);
        // valid_hooks, hook_entry[5], underflow[5], num_entries, size
        var words = MemoryMarshal.Cast<byte, uint>(info.AsSpan(NameOctets));
        var told = new byte[EntriesHead + words[12]];
        "nat"u8.CopyTo(told);
        MemoryMarshal.Write(told.AsSpan(NameOctets), words[12]);
        socket.GetRawSocketOption(level, GetEntries, told);
        return Of(family, told[EntriesHead..], words[0], words[1..6].ToArray());
    }

    /// <param name="hooks">A bit for each place that it has a chain at.</param>
    /// <param name="starts">Where these begin.</param>
    public static LegacyTable Of(IpFamily family, byte[] entries, uint hooks, uint[] starts) => new(family, entries, hooks, starts);

    /// <summary>Whether it has a chain of this name; of its own chains only those that somebody has made have names.</summary>
    public bool Has(string chain)
    {
        for (var at = 0; at + Layout.Head(family) <= entries.Length;)
        {
            var length = U16(at + Layout.Next(family));
            if (length < Layout.Head(family) || at + length > entries.Length) break;
            ReadOnlySpan<byte> entry = entries.AsSpan(at, length);
            if (TargetOf(entry) is { } target && XtPart.Read(entry[target..]) is { Name: HeadOfChain } head
                && XtPart.Text(head.Info) == chain) return true;
            at += length;
        }
        return false;
    }

    private static bool IsThere(IpFamily family)
    {
        try
        {
            return File.ReadLines($"/proc/thread-self/net/{(family == IpFamily.IPv4 ? "ip" : "ip6")}_tables_names").Contains("nat");
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The chain at this place; null: the table has none there.</summary>
    public string? Start(NftHookPoint place) => (hooks & 1u << (int)place) == 0 ? null : Chain((int)starts[(int)place]);

    private static string Chain(int offset) => offset.ToString(CultureInfo.InvariantCulture);

    /// <summary>From there on, up to the table's end: a chain ends by what its last entry decides.</summary>
    public IReadOnlyList<byte[]> Rules(string chain)
    {
        var rules = new List<byte[]>();
        for (var at = int.Parse(chain, CultureInfo.InvariantCulture); at + Layout.Head(family) <= entries.Length;)
        {
            var length = U16(at + Layout.Next(family));
            if (length < Layout.Head(family) || at + length > entries.Length) break;
            // Which place a jump to the next entry means follows from where it stands.
            rules.Add([.. BitConverter.GetBytes(at), .. entries.AsSpan(at, length)]);
            at += length;
            if (Ends(rules[^1].AsSpan(4))) break;
        }
        return rules;
    }

    private ushort U16(int at) => MemoryMarshal.Read<ushort>(entries.AsSpan(at));

    /// <summary>It asks nothing, and decides by itself: what stands behind it belongs to another chain.</summary>
    private bool Ends(ReadOnlySpan<byte> entry) => TargetOf(entry) is { } target && target == Layout.Head(family)
        && !entry[..Layout.Addresses(family)].ContainsAnyExcept((byte)0)
        && XtPart.Read(entry[target..]) is { Name: "" } standard && MemoryMarshal.Read<int>(standard.Info) < 0;

    /// <summary>Where its target stands, behind its matches; null: nowhere in it.</summary>
    private int? TargetOf(ReadOnlySpan<byte> entry)
    {
        int target = MemoryMarshal.Read<ushort>(entry[(Layout.Next(family) - 2)..]);
        return target >= Layout.Head(family) && target + XtPart.Head + sizeof(int) <= entry.Length ? target : null;
    }

    public ForeignVerdict Ask(byte[] rule, ForeignPacket packet)
    {
        var at = BitConverter.ToInt32(rule);
        ReadOnlySpan<byte> entry = rule.AsSpan(4);
        if (TargetOf(entry) is not { } target) return packet.Lose($"what an entry of {Words} does");
        if (!MatchesAddresses(entry, packet)) return ForeignVerdict.Next;
        for (var next = Layout.Head(family); next + XtPart.Head <= target;)
        {
            var match = XtPart.Read(entry[next..]);
            if (match.Length < XtPart.Head || next + match.Length > target) return packet.Lose($"what an entry of {Words} asks");
            if (!Xt.Matches(match.Name, match.Revision, match.Info, packet)) return ForeignVerdict.Next;
            next += match.Length;
        }
        var does = XtPart.Read(entry[target..]);
        if (does.Name == HeadOfChain) return ForeignVerdict.Next;
        if (does.Name.Length > 0) return Xt.Target(does.Name, does.Revision, does.Info, packet) ?? ForeignVerdict.Next;
        return Standard(MemoryMarshal.Read<int>(does.Info), at + entry.Length, (entry[Layout.Flags(family)] & Layout.Goto(family)) != 0);
    }

    /// <param name="behind">Where the next entry stands.</param>
    private static ForeignVerdict Standard(int verdict, int behind, bool isGoto)
    {
        const int drop = -1, accept = -2, goBack = -5; // -NF_DROP - 1, -NF_ACCEPT - 1, XT_RETURN
        if (verdict >= 0)
            return verdict == behind ? ForeignVerdict.Next : new(isGoto ? ForeignStep.Goto : ForeignStep.Jump, Chain(verdict));
        return verdict switch
        {
            drop => ForeignVerdict.Drop,
            accept => ForeignVerdict.Accept,
            goBack => ForeignVerdict.Return,
            _ => ForeignVerdict.Next,
        };
    }

    /// <summary>struct ipt_ip, ip6t_ip6: addresses and masks, names of interfaces and masks, the protocol, what is turned round.</summary>
    private bool MatchesAddresses(ReadOnlySpan<byte> entry, ForeignPacket packet)
    {
        const byte cameIn = 0x01, source = 0x08, destination = 0x10, byProtocol = 0x40;
        var (said, octets) = (packet.Said, family.Octets());
        var turned = entry[Layout.Flags(family) + 1];
        if (!Has(said.Source, entry[..octets], entry.Slice(2 * octets, octets), (turned & source) != 0)) return false;
        if (!Has(said.Destination, entry.Slice(octets, octets), entry.Slice(3 * octets, octets), (turned & destination) != 0)) return false;
        ReadOnlySpan<byte> name = entry.Slice(4 * octets, 16), mask = entry.Slice(4 * octets + 32, 16);
        if (mask[0] != 0 && !HasLink(packet, name, mask, (turned & cameIn) != 0)) return false;
        var protocol = MemoryMarshal.Read<ushort>(entry[(4 * octets + 64)..]);
        if (protocol == 0) return true;
        return said.Protocol is { } known ? (protocol == (byte)known) != ((turned & byProtocol) != 0) : packet.Guess("its protocol");
    }

    private static bool Has(Address address, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, bool isTurned)
    {
        var octets = NftOctets.Of(address).Span;
        for (var i = 0; i < octets.Length; i++)
            if ((octets[i] & mask[i]) != value[i]) return isTurned;
        return !isTurned;
    }

    private static bool HasLink(ForeignPacket packet, ReadOnlySpan<byte> name, ReadOnlySpan<byte> mask, bool isTurned)
    {
        if (packet.IsOwn) return isTurned;
        if (packet.Said.In is not { } link) return packet.Guess("which interface it comes in by");
        var octets = NftOctets.OfInterface(link).Span;
        for (var i = 0; i < name.Length; i++)
            if (mask[i] != 0 && octets[i] != name[i]) return isTurned;
        return !isTurned;
    }

    /// <summary>Where in an entry things stand (struct ipt_entry, struct ip6t_entry).</summary>
    private static class Layout
    {
        /// <summary>Of the addresses' part, which is all zeros where nothing is asked.</summary>
        public static int Addresses(IpFamily family) => family == IpFamily.IPv4 ? 84 : 136;

        /// <summary>next_offset; target_offset stands before it.</summary>
        public static int Next(IpFamily family) => Addresses(family) + 6;

        public static int Head(IpFamily family) => family == IpFamily.IPv4 ? 112 : 168;

        /// <summary>flags; invflags stand behind them.</summary>
        public static int Flags(IpFamily family) => family == IpFamily.IPv4 ? 82 : 131;

        /// <summary>IPT_F_GOTO, IP6T_F_GOTO.</summary>
        public static int Goto(IpFamily family) => family == IpFamily.IPv4 ? 2 : 4;
    }

    /// <summary>struct xt_entry_match, xt_entry_target.</summary>
    private readonly ref struct XtPart
    {
        public const int Head = 32;

        public int Length { get; private init; }
        public string Name { get; private init; }
        public byte Revision { get; private init; }
        public ReadOnlySpan<byte> Info { get; private init; }

        public static XtPart Read(ReadOnlySpan<byte> part)
        {
            int length = MemoryMarshal.Read<ushort>(part);
            return new()
            {
                Length = length,
                Name = Text(part.Slice(2, 29)),
                Revision = part[31],
                Info = part[Head..Math.Max(Head + sizeof(int), Math.Min(length, part.Length))],
            };
        }

        /// <summary>Up to the first zero.</summary>
        public static string Text(ReadOnlySpan<byte> octets)
        {
            var end = octets.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? octets : octets[..end]);
        }
    }
}
