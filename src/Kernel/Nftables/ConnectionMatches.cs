using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

// What a rule asks of a packet's connection.

internal static class ConnectionKey
{
    public const uint State = 0, Direction = 1, Status = 2, Mark = 3, DestinationPort = 12, Destination4 = 20, Destination6 = 22;
}

/// <summary>ct state established,related</summary>
[Flags]
public enum ConnectionStates : uint { Invalid = 1, Established = 2, Related = 4, New = 8, Untracked = 64 }

public sealed record MatchState(ConnectionStates States) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Conntrack(ConnectionKey.State);
        into.Bitwise((uint)States, 0);
        into.Compare(Operator.NotEqual, new byte[sizeof(uint)]);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        packet.IsIn(States) is { } known ? NftAnswer.Of(known) : new NftAnswer.Unknown("the state of its connection", ToString())
        {
            Learn = isSo => packet.LearnState(States, isSo),
        };

    public override string ToString() => $"ct state {States.ToString().ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal)}";
}

/// <summary>
/// ct status &amp; dnat != 0, ct status &amp; snat == 0: whether the connection's destination, or its source, is translated, by whichever
/// table. Where a packet has no connection (untracked, invalid) neither form holds.
/// </summary>
public sealed record MatchTranslated(bool Destination, bool Not = false) : NftStatement
{
    /// <summary>What it depends on where nobody can tell.</summary>
    public const string SourceFact = "whether another table translates its source",
        DestinationFact = "whether another table translates its destination";

    private const uint SourceTranslated = 1 << 4, DestinationTranslated = 1 << 5; // IPS_SRC_NAT, IPS_DST_NAT

    private const ConnectionStates None = ConnectionStates.Invalid | ConnectionStates.Untracked;

    internal override void Encode(Expressions into)
    {
        into.Conntrack(ConnectionKey.Status);
        into.Bitwise(Destination ? DestinationTranslated : SourceTranslated, 0);
        into.Compare(Not ? Operator.Equal : Operator.NotEqual, new byte[sizeof(uint)]);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        var (none, isSo) = (packet.IsIn(None), packet.IsTranslated(Destination));
        if (none == true || isSo == Not) return NftAnswer.Fails;
        if (none == false && isSo != null) return NftAnswer.Holds;
        return new NftAnswer.Unknown(Destination ? DestinationFact : SourceFact,
            $"{packet.TranslatedNow(Destination)} {(Not ? "==" : "!=")} 0")
        {
            Learn = holds =>
            {
                if (holds) packet.LearnState(None, isSo: false);
                if (holds || none == false) packet.LearnTranslated(Destination, holds != Not);
            },
        };
    }

    public override string ToString() => $"ct status & {(Destination ? "dnat" : "snat")} {(Not ? "==" : "!=")} 0";
}

/// <summary>ct direction original, ct direction reply: whether the packet goes the way of its connection's first one.</summary>
public sealed record MatchDirection(bool Reply) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Conntrack(ConnectionKey.Direction);
        into.Compare(Operator.Equal, [Reply ? (byte)1 : (byte)0]);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.IsIn(ConnectionStates.Invalid | ConnectionStates.Untracked) == true) return NftAnswer.Fails;
        return packet.IsIn(ConnectionStates.New) == true ? NftAnswer.Of(!Reply)
            : new NftAnswer.Unknown("the direction of its connection", ToString())
            {
                Learn = isSo =>
                {
                    if (isSo) packet.LearnState(ConnectionStates.Invalid | ConnectionStates.Untracked, isSo: false);
                },
            };
    }

    public override string ToString() => $"ct direction {(Reply ? "reply" : "original")}";
}

/// <summary>
/// ct mark &amp; MASK == VALUE, ct mark &amp; MASK != VALUE: a mark that is its connection's, of whichever direction. Where a packet has no
/// connection neither form holds.
/// </summary>
public sealed record MatchConnectionMark(uint Mask, uint Value, bool Not = false) : NftStatement
{
    internal const ConnectionStates None = ConnectionStates.Invalid | ConnectionStates.Untracked;

    internal override void Encode(Expressions into)
    {
        into.Conntrack(ConnectionKey.Mark);
        into.Bitwise(Mask, 0);
        into.Compare(Not ? Operator.NotEqual : Operator.Equal, BitConverter.GetBytes(Value));
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        var (none, isSo) = (packet.IsIn(None), packet.HasConnectionMark(Mask, Value));
        if (none == true || isSo == Not) return NftAnswer.Fails;
        if (none == false && isSo != null) return NftAnswer.Holds;
        const string fact = "the mark of its connection";
        if (Not && none == false)
            return new NftAnswer.Unknown(fact, packet.ConnectionMarkNow($"{this with { Not = false }}"), Wanted: false);
        return new NftAnswer.Unknown(fact, packet.ConnectionMarkNow(ToString()))
        {
            Learn = holds =>
            {
                if (holds) packet.LearnState(None, isSo: false);
            },
        };
    }

    public override string ToString() => $"ct mark & 0x{Mask:x8} {(Not ? "!=" : "==")} 0x{Value:x8}";
}

/// <summary>ct mark set ct mark &amp; KEEP ^ TURN: the connection's, which later packets have, too.</summary>
public sealed record ActConnectionMark(uint Keep, uint Turn) : NftStatement
{
    internal override bool Decides => true;

    internal override void Encode(Expressions into)
    {
        into.Conntrack(ConnectionKey.Mark);
        into.Bitwise(Keep, Turn);
        into.SetConntrack(ConnectionKey.Mark);
    }

    internal override NftAnswer Ask(PassingPacket packet) => packet.IsIn(MatchConnectionMark.None) switch
    {
        true => NftAnswer.Fails,
        false => new NftAnswer.Marking(Keep, Turn) { IsOfConnection = true },
        null => new NftAnswer.Unknown("the state of its connection", new MatchState(MatchConnectionMark.None).ToString(), Wanted: false)
        {
            Learn = isSo => packet.LearnState(MatchConnectionMark.None, isSo),
        },
    };

    public override string ToString() => $"ct mark set ct mark & 0x{Keep:x8} ^ 0x{Turn:x8}";
}

/// <summary>
/// ct original ip daddr . meta l4proto . ct original proto-dst @SET: where the connection was begun to, before any translation; of a
/// packet of either direction.
/// </summary>
public sealed record MatchOriginalService(IpFamily Family, string Set) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        var slot = Family.Octets() / sizeof(uint);
        into.Original(Family == IpFamily.IPv4 ? ConnectionKey.Destination4 : ConnectionKey.Destination6, 0);
        into.Meta(MetaKey.Protocol, slot++);
        into.Original(ConnectionKey.DestinationPort, slot);
        into.Lookup(Set);
    }

    /// <summary>Packets that are asked about begin their connections, or go the same way.</summary>
    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family || packet.IsIn(ConnectionStates.Invalid | ConnectionStates.Untracked) == true || !packet.HasPorts)
            return NftAnswer.Fails;
        if (packet.Protocol is not { } protocol) return new NftAnswer.Unknown("the protocol", ToString());
        return packet.OriginalPorts.Known is not { } port ? new NftAnswer.Unknown(PortField.Fact(NftEnd.Destination), ToString())
            : Membership.Of(packet, Set, MatchAddressPort.Key(packet.OriginalDestination, (byte)protocol, (ushort)port), outside: false);
    }

    public override string ToString() =>
        $"ct original {(Family == IpFamily.IPv4 ? "ip" : "ip6")} daddr . meta l4proto . ct original proto-dst @{Set}";
}
