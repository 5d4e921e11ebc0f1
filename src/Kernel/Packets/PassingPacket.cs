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

    private LinkName cameIn = new(packet.In), leaves = new(packet.Out);
    private NumbersLeft sourcePorts = new(packet.SourcePort, ushort.MaxValue);
    private NumbersLeft? destinationPorts;
    private uint mark = packet.Mark ?? 0, knownOfMark = packet.Mark == null ? 0 : uint.MaxValue;

    private bool untracked, isTranslated;
    private bool? isSyn = packet.IsSyn;
    /// <summary>Null: no rule of ours has given it a destination. False: one has, the same, and no other can any more.</summary>
    private bool? isSentOn;
    private bool? isFromElse;
    private readonly Dictionary<string, bool> learntTranslated = [];
    private int turns, connectionTurns;
    private uint connectionMark, setOfConnectionMark;

    /// <summary>Those that its connection's state may be.</summary>
    private ConnectionStates states = packet.State ?? AllStates;

    public IPacketTable Table => table;
    public IHostFacts Facts => facts;
    public IpFamily Family { get; } = packet.Source.Family;

    /// <summary>Null: it was translated to something that is not known.</summary>
    public Address? Source { get; private set; } = packet.Source;
    public Address Destination { get; private set; } = packet.Destination;

    /// <summary>Where its connection was begun to.</summary>
    public Address OriginalDestination => packet.Destination;
    public NumbersLeft OriginalPorts { get; } = new(packet.DestinationPort, ushort.MaxValue);

    public NumbersLeft Protocols { get; } = new((byte?)packet.Protocol, byte.MaxValue);
    public NumbersLeft IcmpTypes { get; } = new(packet.IcmpType, byte.MaxValue);
    public NumbersLeft IcmpCodes { get; } = new(packet.IcmpCode, byte.MaxValue);
    public uint? VxlanNetwork => packet.VxlanNetwork;
    public bool? IsSyn => isSyn ?? (IsIn(ConnectionStates.New) == true ? true : null);
    public IpProtocol? Protocol => (IpProtocol?)Protocols.Known;
    public uint Mark => mark & knownOfMark;

    /// <summary>Null where a packet has no such interface: of this host's own, or not routed yet.</summary>
    public LinkName? In => Place is NftHookPoint.Output || (Place == NftHookPoint.Postrouting && IsOwn) ? null : cameIn;
    public LinkName? Out => Place is NftHookPoint.Prerouting or NftHookPoint.Input ? null : leaves;
    public LinkName? Link(bool leaving) => leaving ? Out : In;

    public NftHookPoint Place { get; private set; }

    private int priority;

    /// <summary>At places that come after other tables' translation of destinations.</summary>
    private bool IsBehindRedirect => Place is not (NftHookPoint.Prerouting or NftHookPoint.Output) || priority > NatPriority.Destination;

    /// <summary>Made by this host.</summary>
    public bool IsOwn { get; set; }

    /// <summary>In front of conntrack a packet has no connection, which reads as invalid.</summary>
    public bool IsTracked { get; private set; }

    public Address? At(NftEnd end) => end == NftEnd.Source ? Source : Destination;

    public void Reach(NftHookPoint place, int priority)
    {
        const int conntrack = -200; // NF_IP_PRI_CONNTRACK
        (Place, this.priority) = (place, priority);
        IsTracked |= priority > conntrack || place is not (NftHookPoint.Prerouting or NftHookPoint.Output);
    }

    /// <summary>It goes from this host to itself, whatever was said of where it leaves.</summary>
    public void LoopBack() => (cameIn, leaves) = (new("lo"), new("lo"));

    /// <summary>It has another destination, and this host sends it; its connection is not marked as translated.</summary>
    public void SendOn(PacketTranslation to)
    {
        IsOwn = true;
        Destination = to.First!.Value;
        if (to.Ports is { } ports) destinationPorts = new(new NumberRange(ports.From, ports.To));
    }

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

    /// <summary>A connection that begins has no bit of it yet, but those that rules of ours have given it; null: of another only these are
    /// known.</summary>
    public bool? HasConnectionMark(uint mask, uint value)
    {
        var known = IsIn(ConnectionStates.New) == true ? uint.MaxValue : setOfConnectionMark;
        if ((value & ~mask) != 0 || ((connectionMark ^ value) & mask & known) != 0) return false;
        return (mask & ~known) == 0 ? true : null;
    }

    public void TurnConnectionMark(uint keep, uint turn)
    {
        connectionMark = (connectionMark & keep) ^ turn;
        setOfConnectionMark |= ~keep;
        connectionTurns++;
    }

    public string ConnectionMarkNow(string question) =>
        connectionTurns == 0 ? question : $"{question}, changed {connectionTurns} times";

    private string DestinationNow(string question) => isSentOn == true ? $"{question}, as translated" : question;

    public string SourceNow(string question) => isTranslated ? $"{question}, as translated" : question;

    public ConnectionStates States => untracked ? ConnectionStates.Untracked : IsTracked ? states : ConnectionStates.Invalid;

    public bool? IsIn(ConnectionStates some) => (States & some) == 0 ? false : (States & ~some) == 0 ? true : null;

    public void LearnState(ConnectionStates some, bool isSo) => states = isSo ? states & some : states & ~some;

    public void LearnSyn(bool isSo) => isSyn = isSo;

    public void Untrack() => untracked |= !IsTracked;

    public NumbersLeft Ports(NftEnd end) => end == NftEnd.Source ? sourcePorts : destinationPorts ?? OriginalPorts;

    public uint? Side => packet.Side;

    public string PortNow(NftEnd end, string question) => end == NftEnd.Source ? SourceNow(question) : DestinationNow(question);

    /// <summary>
    /// Whether its connection's destination, or source, is translated, by whichever table. Only of one that begins can it be told, and what
    /// others do to sources nobody is told.
    /// </summary>
    public bool? IsTranslated(bool destination)
    {
        if (destination && isSentOn is { } sentOn) return sentOn;
        if (!destination && isFromElse == true) return true;
        if (learntTranslated.TryGetValue(TranslatedNow(destination), out var learnt)) return learnt;
        if (IsIn(ConnectionStates.New | ConnectionStates.Related) != true) return null;
        if (!MayBeTranslated(destination)) return false;
        return destination && packet.Redirect is { } others && (others == PacketRedirect.None || others.IsBehindInput) ? false : null;
    }

    private bool MayBeTranslated(bool destination) => destination ? IsBehindRedirect
        : Place is NftHookPoint.Input or NftHookPoint.Postrouting && priority > NatPriority.Source;

    public void LearnTranslated(bool destination, bool isSo) => learntTranslated[TranslatedNow(destination)] = isSo;

    /// <summary>What is so of it before translations says nothing of it behind them: each is another question.</summary>
    public string TranslatedNow(bool destination)
    {
        var question = destination ? DestinationNow("ct status & dnat") : SourceNow("ct status & snat");
        return MayBeTranslated(destination) ? question : $"{question}, before any translation";
    }

    /// <summary>New ports are given to protocols that have some.</summary>
    public bool HasPorts => Protocol is null or IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.UdpLite;

    public void Translate(PacketTranslation to)
    {
        if (to.End == NftEnd.Destination)
        {
            // What is sent to where it goes anyway is not translated in the kernel's eyes (nf_nat_setup_info: the tuples are equal).
            var isSamePort = to.Ports is not { } given || (given.From == given.To && Ports(to.End).Known == given.From);
            isSentOn = isSentOn == true || Destination != to.First || !isSamePort;
            Destination = to.First!.Value;
            if (to.Ports is { } ports) destinationPorts = new(new NumberRange(ports.From, ports.To));
            return;
        }
        isTranslated = true;
        // What becomes what it was is not translated in the kernel's eyes.
        isFromElse = to is { First: { } first, Last: { } last } ? Source < first || Source > last ? true : null
            : Source is { } own && facts.IsLocal(own) == false ? true : null;
        Source = to.First == to.Last ? to.First : null;
        sourcePorts = to.Ports is { } range ? new(new NumberRange(range.From, range.To)) : new(null, ushort.MaxValue);
    }
}

/// <summary>Where the kernel has its one hook for all chains of type nat: NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC.</summary>
internal static class NatPriority
{
    public const int Destination = -100, Source = 100;
}
