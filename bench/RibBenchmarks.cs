// A table's way through the RIB: decoded UPDATEs in from one peer, decision, export and encoded UPDATEs out to others.
using BenchmarkDotNet.Attributes;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

[MemoryDiagnoser, InvocationCount(1)]
public class RibBenchmarks
{
    private const int Prefixes = 100_000, PerMessage = 100;
    private readonly List<byte[]> updates = [];

    /// <summary>Peers of one export group that get the table.</summary>
    [Params(0, 1, 16)]
    public int Receivers { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        for (var first = 0; first < Prefixes; first += PerMessage) updates.Add(Samples.Update(first, PerMessage));
    }

    /// <summary>A hundred thousand prefixes with a thousand attribute sets, in and (to the receivers) out again.</summary>
    [Benchmark(OperationsPerInvoke = Prefixes), Claim("a fresh daemon: with its tables made and freed")]
    public long TableInAndOut()
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Environment.FailFast(loop.Name, defect));
        using var rib = new Rib.Rib(
            1, new DecisionSettings(), new EverythingOnOneLink(), null, new Nobody(), loops, NullLogger<Rib.Rib>.Instance);
        rib.Start();
        var outlets = Enumerable.Range(1, Receivers).Select(index => new CountingOutlet((ushort)index, _ => { })).ToList();
        foreach (var outlet in outlets) rib.PeerUp(Samples.Peer(outlet.Peer), outlet);
        rib.PeerUp(Samples.Peer(0), null);
        FeedAsync(rib.InletFor(0)).AsTask().Wait();
        rib.IdleAsync().Wait();
        return outlets.Sum(outlet => outlet.Octets);
    }

    private async ValueTask FeedAsync(RouteInlet inlet)
    {
        var decoder = new UpdateDecoder(Samples.Session());
        foreach (var update in updates)
        {
            Take(decoder, update, inlet);
            await inlet.FlushAsync();
        }
    }

    private static void Take(UpdateDecoder decoder, byte[] update, RouteInlet inlet)
    {
        var decoded = decoder.Decode(update);
        inlet.Receive(ref decoded);
    }

    private sealed class Nobody : IRibListener
    {
        public void EndOfRib(ushort peer, IpFamily family) { }
        public void PrefixLimitExceeded(ushort peer, IpFamily family, int limit) { }
        public void CameToRest() { }
    }
}
