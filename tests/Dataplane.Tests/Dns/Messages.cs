using System.Buffers.Binary;
using System.Text;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Dns;

/// <summary>A record of an answer.</summary>
/// <param name="Data">As it stands on the wire.</param>
internal sealed record Rr(string Owner, ushort Type, uint Ttl, byte[] Data)
{
    public ushort Class { get; init; } = DnsMessage.Internet;

    public static Rr Of(string owner, string address, uint ttl = 60)
    {
        var read = Address.Parse(address);
        var octets = new byte[read.Family.Octets()];
        read.Write(octets);
        return new(owner, read.IsIPv4 ? DnsType.A : DnsType.Aaaa, ttl, octets);
    }

    public static Rr Alias(string owner, string target, uint ttl = 60) => new(owner, DnsType.Cname, ttl, Messages.Name(target));
}

/// <summary>Messages as servers and resolvers write them, in octets.</summary>
internal static class Messages
{
    /// <summary>With the root's label, as it stands on the wire, and as spelled.</summary>
    public static byte[] Name(string text) => text.Length == 0 ? [0]
        : [.. text.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.Latin1.GetBytes(label)]), 0];

    public static byte[] Query(string name, ushort id = 7, ushort type = DnsType.A) =>
        [.. Header(id, 0x0100, 0, 1), .. Name(name), .. U16(type), 0, 1, .. Opt];

    /// <summary>With EDNS's record behind the answers (RFC 6891).</summary>
    public static byte[] Response(string name, Rr[] answers, ushort id = 7, ushort type = DnsType.A, ushort flags = 0x8180) =>
        [.. Header(id, flags, answers.Length, 1), .. Name(name), .. U16(type), 0, 1, .. answers.SelectMany(Octets), .. Opt];

    private static readonly byte[] Opt = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];

    private static byte[] Header(ushort id, ushort flags, int answers, int additional) =>
        [.. U16(id), .. U16(flags), 0, 1, .. U16(answers), 0, 0, .. U16(additional)];

    public static byte[] Octets(Rr record) =>
    [
        .. Name(record.Owner), .. U16(record.Type), .. U16(record.Class), .. U16((int)(record.Ttl >> 16)), .. U16((int)record.Ttl & 0xffff),
        .. U16(record.Data.Length), .. record.Data,
    ];

    public static byte[] U16(int value)
    {
        var octets = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, (ushort)value);
        return octets;
    }
}
