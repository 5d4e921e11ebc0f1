using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests;

public sealed class DataplaneLoopTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly NatSettings On = new() { Enabled = true };
    private static readonly NatSettings Upstream = On with { Upstream = new() { AllPeers = true } };

    private readonly Table nftables = new();
    private readonly QuietKernel kernel = new();
    private readonly ConnectionTable connections = new();
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Loops loops;
    private readonly DataplaneLoop dataplane;

    public DataplaneLoopTests()
    {
        loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => ended.SetResult($"{loop.Name}: {defect.Message}"));
        dataplane = new(new("node1", Upstream), nftables, kernel, connections, loops, TimeProvider.System,
            NullLogger<DataplaneLoop>.Instance)
        {
            Serving = served =>
            {
                nftables.Events.Add(served == null ? "others serve" : $"serves [{string.Join(' ', served)}]");
                return Task.FromResult(ImmutableHashSet<Address>.Empty);
            },
        };
        dataplane.Start();
    }

    public async ValueTask DisposeAsync()
    {
        nftables.Open();
        await dataplane.DisposeAsync();
        connections.Dispose();
    }

    [Fact]
    public async Task Nothing_is_written_before_the_resources_are_known()
    {
        await dataplane.TellAsync(RoutingFacts.None);
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.Empty(nftables.Applied);
        await dataplane.ApplyAsync(Plans.Come(Plans.Pool("pods", "10.0.0.0/16")));
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.Single(nftables.Applied);
    }

    [Fact]
    public async Task Before_the_resources_are_known_what_becomes_of_packets_depends_on_an_earlier_run()
    {
        var packet = new Packet(Address.Parse("10.0.0.1"), Address.Parse("198.51.100.1"));
        var before = await dataplane.ExplainAsync(packet).WaitAsync(Patience);
        Assert.Equal((null, "what an earlier run has left"), (before.Translated, Assert.Single(before.DependsOn)));
        await dataplane.ApplyAsync(Plans.Come(Plans.Pool("pods", "10.0.0.0/16")));
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.DoesNotContain("what an earlier run has left", (await dataplane.ExplainAsync(packet).WaitAsync(Patience)).DependsOn);
    }

    [Theory]
    [InlineData("192.168.1.2", null, "cali7")]
    [InlineData("192.168.1.2", "eth0", "eth0")]
    [InlineData("192.168.1.3", null, null)]
    [InlineData("192.0.2.1", null, null)]
    public async Task What_a_pod_of_this_node_sends_comes_in_by_its_interface_where_no_other_is_said(string from, string? said, string? by)
    {
        await dataplane.ConfigureAsync(new("node1", On, Policy: new() { Enabled = true }));
        kernel.Have(new(7, "cali7", 0, 1500, 0, null), new(2, Address.Parse("192.0.2.1"), 24, null, 0, false));
        await dataplane.ApplyAsync(Plans.Come(new WorkloadEndpoint(new Metadata("a", "alpha"))
        {
            Node = "node1",
            Interface = "cali7",
            Nets = [new(Address.Parse("192.168.1.2"), 32)],
        }));
        await dataplane.SettledAsync().WaitAsync(Patience);
        await dataplane.ExplainAsync(new(Address.Parse(from), Address.Parse("198.51.100.1")) { In = said }).WaitAsync(Patience);
        Assert.Equal(by, nftables.Walked!.In);
    }

    [Fact]
    public async Task A_defect_of_its_loop_ends_the_process_and_nobody_waits_for_it_any_more()
    {
        nftables.Defect = new InvalidOperationException("broken");
        await dataplane.ApplyAsync(Plans.Come(Plans.Pool("pods", "10.0.0.0/16")));
        await Assert.ThrowsAnyAsync<Exception>(() => dataplane.SettledAsync().WaitAsync(Patience));
        Assert.Equal("dataplane: broken", await ended.Task.WaitAsync(Patience));
        Assert.Equal("the loop dataplane has ended on a defect", loops.NotLiveBecause);
    }

    [Fact]
    public async Task However_many_routes_the_kernel_moves_while_the_loop_is_busy_it_looks_again_but_once_or_twice()
    {
        await dataplane.ApplyAsync(Plans.Come(Plans.Pool("pods", "10.0.0.0/16")));
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.True(dataplane.Question.IsAsked);
        nftables.Close();
        await dataplane.ApplyAsync(Plans.Come(Plans.Pool("pods", "10.1.0.0/16")));
        await nftables.Waiting.WaitAsync(Patience);

        kernel.Looks = 0;
        for (var i = 0; i < 10_000; i++) kernel.Move();
        nftables.Open();
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.InRange(kernel.Looks, 1, 10);
    }

    [Fact]
    public async Task Who_announces_hears_of_an_address_once_it_leads_somewhere_and_before_it_does_no_more()
    {
        var web = new Service(new Metadata("web", "shop"))
        {
            ClusterIPs = [Address.Parse("10.96.0.10")],
            Ports = [new("http", ServiceProtocol.TCP, 80, 0)],
        };
        var slice = new EndpointSlice(new Metadata("web-1", "shop") { Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, "web")]) })
        {
            Endpoints = [new([Address.Parse("10.1.0.5")], true, null, null, "node2", null)],
            Ports = [new("http", ServiceProtocol.TCP, 8080, 0)],
        };
        await dataplane.ApplyAsync(Plans.Come(web, slice));
        await dataplane.SettledAsync().WaitAsync(Patience);
        await dataplane.ConfigureAsync(new("node1", Services: new() { Enabled = true, Kubernetes = true }));
        await dataplane.SettledAsync().WaitAsync(Patience);
        await dataplane.ApplyAsync([new(slice.Kind, slice.Key, slice, null)]);
        await dataplane.SettledAsync().WaitAsync(Patience);
        await dataplane.ConfigureAsync(new("node1", On));
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.Equal(
            "written, in force, others serve, written, in force, serves [10.96.0.10], serves [], written, in force, written, in force, "
            + "others serve",
            string.Join(", ", nftables.Events));
    }

    [Fact]
    public async Task A_host_endpoint_by_its_address_is_there_as_soon_as_an_interface_has_the_address()
    {
        await dataplane.ConfigureAsync(new("node1", Policy: new() { Enabled = true }));
        await dataplane.ApplyAsync(Plans.Come(new HostEndpoint(new Metadata("host"))
        {
            Node = "node1",
            ExpectedIPs = [Address.Parse("192.0.2.1")],
        }));
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.Equal(0, dataplane.Policy.Hosts);
        kernel.Have(new(7, "eth7", 0, 1500, 0, null), new(7, Address.Parse("192.0.2.1"), 24, null, 0, false));
        await dataplane.SettledAsync().WaitAsync(Patience);
        Assert.Equal(1, dataplane.Policy.Hosts);
    }

    /// <summary>A table that takes all, or has whoever comes wait at the door.</summary>
    internal sealed class Table : INftables
    {
        private volatile TaskCompletionSource door = Opened();
        private readonly TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<ImmutableArray<NftChange>> Applied { get; } = [];

        /// <summary>What happened, in order, on the dataplane's loop.</summary>
        public List<string> Events { get; } = [];
        public Exception? Defect { get; set; }

        /// <summary>The last that was asked about.</summary>
        public Packet? Walked { get; private set; }
        public Task Waiting => waiting.Task;
        public NftStatus Status => NftStatus.None;
        public event Action? Disturbed;
        public QueueWay QueueWay { get; init; } = QueueWay.Expression;

        public void Close() => door = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public void Open() => door.TrySetResult();
        public void Disturb() => Disturbed?.Invoke();

        public async Task ApplyAsync(ImmutableArray<NftChange> changes, CancellationToken stop = default)
        {
            if (Defect != null) throw Defect;
            Applied.Add(changes);
            Events.Add("written");
            if (!door.Task.IsCompleted) waiting.TrySetResult();
            await door.Task.WaitAsync(stop);
            Events.Add("in force");
        }

        public Task<ImmutableArray<PacketEnd>> WalkAsync(Packet packet, IHostFacts facts, CancellationToken stop = default)
        {
            Walked = packet;
            return Task.FromResult(PacketWalk.Ends(new PacketTable([], []), facts, packet));
        }

        public Task<ImmutableArray<bool>> DropsAsync(
            ImmutableArray<Packet> packets, IHostFacts facts, CancellationToken stop = default) =>
            Task.FromResult<ImmutableArray<bool>>([.. packets.Select(_ => false)]);

        public Task<ImmutableArray<NftCount>> CountersAsync(string prefix, CancellationToken stop = default) =>
            Task.FromResult<ImmutableArray<NftCount>>([]);

        /// <summary>What an earlier run has left.</summary>
        public ImmutableArray<(string Set, NftOctets Key)> Left { get; init; } = [];

        public Task<ImmutableArray<(string Set, NftOctets Key)>> KeysAsync(ImmutableArray<string> sets, CancellationToken stop = default) =>
            Task.FromResult<ImmutableArray<(string Set, NftOctets Key)>>([.. Left.Where(one => sets.Contains(one.Set))]);

        public Task<string?> FlushAsync(CancellationToken stop = default) => Task.FromResult<string?>(null);

        private static TaskCompletionSource Opened()
        {
            var door = new TaskCompletionSource();
            door.SetResult();
            return door;
        }
    }

    /// <summary>A kernel without routes, whose table moves all the same; it counts who looks.</summary>
    internal sealed class QuietKernel : IKernel
    {
        private KernelSnapshot current = KernelSnapshot.Empty;

        public int Looks;
        public KernelSnapshot Current
        {
            get
            {
                Interlocked.Increment(ref Looks);
                return current;
            }
        }
        public event Action<KernelSnapshot>? Changed;
        public KernelStatus Status => new(0, 0, 0, 0, 0, 0, []);

        public void Move()
        {
            current = current with { Version = current.Version + 1 };
            Changed?.Invoke(current);
        }

        public void Have(Link link, LinkAddress address)
        {
            current = current with
            {
                Version = current.Version + 1,
                Links = current.Links.Add(link.Index, link),
                Addresses = [.. current.Addresses, address],
            };
            Changed?.Invoke(current);
        }

        public ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default) => default;
        public ValueTask SweepAsync(CancellationToken stop = default) => default;
        public ValueTask FlushAsync(CancellationToken stop = default) => default;

        public async IAsyncEnumerable<OwnRoute> OwnRoutes([EnumeratorCancellation] CancellationToken stop = default)
        {
            await Task.CompletedTask;
            yield break;
        }
    }
}
