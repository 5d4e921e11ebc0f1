using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>A loop beside another process that still writes: it reads and follows, and nothing of it is in the kernel.</summary>
public class HeldTests
{
    private static readonly KernelOptions Held = new() { IsHeld = true };

    private static Task SeesAsync(KernelLoop loop, string prefix) =>
        Until.TrueAsync(() => loop.Current.Routes.ContainsKey((Prefix.Parse(prefix), 0, 254)));

    [NeedsFact(Needs.Namespaces)]
    public async Task What_is_wished_for_waits_until_the_other_process_has_ended()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync(Held);
        await loop.WishAsync(new[] { Wish("192.0.2.0/24", Via("10.0.0.2")), Wish("2001:db8::/32", Via("fd00::2")) });
        // Others' routes are followed meanwhile, and that is a round of the loop behind the wishes.
        ns.Ip("route add 198.51.100.0/24 via 10.0.0.2 proto static");
        await SeesAsync(loop, "198.51.100.0/24");
        Assert.Equal(("", "", 0L), (ns.Own(), ns.Own("-6"), loop.Status.Writes));
        loop.BeginWriting();
        await loop.SettledAsync();
        Assert.Equal(
            ("192.0.2.0/24 via 10.0.0.2 dev a0", "2001:db8::/32 via fd00::2 dev a0 metric 1024"), (ns.Own(), ns.Own("-6")));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_the_other_process_writes_meanwhile_is_adopted_and_what_nobody_wants_is_swept_afterwards()
    {
        using var ns = new NetworkNamespace();
        ns.Ip("route add 192.0.2.0/24 via 10.0.0.2 proto 12");
        await using var loop = await ns.StartAsync(Held);
        await loop.WishAsync(new[] { Wish("192.0.2.0/24", Via("10.0.0.2")), Wish("203.0.113.0/24", Via("10.0.0.2")) });
        ns.Ip("route add 203.0.113.0/24 via 10.0.0.2 proto 12");
        ns.Ip("route add 198.18.0.0/15 via 10.0.0.2 proto 12");
        ns.Ip("route add 198.51.100.0/24 via 10.0.0.2 proto static");
        await SeesAsync(loop, "198.51.100.0/24");
        loop.BeginWriting();
        await loop.SettledAsync();
        Assert.Equal(0L, loop.Status.Writes);
        await loop.SweepAsync();
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0\n203.0.113.0/24 via 10.0.0.2 dev a0", ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_the_other_process_takes_away_at_last_is_written_again()
    {
        using var ns = new NetworkNamespace();
        ns.Ip("route add 192.0.2.0/24 via 10.0.0.2 proto 12");
        await using var loop = await ns.StartAsync(Held);
        await loop.WishAsync(new[] { Wish("192.0.2.0/24", Via("10.0.0.2")) });
        ns.Ip("route del 192.0.2.0/24");
        ns.Ip("route add 198.51.100.0/24 via 10.0.0.2 proto static");
        await SeesAsync(loop, "198.51.100.0/24");
        Assert.Equal("", ns.Own());
        loop.BeginWriting();
        await Until.TrueAsync(() => ns.Own() == "192.0.2.0/24 via 10.0.0.2 dev a0");
    }
}
