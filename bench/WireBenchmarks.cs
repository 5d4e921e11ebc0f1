// What one UPDATE costs on its way in and out. The claim to hold: no allocation per message (Allocated: -), whatever its size.
using System.Buffers;
using BenchmarkDotNet.Attributes;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Bench;

[MemoryDiagnoser]
public class WireBenchmarks
{
    private readonly ArrayBufferWriter<byte> output = new(1 << 20);
    private readonly UpdateDecoder decoder = new(Samples.Session());
    private readonly UpdateEncoder encoder = new(new EncodeContext(true, 4096, false, FamilySet.None));
    private readonly byte[] attributes = Samples.Attributes();
    private byte[] update = [];
    private byte[] prefixes = [];

    /// <summary>Prefixes in one message: a lone change, and a full table's usual packing.</summary>
    [Params(1, 200)]
    public int Prefixes { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        prefixes = Samples.Prefixes(0, Prefixes);
        update = Samples.Update(0, Prefixes);
    }

    [Benchmark, Claim("no allocation")]
    public int Decode() => decoder.Decode(update).Announced.Nlri.Octets.Length;

    [Benchmark, Claim("no allocation")]
    public int Encode()
    {
        output.ResetWrittenCount();
        encoder.Announce(IpFamily.IPv4, attributes, prefixes, output);
        return output.WrittenCount;
    }
}
