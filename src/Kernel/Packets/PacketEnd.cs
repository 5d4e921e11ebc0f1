using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Packets;

public enum PacketVerdict : byte
{
    Accept,
    Drop,
    /// <summary>It could not be walked on: <see cref="PacketEnd.DependsOn"/> says what for.</summary>
    Open,
}

/// <summary>What a packet's end becomes.</summary>
/// <param name="First">The first address that it may be; null: the outgoing interface's (masquerade).</param>
/// <param name="Ports">Null: the kernel's choice.</param>
public sealed record PacketTranslation(NftEnd End, Address? First, Address? Last, PortRange? Ports);

/// <summary>Facts that somebody may look up before he asks again.</summary>
public static class PacketFact
{
    public const string In = "the interface that it comes in by", Out = "the interface that it leaves by";
}

/// <summary>A fact that nobody has said of the packet, and what this end takes it to be.</summary>
/// <param name="Fact">In words: <c>the protocol</c>.</param>
/// <param name="Question">What a rule asks of it, in nft's words; null: it is asked in more ways than two, or a die is thrown.</param>
public sealed record PacketCondition(string Fact, string? Question, bool IsSo)
{
    public override string ToString() => Question == null ? Fact : $"{Fact} ({(IsSo ? "" : "not ")}{Question})";
}

/// <summary>A rule that the packet met.</summary>
/// <param name="Stopped">The statement that it did not hold; null: the rule was done.</param>
/// <param name="By">The element of a set, in nft's words, by which that was so.</param>
public sealed record PacketStep(NftChain Chain, NftRule Rule, NftStatement? Stopped, string? By)
{
    /// <summary>It stands among what is wanted, but the kernel has refused it.</summary>
    public bool IsRefused { get; init; }

    public override string ToString()
    {
        var by = By == null ? "" : $" ({By})";
        var how = IsRefused ? "the kernel has refused it" : Stopped == null ? $"done{by}" : $"not held: {Stopped}{by}";
        return $"chain {Chain.Name}: {Rule}: {how}";
    }
}

/// <summary>What may become of a packet.</summary>
/// <param name="DependsOn">What was taken to be so, in the order in which it was asked.</param>
/// <param name="Places">The hooks that it comes by, as far as it comes.</param>
/// <param name="Trail">The rules that it meets; none where nobody wants to be told.</param>
public sealed record PacketEnd(
    PacketVerdict Verdict, ImmutableArray<PacketCondition> DependsOn, ImmutableArray<NftHookPoint> Places, ImmutableArray<PacketStep> Trail)
{
    /// <summary>What its source becomes; null: it stays.</summary>
    public PacketTranslation? Source { get; init; }

    public PacketTranslation? Destination { get; init; }

    /// <summary>Where it could not be walked on because it may be sent to any of these: each once, with a number of
    /// <see cref="Packet.Side"/> by which it is walked there.</summary>
    public ImmutableArray<(uint Side, Address To)> Sides { get; init; } = [];

    /// <summary>The rule that decided: the last that was done with a verdict or a translation; null: none was, and it goes on as it
    /// is.</summary>
    public PacketStep? Decided { get; init; }

    /// <summary>The same becomes of the packet, by whichever rules.</summary>
    public bool IsLike(PacketEnd other) =>
        (Verdict, Source, Destination) == (other.Verdict, other.Source, other.Destination);
}
