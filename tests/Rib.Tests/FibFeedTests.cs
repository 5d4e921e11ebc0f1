using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Rib.Tests;

public class FibFeedTests
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Two = Prefix.Parse("198.51.100.0/24");
    private static readonly Address NextHop = Address.Parse("10.0.0.200"), Other = Address.Parse("10.0.0.201");

    private static byte[] Via(RibRig rig, Address nextHop, uint med = 0) => rig.Attributes(editor =>
    {
        editor.SetNextHop(nextHop);
        editor.Prepend(new(64501));
        editor.SetMed(med);
    });

    [Fact]
    public async Task The_kernel_follows_the_best_path_and_its_next_hop()
    {
        var kernel = new RememberingKernel();
        using var rig = new RibRig(fib: kernel);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Via(rig, NextHop), One, Two);
        await rig.Rib.IdleAsync();
        Assert.Equal((NextHop, NextHop), (kernel.GatewayOf(One), kernel.GatewayOf(Two)));
        await rig.AnnounceAsync(1, Via(rig, Other), One);
        await rig.WithdrawAsync(1, Two);
        await rig.Rib.IdleAsync();
        Assert.Equal((Other, null), (kernel.GatewayOf(One), kernel.GatewayOf(Two)));
        rig.Rib.NextHopsChanged(new FlatNetwork(Other));
        await rig.Rib.IdleAsync();
        Assert.Null(kernel.GatewayOf(One));
    }

    [Fact]
    public async Task A_change_that_leads_the_same_way_is_not_told()
    {
        var kernel = new RememberingKernel();
        using var rig = new RibRig(fib: kernel);
        rig.Up(RibRig.Peer(1));
        for (var med = 0u; med < 10; med++)
        {
            await rig.AnnounceAsync(1, Via(rig, NextHop, med), One);
            await rig.Rib.IdleAsync();
        }
        Assert.Equal(1, kernel.Told);
    }

    [Fact]
    public async Task A_kernel_without_room_gets_the_last_state_once_and_announcements_do_not_wait_for_it()
    {
        var kernel = new RememberingKernel { HasNoRoom = true };
        using var rig = new RibRig(fib: kernel);
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, Via(rig, NextHop), One);
        await rig.AnnounceAsync(1, Via(rig, Other), One);
        await rig.Rib.IdleAsync();
        Assert.Equal([One], other.Holds.Keys);
        kernel.HasNoRoom = false;
        rig.Rib.Wake();
        await rig.Rib.IdleAsync();
        Assert.Equal((Other, 1), (kernel.GatewayOf(One), kernel.Told));
    }

    [Fact]
    public async Task The_kernels_filter_decides_what_it_gets()
    {
        var kernel = new RememberingKernel { Export = RejectAll.Instance };
        using var rig = new RibRig(fib: kernel);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Via(rig, NextHop), One);
        await rig.Rib.IdleAsync();
        Assert.Null(kernel.GatewayOf(One));
        kernel.Export = AcceptAll.Instance;
        rig.Rib.FibFilterChanged();
        await rig.Rib.IdleAsync();
        Assert.Equal(NextHop, kernel.GatewayOf(One));
    }

    /// <summary>As far as <see cref="NextHop"/>.</summary>
    private static readonly Address Beside = Address.Parse("10.0.0.202");
    private const ulong Transitive = 0x0004_5ba0_0000_0000, NonTransitive = 0x4004_5ba0_0000_0000;

    /// <summary>draft-ietf-idr-link-bandwidth; what FRR does by default where all paths have one, or not all.</summary>
    [Theory]
    [InlineData(Transitive, 1e9f, Transitive, 1e9f, 1, 1)]
    [InlineData(Transitive, 1e9f, Transitive, 3e9f, 1, 3)]
    [InlineData(NonTransitive, 3e9f, NonTransitive, 1e9f, 3, 1)]
    [InlineData(NonTransitive, 1e9f, Transitive, 2.5e9f, 2, 5)]
    [InlineData(Transitive, 1f, Transitive, 1e9f, 1, 256)]
    [InlineData(Transitive, 1e9f, 0ul, 0f, 1, 1)]
    [InlineData(Transitive, 3e9f, Transitive, 0f, 1, 1)]
    [InlineData(Transitive, 3e9f, Transitive, float.NaN, 1, 1)]
    [InlineData(Transitive, 3e9f, Transitive, -1f, 1, 1)]
    [InlineData(Transitive, 3e9f, Transitive, float.PositiveInfinity, 1, 1)]
    public async Task Routes_that_all_say_their_bandwidth_share_packets_in_proportion(
        ulong kind, float bandwidth, ulong otherKind, float otherBandwidth, int weight, int otherWeight)
    {
        var kernel = new RememberingKernel();
        using var rig = new RibRig(fib: kernel, settings: new() { MultipathLimit = 4, MultipathRelax = true });
        foreach (var (inner, first) in ((bool, ushort)[])[(false, 1), (true, 3)])
        {
            rig.Up(RibRig.Peer(first, inner: inner));
            rig.Up(RibRig.Peer((ushort)(first + 1), inner: inner));
            var prefix = inner ? Two : One;
            await rig.AnnounceAsync(first, WithBandwidth(rig, NextHop, kind, bandwidth), prefix);
            await rig.AnnounceAsync((ushort)(first + 1), WithBandwidth(rig, Beside, otherKind, otherBandwidth), prefix);
            await rig.Rib.IdleAsync();
            Assert.Equal([(NextHop, weight), (Beside, otherWeight)], WeightsOf(kernel, prefix));
        }
        var read = await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4));
        var ofOne = read.Where(route => route.Prefix == One).OrderBy(route => route.Peer);
        Assert.Equal([weight, otherWeight], ofOne.Select(route => route.Weight));
    }

    [Fact]
    public async Task A_bandwidth_that_changes_moves_the_packets_and_one_that_goes_makes_all_equal()
    {
        var kernel = new RememberingKernel();
        using var rig = new RibRig(fib: kernel, settings: new() { MultipathLimit = 4, MultipathRelax = true });
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, WithBandwidth(rig, NextHop, Transitive, 1e9f), One);
        foreach (var (bandwidth, weight) in ((float, int)[])[(2e9f, 2), (7e9f, 7), (0, 1)])
        {
            await rig.AnnounceAsync(2, WithBandwidth(rig, Beside, Transitive, bandwidth), One);
            await rig.Rib.IdleAsync();
            Assert.Equal([(NextHop, 1), (Beside, weight)], WeightsOf(kernel, One));
        }
    }

    [Fact]
    public async Task What_the_kernel_is_told_is_counted()
    {
        var kernel = new RememberingKernel();
        using var rig = new RibRig(fib: kernel);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Via(rig, NextHop), One, Two);
        await rig.AnnounceAsync(1, Via(rig, Other), One);
        await rig.WithdrawAsync(1, Two);
        await rig.Rib.IdleAsync();
        var counts = rig.Rib.CountsOf(kernel.CountedAs(IpFamily.IPv4), IpFamily.IPv4);
        Assert.Equal((1, kernel.Told), (counts.Exported, counts.ExportUpdates + counts.ExportWithdraws));
        Assert.Equal(0, rig.Rib.CountsOf(kernel.CountedAs(IpFamily.IPv6), IpFamily.IPv6).Exported);
    }

    private static byte[] WithBandwidth(RibRig rig, Address nextHop, ulong kind, float bandwidth) => rig.Attributes(editor =>
    {
        editor.SetNextHop(nextHop);
        editor.Prepend(new(64501));
        if (kind != 0) editor.AddExtendedCommunity(new(kind | BitConverter.SingleToUInt32Bits(bandwidth)));
    });

    private static IEnumerable<(Address, int)> WeightsOf(RememberingKernel kernel, Prefix prefix) =>
        kernel.TargetOf(prefix)!.Vias.Select(via => (via.Gateway!.Value, via.Weight)).Order();
}
