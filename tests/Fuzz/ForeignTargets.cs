using System.Text;
using Calico.Bgp.Kernel.Foreign;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Fuzz;

/// <summary>Rules of others as the kernel tells them: whatever stands there, a packet gets an answer.</summary>
internal static class ForeignTargets
{
    private static readonly Packet Asked = new(Address.Parse("198.51.100.1"), Address.Parse("10.96.0.10"))
    {
        Protocol = IpProtocol.Tcp,
        DestinationPort = 80,
        In = "eth0",
    };

    private static readonly NftSet Shape = new("s", [NftType.Ipv4Address, NftType.Protocol, NftType.Port], false, [], [NftType.Verdict]);

    /// <summary>A map with what is asked, to a chain.</summary>
    private static readonly ToldSet Map = new(Shape,
    [
        NftElement.Of(Key(Asked.Destination), new NftVerdict(NftVerdictCode.Goto, "svc")),
        NftElement.Of(Key(Asked.Source), new NftVerdict(NftVerdictCode.Drop)),
    ]);

    private static NftOctets Key(Address address) => NftOctets.Of(NftOctets.Of(address), new([6]), NftOctets.Of(80));

    private sealed class Nowhere : IHostFacts
    {
        public bool? IsLocal(Address address) => null;
        public bool? IsLocalOn(Address address, string link) => null;
        public bool? ComesBackBy(Address source, uint mark, string link) => null;
    }

    private static ForeignPacket Walk() => new(Asked, new Nowhere(), isOwn: false, []);

    public static void Rule(byte[] octets) => new ForeignExpressions("a table", name => name == "s" ? Map : null, Walk()).Run(octets);

    public static void Entries(byte[] octets)
    {
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var table = LegacyTable.Of(family, octets, uint.MaxValue, new uint[5]);
            foreach (var rule in table.Rules(table.Start(NftHookPoint.Prerouting)!)) table.Ask(rule, Walk());
            table.Has("KUBE-SERVICES");
        }
    }

    public static void Services(byte[] octets) => IpvsServices.Read(Encoding.Latin1.GetString(octets).Split('\n')).Of(Asked);

    /// <summary>Expressions that load, compare, look up and translate.</summary>
    public static IEnumerable<byte[]> Rules()
    {
        NftRule[] rules =
        [
            new(new MatchFamily(IpFamily.IPv4), new MatchProtocols(IpProtocol.Tcp), new MatchPorts(NftEnd.Destination, 80),
                ActDecide.Jump("a")),
            new(new MatchFamily(IpFamily.IPv4), new MatchAddressPort(IpFamily.IPv4, NftEnd.Destination, "s"), ActDecide.Accept),
            new(new MatchMark(0x4000, 0x4000), new MatchInterface(Leaving: false, "eth0"), new ActCount(), ActDecide.Drop),
        ];
        foreach (var rule in rules)
        {
            var message = new NetlinkMessage();
            NftMessage.WriteRule(message, rule, []);
            yield return AttributeReader.Find(message.Attributes, 4).ToArray(); // EXPRESSIONS
        }
    }

    /// <summary>One entry that translates, one that ends a chain, and one that begins another, of either family.</summary>
    public static IEnumerable<byte[]> Tables()
    {
        foreach (var (head, addresses) in ((int, int)[])[(112, 84), (168, 136)])
        {
            var translates = Entry(head, addresses, Part(32 + 12, "tcp"), Part(32 + 40, "DNAT"));
            yield return [.. translates, .. Entry(head, addresses, [], Part(40, "")), .. Entry(head, addresses, [], Part(64, "ERROR"))];
        }
    }

    private static byte[] Entry(int head, int addresses, byte[] match, byte[] target)
    {
        byte[] entry = [.. new byte[head], .. match, .. target];
        BitConverter.TryWriteBytes(entry.AsSpan(addresses + 4), (ushort)(head + match.Length));
        BitConverter.TryWriteBytes(entry.AsSpan(addresses + 6), (ushort)entry.Length);
        return entry;
    }

    private static byte[] Part(int length, string name)
    {
        var part = new byte[length];
        BitConverter.TryWriteBytes(part, (ushort)length);
        Encoding.ASCII.GetBytes(name).CopyTo(part.AsSpan(2));
        if (name.Length == 0) BitConverter.TryWriteBytes(part.AsSpan(32), -5);
        return part;
    }
}
