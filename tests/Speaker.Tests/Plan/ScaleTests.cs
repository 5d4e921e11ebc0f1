using System.Diagnostics;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using Xunit.Abstractions;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>
/// A large cluster: what one endpoint costs must not grow with the services there are. Held by allocations, which a busy machine does not
/// change; times are told, not judged.
/// </summary>
public class ScaleTests(ITestOutputHelper output)
{
    private static readonly BgpConfiguration Ranges = Global() with { ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12")] };

    private static Service Web(int number) => new(new Metadata($"web-{number}", "default"))
    {
        Type = ServiceType.NodePort,
        ExternalTrafficPolicy = TrafficPolicy.Local,
        ClusterIPs = [Address.FromIPv4(0x0a600000u + (uint)number)],
        IpFamilies = [IpFamily.IPv4],
    };

    private static EndpointSlice Slice(int number, string first) =>
        new(new Metadata($"web-{number}-x", "default") { Labels = Labelled((EndpointSlice.ServiceNameLabel, $"web-{number}")) })
        {
            Endpoints = [.. Enumerable.Range(0, 10).Select(
                i => new Endpoint([Address.FromIPv4(0xc0a80000u + (uint)i)], true, null, null, i == 0 ? first : $"node-{i}", null))],
        };

    private static Cluster Large(int nodes, int services) => Of(
    [
        Ranges,
        .. Enumerable.Range(0, nodes).Select(n => Node($"n{n:D4}", $"10.{1 + n / 250}.{n % 250}.1/16")),
        .. Enumerable.Range(0, services).Select(Web),
        .. Enumerable.Range(0, services).Select(number => Slice(number, number % 2 == 0 ? "a" : "b")),
    ]);

    private static Cluster Move(Cluster before, int number, string to, out ResourceChanges change)
    {
        var becomes = Slice(number, to);
        var after = before.With(becomes);
        change = new(
            before.Resources, after.Resources, [new(Kinds.EndpointSlice, becomes.Key, before.Resources.Find(becomes.Id), becomes)]);
        return after;
    }

    private (long Octets, double Microseconds) CostOfOneEndpoint(int services)
    {
        var cluster = Large(nodes: 3, services);
        var planner = cluster.Planner();
        var (changes, rounds) = (new List<ResourceChanges>(), 100);
        for (var i = 0; i < rounds; i++)
        {
            cluster = Move(cluster, i % 10, i / 10 % 2 == 0 ? "z" : "a", out var change);
            changes.Add(change);
        }
        planner.Apply(changes[0]);
        var (before, watch) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
        for (var i = 1; i < rounds; i++) planner.Apply(changes[i]);
        return ((GC.GetAllocatedBytesForCurrentThread() - before) / (rounds - 1), watch.Elapsed.TotalMicroseconds / (rounds - 1));
    }

    [Fact]
    public void One_endpoint_costs_the_same_with_ten_services_or_ten_thousand()
    {
        var (few, many) = (CostOfOneEndpoint(10), CostOfOneEndpoint(10_000));
        output.WriteLine($"one endpoint's change: {few.Octets} octets and {few.Microseconds:F0} µs with 10 services, "
            + $"{many.Octets} and {many.Microseconds:F0} µs with 10,000");
        // A persistent set copies the path to what changes: thirteen levels instead of four.
        Assert.InRange(many.Octets, 0, 4 * few.Octets);
    }

    /// <summary>Each peer's chain has the blocks of all nodes, which are one set for all peers: ten times the nodes cost no hundred
    /// times.</summary>
    [Fact]
    public void An_edit_of_one_block_costs_the_nodes_there_are_and_not_their_square()
    {
        static BlockAffinity BlockOf(int n) => Block($"192.168.{n / 4}.{n % 4 * 64}/26", node: $"n{n:D4}");
        static Cluster With(int nodes, BlockValidation validation) => Large(nodes, services: 1)
            .With([Global(), Pool("192.168.0.0/16"), .. Enumerable.Range(0, nodes).Select(BlockOf)])
            .Seen(settings => settings with { ValidateBlocks = validation });
        static (double Milliseconds, long Octets) CostOf(Cluster at)
        {
            var planner = at.Planner();
            var change = at.To(at.With(Block("192.168.0.64/26", AffinityState.PendingDeletion, node: "n0001")));
            var (before, watch) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
            planner.Apply(change);
            return (watch.Elapsed.TotalMilliseconds, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.InRange(CostOf(With(1000, BlockValidation.Off)).Octets, 0, 4096);
        var (few, many) = (CostOf(With(100, BlockValidation.Reject)), CostOf(With(1000, BlockValidation.Reject)));
        output.WriteLine($"another node's block: {few.Milliseconds:F1} ms and {few.Octets / 1024} KiB of 100 nodes, "
            + $"{many.Milliseconds:F1} ms and {many.Octets / 1024} KiB of 1,000");
        Assert.InRange(many.Octets, 0, 15 * few.Octets);
    }

    [Fact]
    public void A_mesh_of_a_thousand_nodes_is_planned()
    {
        var cluster = Large(nodes: 1000, services: 10_000);
        cluster.Planner();
        var (before, watch) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
        var planner = cluster.Planner();
        output.WriteLine($"1,000 nodes, 10,000 services with 100,000 endpoints: {watch.ElapsedMilliseconds} ms, "
            + $"{(GC.GetAllocatedBytesForCurrentThread() - before) >> 10} KiB allocated");
        watch.Restart();
        planner.Apply(cluster.Settings);
        output.WriteLine($"planned again: {watch.ElapsedMilliseconds} ms");
        Assert.Equal(1002 + 2, planner.Plan.Peers.Count);
        Assert.Equal(5_000, planner.ServiceRoutes.Count());
    }
}
