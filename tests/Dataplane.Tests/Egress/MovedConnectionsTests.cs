using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>When connections are looked at, in the kernel of a namespace.</summary>
public sealed class MovedConnectionsTests
{
    private static readonly Address Pod = Address.Parse("192.168.1.2"), Red = Address.Parse("10.10.10.0"),
        Outside = Address.Parse("198.51.100.1");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static EgressMovedScope Move(EgressExit now) => new(
        new Dictionary<Address, EgressMove> { [Pod] = new([], new([(Prefix.DefaultIPv4, now)])) }, [], KernelSnapshot.Empty, null);

    /// <summary>Its flows are put right behind it, and what has settled before says nothing of them.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_move_that_comes_while_another_settles_is_judged_when_it_has_settled_itself()
    {
        using var space = Netns.Make("moved");
        using var table = space.Inside(() => new ConnectionTable());
        var flow = new Flow(new(17, Pod, 1, Outside, 53, Red, 11), 0, true, true, 1000, 0);
        Assert.Equal((0, 0), table.Put([flow], yields: false));
        var (asked, counts) = (0, new EgressCounting());
        TaskCompletionSource isAsked = new(), first = new(), isAskedAgain = new();
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Assert.Fail($"{loop.Name}: {defect}"));
        await using var moved = new MovedConnections(table, loops, TimeProvider.System, NullLogger.Instance, counts, stop =>
        {
            asked++;
            if (asked == 1)
            {
                isAsked.SetResult();
                return first.Task.WaitAsync(stop);
            }
            table.Exchange([flow with { Key = flow.Key.Untranslated() }]);
            isAskedAgain.TrySetResult();
            return Task.Delay(Timeout.Infinite, stop);
        });
        moved.Look(Move(new(EgressExitKind.Here, [Red])));
        await isAsked.Task.WaitAsync(Patience);
        moved.Hold();
        moved.Look(Move(new(EgressExitKind.Away, [Red])));
        moved.Release();
        first.SetResult();
        await isAskedAgain.Task.WaitAsync(Patience);
        Assert.Equal(0, counts.Now.Ended);
        Assert.Single(table.Read(IpFamily.IPv4, _ => true, out _));
    }
}
