// A route's way through one shard, stage by stage, on the benchmark's own thread: what each stage costs a route, in time and in tables.
using BenchmarkDotNet.Attributes;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Wire.Attributes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

[MemoryDiagnoser, InvocationCount(1)]
public class StageBenchmarks
{
    private const int Routes = 1_000_000, Sets = 100_000, Contested = 50_000, Paths = 10;
    private readonly byte[][] attributes = [.. Enumerable.Range(0, Sets).Select(set => Samples.Attributes((uint)set))];
    private readonly byte[] prefixes = Samples.Prefixes(0, Routes);
    private Stages stages = null!;

    [GlobalCleanup]
    public void End() => stages.Dispose();

    [IterationSetup(Target = nameof(InternNew))]
    public void Empty() => Begin(new());

    [IterationSetup(Target = nameof(InternKnown))]
    public void Known()
    {
        Begin(new());
        stages.Intern(attributes);
    }

    /// <summary>A hundred thousand sets of 43 octets.</summary>
    [Benchmark(OperationsPerInvoke = Sets), Claim("a set: 88 B + its octets + index")]
    public void InternNew()
    {
        stages.Intern(attributes);
        TableOctets.Say(nameof(InternNew), stages.Attributes.Octets, Sets);
    }

    [Benchmark(OperationsPerInvoke = Sets), Claim("no allocation")]
    public void InternKnown() => stages.Intern(attributes);

    [IterationSetup(Target = nameof(Insert))]
    public void Interned() => Known();

    /// <summary>A million prefixes with their first path.</summary>
    [Benchmark(OperationsPerInvoke = Routes), Claim("42 to 48 B")]
    public void Insert()
    {
        stages.Announce(1, prefixes, Routes);
        TableOctets.Say(nameof(Insert), stages.Rib.Octets, Routes);
    }

    [IterationSetup(Target = nameof(Decide))]
    public void Contest()
    {
        Known();
        for (ushort peer = 1; peer <= Paths; peer++) stages.Announce(peer, prefixes.AsSpan(0, Contested * 4), Contested);
    }

    /// <summary>Prefixes with ten paths each, chosen anew; for each path.</summary>
    [Benchmark(OperationsPerInvoke = Contested * Paths), Claim("no allocation")]
    public void Decide()
    {
        for (uint node = 1; node < stages.Rib.Table.End; node++) stages.Rib.ChooseAgain(node);
    }

    [IterationSetup(Target = nameof(Export))]
    public void Announced()
    {
        Known();
        stages.Receive(100);
        stages.Announce(1, prefixes, Routes);
    }

    /// <summary>A million new routes through the export filter, packed and encoded for one peer.</summary>
    [Benchmark(OperationsPerInvoke = Routes), Claim("6 B a group")]
    public void Export()
    {
        stages.Export();
        TableOctets.Say(nameof(Export), stages.Outflow.Octets, Routes);
    }

    private void Begin(Stages next)
    {
        stages?.Dispose();
        stages = next;
    }

    private sealed class Stages : IRibOwner, IDisposable
    {
        private readonly PeerTable peers = new();
        private readonly List<uint> handles = new(2 * Sets);
        private long octets;

        public Stages()
        {
            var nextHops = new NextHops(new EverythingOnOneLink());
            Attributes = new(nextHops);
            Rib = new(IpFamily.IPv4, Attributes, nextHops, peers, new());
            var chores = new Chores([], Attributes, nextHops, new(Attributes, nextHops, (_, _, _) => { }), peers, 4096);
            var ways = new WayFinder([Rib], [null], nextHops, chores, (_, _) => { }, (_, _) => { }, NullLogger.Instance);
            Outflow = new(Rib, null, ways, Attributes, nextHops, peers, () => { }, this, NullLogger.Instance, 4096);
            for (ushort peer = 1; peer <= Paths; peer++) peers.Set(Samples.Peer(peer), _ => new());
        }

        public AttributeInterner Attributes { get; }
        public LocRib Rib { get; }
        public Outflow Outflow { get; }

        public void Intern(byte[][] sets)
        {
            foreach (var set in sets) handles.Add(Attributes.Intern(set, new AttributeView(set).Summarize(), default));
        }

        public void Announce(ushort peer, ReadOnlySpan<byte> nlri, int routes)
        {
            for (var route = 0; route < routes; route++)
            {
                var set = handles[route / (Routes / Sets) % Sets];
                Rib.Announce(new() { Peer = peer, Received = set, Accepted = set, Changed = 1 }, 24, nlri.Slice(route * 4 + 1, 3));
            }
        }

        public void Receive(ushort peer)
        {
            peers.Set(Samples.Peer(peer), _ => new());
            Outflow.Join(Samples.Peer(peer), new CountingOutlet(peer, length => octets += length));
        }

        public void Export()
        {
            Outflow.Distribute();
            while (Outflow.StepGroups(0)) { }
            if (octets == 0) throw new InvalidOperationException("nothing was sent");
        }

        public void Dispose()
        {
            Outflow.Dispose();
            Rib.Dispose();
            Attributes.Dispose();
        }

        PeerCounts IRibOwner.CountsOf(ushort peer, IpFamily family) => new();
        void IRibOwner.EndOfRib(ushort peer, IpFamily family) { }
        void IRibOwner.TableSent(IPeerOutlet outlet, IpFamily family) { }
        void IRibOwner.PrefixLimitExceeded(ushort peer, IpFamily family, int limit) { }
        void IRibOwner.CameToRest() { }
        void IRibOwner.WayMoved(int shard, Prefix prefix, Way? way) { }
        void IRibOwner.NextHopWatched(int shard, Address address, bool begins) { }
    }
}
