using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>What a defect in one of this room's loops does: the process ends, and what was in force stays.</summary>
public sealed class DefectTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Loops loops;

    public DefectTests() => loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (loop, _) => ended.SetResult(loop.Name));

    [NeedsTheory(Needs.Namespaces)]
    [InlineData("kernel")]
    [InlineData("kernel watch")]
    public async Task A_defect_at_the_routes_ends_the_process_and_leaves_them(string name)
    {
        using var ns = new NetworkNamespace();
        await using var loop = new KernelLoop(new(), loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        await ns.Inside(() => loop.StartAsync(CancellationToken.None));
        await loop.Have(Wishes.Wish("192.0.2.0/24", Wishes.Via("10.0.0.2", ns.A)));
        loops.Provoke(name);
        ns.Ip("link set b0 mtu 1400");
        Assert.Equal(name, await ended.Task.WaitAsync(Patience));
        Assert.Equal($"the loop {name} has ended on a defect", loops.NotLiveBecause);
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0", ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Nobody_waits_for_a_kernel_loop_that_has_met_a_defect()
    {
        using var ns = new NetworkNamespace();
        await using var loop = new KernelLoop(new(), loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        await ns.Inside(() => loop.StartAsync(CancellationToken.None));
        loops.Provoke("kernel");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop.SettledAsync().AsTask().WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<Exception>(
            () => loop.WishAsync(new[] { Wishes.Wish("192.0.2.0/24", Wishes.Via("10.0.0.2", ns.A)) }).AsTask());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_kernel_loop_that_meets_a_defect_at_its_first_look_does_not_keep_the_start_waiting()
    {
        using var ns = new NetworkNamespace();
        await using var loop = new KernelLoop(new(), loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        loops.Provoke("kernel");
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => ns.Inside(() => loop.StartAsync(CancellationToken.None)).WaitAsync(Patience));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_fails_while_it_hears_of_the_kernels_changes_is_the_kernel_loops_defect()
    {
        using var ns = new NetworkNamespace();
        await using var loop = new KernelLoop(new(), loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        await ns.Inside(() => loop.StartAsync(CancellationToken.None));
        loop.Changed += _ => throw new IOException("a subscriber's");
        ns.Ip("link set b0 mtu 1400");
        Assert.Equal("kernel", await ended.Task.WaitAsync(Patience));
    }

    [NeedsTheory(Needs.Namespaces, "nft")]
    [InlineData("nftables")]
    [InlineData("nftables watch")]
    public async Task A_defect_at_the_rules_ends_the_process_and_leaves_them(string name)
    {
        using var ns = new NetworkNamespace();
        await using var loop = ns.Inside(() =>
        {
            var made = new NftablesLoop(Name, loops, TimeProvider.System, NullLogger<NftablesLoop>.Instance);
            made.Start();
            return made;
        });
        await loop.ApplyAsync([new NftChange.PutSet(Prefixes("pools", "10.0.0.0/8"))]);
        loops.Provoke(name);
        ns.Nft("add table inet others");
        var next = loop.ApplyAsync([new NftChange.PutSet(Prefixes("pools", "10.0.0.0/8", "192.168.0.0/16"))]);
        Assert.Equal(name, await ended.Task.WaitAsync(Patience));
        Assert.Equal($"the loop {name} has ended on a defect", loops.NotLiveBecause);
        if (name == "nftables") await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience));
        Assert.Contains("10.0.0.0/8", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
    }
}
