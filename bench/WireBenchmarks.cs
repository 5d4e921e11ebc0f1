// What one UPDATE costs on its way in and out. The claim to hold: no allocation per message (Allocated: -), whatever its size.
using System.Buffers;
using BenchmarkDotNet.Attributes;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Bench;

[MemoryDiagnoser]
public class WireBenchmarks
{
    private readonly ArrayBufferWriter<byte> output = new(1 << 20);
    private UpdateDecoder decoder = null!;
    private UpdateEncoder encoder = null!;
    private byte[] update = [];
    private byte[] attributes = [];
    private byte[] prefixes = [];

    /// <summary>Prefixes in one message: a lone change, and a full table's usual packing.</summary>
    [Params(1, 200)]
    public int Prefixes { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        // ORIGIN IGP, AS_PATH 65002 3356 15169, NEXT_HOP 10.99.0.2, MED 50, COMMUNITIES 65002:1 65002:2
        attributes = Convert.FromHexString(
            "40010100" + "40020e02030000fdea00000d1c00003b41" + "4003040a630002" + "80040400000032" + "c00808fdea0001fdea0002");
        prefixes = [.. Enumerable.Range(0, Prefixes).SelectMany(n => new byte[] { 24, 20, (byte)(n >> 8), (byte)n })];
        update = [0, 0, (byte)(attributes.Length >> 8), (byte)attributes.Length, .. attributes, .. prefixes];
        decoder = new UpdateDecoder(Session());
        encoder = new UpdateEncoder(new EncodeContext(true, 4096, false, FamilySet.None));
    }

    [Benchmark]
    public int Decode() => decoder.Decode(update).Announced.Nlri.Octets.Length;

    [Benchmark]
    public int Encode()
    {
        output.ResetWrittenCount();
        encoder.Announce(IpFamily.IPv4, attributes, prefixes, output);
        return output.WrittenCount;
    }

    private static Negotiated Session()
    {
        var open = new OpenMessage(new Asn(65002), 90, new RouterId(0x0a630002), new CapabilitySet());
        return new Negotiated
        {
            LocalAs = new Asn(65001),
            PeerAs = new Asn(65002),
            LocalId = new RouterId(0x0a630001),
            PeerId = new RouterId(0x0a630002),
            LocalAddress = Address.Parse("10.99.0.1"),
            PeerAddress = Address.Parse("10.99.0.2"),
            FourOctetAs = true,
            Families = FamilySet.Both,
            Sent = open,
            Received = open,
        };
    }
}
