using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>
/// A packet at one place of its way: what is known of it there, by what was said of it, by the rules that it has passed, and by what this
/// walk assumes. The statements ask it.
/// </summary>
internal sealed class PassingPacket(Packet packet, IPacketTable table, IHostFacts facts)
{
    private const ConnectionStates AllStates = ConnectionStates.Invalid | ConnectionStates.Established | ConnectionStates.Related
        | ConnectionStates.New | ConnectionStates.Untracked;

    private static readonly PortRange AnyPort = new(0, ushort.MaxValue);

    private LinkName cameIn = new(packet.In), leaves = new(packet.Out);
    private PortRange sourcePorts = Only(packet.SourcePort), destinationPorts = Only(packet.DestinationPort);
    private uint mark = packet.Mark ?? 0, knownOfMark = packet.Mark == null ? 0 : uint.MaxValue;

    private bool untracked, isTranslated;
    private int turns;

    /// <summary>Those that its connection's state may be.</summary>
    private ConnectionStates states = packet.State ?? AllStates;

    public IPacketTable Table => table;
    public IHostFacts Facts => facts;
    public IpFamily Family { get; } = packet.Source.Family;

    /// <summary>Null: it was translated to something that is not known.</summary>
    public Address? Source { get; private set; } = packet.Source;
    public Address Destination { get; private set; } = packet.Destination;
    public IpProtocol? Protocol { get; set; } = packet.Protocol;

    /// <summary>Null where a packet has no such interface: of this host's own, or not routed yet.</summary>
    public LinkName? In => Place is NftHookPoint.Output || (Place == NftHookPoint.Postrouting && IsOwn) ? null : cameIn;
    public LinkName? Out => Place is NftHookPoint.Prerouting or NftHookPoint.Input ? null : leaves;
    public LinkName? Link(bool leaving) => leaving ? Out : In;

    public NftHookPoint Place { get; private set; }

    /// <summary>Made by this host.</summary>
    public bool IsOwn { get; set; }

    /// <summary>In front of conntrack a packet has no connection, which reads as invalid.</summary>
    public bool IsTracked { get; private set; }

    private static PortRange Only(ushort? port) => port is { } known ? new(known, known) : AnyPort;

    public Address? At(NftEnd end) => end == NftEnd.Source ? Source : Destination;

    public void Reach(NftHookPoint place, int priority)
    {
        const int conntrack = -200; // NF_IP_PRI_CONNTRACK
        Place = place;
        IsTracked |= priority > conntrack || place is not (NftHookPoint.Prerouting or NftHookPoint.Output);
    }

    /// <summary>It goes from this host to itself, whatever was said of where it leaves.</summary>
    public void LoopBack() => (cameIn, leaves) = (new("lo"), new("lo"));

    /// <summary>Whether all the bits are as asked; null: some of them are not known, and the others are so.</summary>
    public bool? HasMark(uint mask, uint value)
    {
        if ((value & ~mask) != 0 || ((mark ^ value) & mask & knownOfMark) != 0) return false;
        return (mask & ~knownOfMark) == 0 ? true : null;
    }

    /// <summary>Of a mark that is not so only a single bit can be told.</summary>
    public void LearnMark(uint mask, uint value, bool isSo)
    {
        var left = mask & ~knownOfMark;
        if (!isSo && !System.Numerics.BitOperations.IsPow2(left)) return;
        mark = (mark & ~left) | ((isSo ? value : ~value) & left);
        knownOfMark |= left;
    }

    /// <summary>meta mark set meta mark &amp; KEEP ^ TURN</summary>
    public void TurnMark(uint keep, uint turn)
    {
        mark = (mark & keep) ^ turn;
        knownOfMark |= ~keep;
        turns++;
    }

    /// <summary>What was assumed of the mark before it was changed, and of the source before it was translated, says nothing of it
    /// now: each is another question.</summary>
    public string MarkNow(string question) => turns == 0 ? question : $"{question}, changed {turns} times";

    public string SourceNow(string question) => isTranslated ? $"{question}, as translated" : question;

    public ConnectionStates States => untracked ? ConnectionStates.Untracked : IsTracked ? states : ConnectionStates.Invalid;

    public bool? IsIn(ConnectionStates some) => (States & some) == 0 ? false : (States & ~some) == 0 ? true : null;

    public void LearnState(ConnectionStates some, bool isSo) => states = isSo ? states & some : states & ~some;

    public void Untrack() => untracked |= !IsTracked;

    public bool? HasPort(NftEnd end, PortRange asked)
    {
        var may = end == NftEnd.Source ? sourcePorts : destinationPorts;
        if (may.From >= asked.From && may.To <= asked.To) return true;
        return may.To < asked.From || may.From > asked.To ? false : null;
    }

    public void LearnPort(NftEnd end, PortRange asked, bool isSo)
    {
        if (!isSo) return;
        ref var may = ref end == NftEnd.Source ? ref sourcePorts : ref destinationPorts;
        may = new(Math.Max(may.From, asked.From), Math.Min(may.To, asked.To));
    }

    /// <summary>New ports are given to protocols that have some.</summary>
    public bool HasPorts => Protocol is null or IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp;

    public void Translate(PacketTranslation to)
    {
        if (to.End == NftEnd.Destination) { Destination = to.First!.Value; return; }
        isTranslated = true;
        Source = to.First == to.Last ? to.First : null;
        sourcePorts = to.Ports ?? AnyPort;
    }
}
