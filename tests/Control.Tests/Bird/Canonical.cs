using System.Buffers.Binary;
using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>Writes canonical attribute octets by hand, so that what birdc prints does not depend on our own encoder.</summary>
internal sealed class Canonical
{
    private readonly SortedDictionary<byte, (byte Flags, byte[] Value)> attributes = [];
    private AttributeSummary summary;

    public Canonical(Origin origin = Origin.Igp)
    {
        summary.Origin = origin;
        Add(AttributeType.Origin, 0x40, (byte)origin);
    }

    public Canonical Path(params uint[] sequence) => Segments((2, sequence));

    public Canonical Segments(params (byte Type, uint[] Numbers)[] segments)
    {
        summary.OriginAs = segments is [.., (2, [.., var last])] ? last : 0;
        return Add(AttributeType.AsPath, 0x40, [.. segments.Where(one => one.Numbers.Length > 0)
            .SelectMany(one => (byte[])[one.Type, (byte)one.Numbers.Length, .. Words(one.Numbers)])]);
    }

    public Canonical NextHop(params string[] addresses) => Add(AttributeType.NextHop, 0x40, [.. addresses.SelectMany(Octets)]);
    public Canonical Med(uint med) => Add(AttributeType.MultiExitDisc, 0x80, Words(med));
    public Canonical LocalPref(uint preference) => Add(AttributeType.LocalPref, 0x40, Words(preference));
    public Canonical Communities(params uint[] communities) => Add(AttributeType.Communities, 0xc0, Words(communities));
    public Canonical Large(params uint[] numbers) => Add(AttributeType.LargeCommunities, 0xc0, Words(numbers));
    public Canonical Extended(params ulong[] communities) =>
        Add(AttributeType.ExtendedCommunities, 0xc0, Words([.. communities.SelectMany(one => (uint[])[(uint)(one >> 32), (uint)one])]));
    public Canonical OriginatorId(string id) => Add(AttributeType.OriginatorId, 0x80, Octets(id));
    public Canonical Clusters(params string[] ids) => Add(AttributeType.ClusterList, 0x80, [.. ids.SelectMany(Octets)]);

    public Canonical Add(AttributeType type, byte flags, params byte[] value)
    {
        if (type == AttributeType.Aigp) summary.Marks |= AttributeMarks.HasAigp;
        attributes[(byte)type] = (flags, value);
        return this;
    }

    public AttributeSummary Summary => summary;

    public byte[] ToArray() => [.. attributes.SelectMany(one => Octets(one.Key, one.Value.Flags, one.Value.Value))];

    private static byte[] Octets(byte type, byte flags, byte[] value) => value.Length > 255
        ? [(byte)(flags | 0x10), type, (byte)(value.Length >> 8), (byte)value.Length, .. value]
        : [flags, type, (byte)value.Length, .. value];

    public static byte[] Words(params uint[] words)
    {
        var octets = new byte[4 * words.Length];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(4 * i), words[i]);
        return octets;
    }

    private static byte[] Octets(string address)
    {
        var octets = new byte[16];
        return octets[..Address.Parse(address).Write(octets)];
    }
}
