using System.Buffers.Binary;
using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// What a node says of its gateways to those that watch it, behind the packets by which it is watched: BFD's diagnostic has room for one
/// word of the whole node, and of several gateways each leads somewhere by itself.
/// </summary>
/// <param name="IsBehind">It waits for flows of others.</param>
/// <param name="Failing">Gateways whose targets upstream do not answer there; null: some, more than there is room for.</param>
/// <remarks>
/// <code>
/// "bgpe"  version (8)  1: waits for flows, 2: more gateways than there is room for (8)  count (16)  { gateway (32) }
/// </code>
/// A gateway is the beginning of its name's SHA-1, which all nodes know alike.
/// </remarks>
public sealed record GatewayRemark(bool IsBehind, ListOf<uint>? Failing)
{
    private const byte Version = 1, Waits = 1, TooMany = 2;
    private const int HeadOctets = 8, NumberOctets = sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "bgpe"u8;

    public static uint NumberOf(ResourceKey gateway)
    {
        Span<byte> hash = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.UTF8.GetBytes($"{gateway}"), hash);
        return BinaryPrimitives.ReadUInt32BigEndian(hash);
    }

    public static GatewayRemark Of(bool isBehind, IEnumerable<ResourceKey> failing, int room)
    {
        ListOf<uint> numbers = [.. failing.Select(NumberOf).Order()];
        return new(isBehind, HeadOctets + (NumberOctets * numbers.Count) <= room ? numbers : null);
    }

    /// <summary>Nothing where there is nothing to say.</summary>
    public ListOf<byte> Write()
    {
        if (!IsBehind && Failing is { Count: 0 }) return [];
        var numbers = Failing ?? [];
        var octets = new byte[HeadOctets + (NumberOctets * numbers.Count)];
        Magic.CopyTo(octets);
        octets[4] = Version;
        octets[5] = (byte)((IsBehind ? Waits : 0) | (Failing == null ? TooMany : 0));
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(6), (ushort)numbers.Count);
        for (var at = 0; at < numbers.Count; at++)
            BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(HeadOctets + (NumberOctets * at)), numbers[at]);
        return [.. octets];
    }

    /// <returns>Null: it is none, or one of another language.</returns>
    public static GatewayRemark? Read(ReadOnlySpan<byte> octets)
    {
        if (octets.Length < HeadOctets || !octets.StartsWith(Magic) || octets[4] != Version || (octets[5] & ~(Waits | TooMany)) != 0)
            return null;
        var (flags, count) = (octets[5], BinaryPrimitives.ReadUInt16BigEndian(octets[6..]));
        var isTooMany = (flags & TooMany) != 0;
        if (octets.Length != HeadOctets + (NumberOctets * count) || (isTooMany && count > 0)) return null;
        var numbers = new uint[count];
        for (var at = 0; at < count; at++) numbers[at] = BinaryPrimitives.ReadUInt32BigEndian(octets[(HeadOctets + (NumberOctets * at))..]);
        return new((flags & Waits) != 0, isTooMany ? null : [.. numbers]);
    }
}
