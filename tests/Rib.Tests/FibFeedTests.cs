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
}
