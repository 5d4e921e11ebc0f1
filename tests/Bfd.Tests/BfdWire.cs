using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bfd.Tests;

/// <summary>Two machines at one wire, and the loops that watch there.</summary>
public abstract class BfdWire : IAsyncLifetime
{
    private readonly List<BfdLoop> loops = [];

    private protected Netns near = null!, far = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Namespaces) != null) return;
        (near, far) = (await Netns.MakeAsync("near"), await Netns.MakeAsync("far"));
        await Netns.JoinAsync(near, "eth0", ["10.0.0.1/24", "fd00::1/64"], far, "eth0", ["10.0.0.2/24", "fd00::2/64"]);
    }

    public async Task DisposeAsync()
    {
        foreach (var loop in loops) await loop.DisposeAsync();
        if (near != null) await near.DisposeAsync();
        if (far != null) await far.DisposeAsync();
    }

    private protected BfdLoop Made()
    {
        var registry = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (_, defect) => throw defect);
        var made = new BfdLoop(registry, TimeProvider.System, NullLogger<BfdLoop>.Instance);
        loops.Add(made);
        return made;
    }

    private protected async Task EndAsync(BfdLoop loop)
    {
        loops.Remove(loop);
        await loop.DisposeAsync();
    }

    /// <summary>Its sockets are of the namespace in which it begins to want.</summary>
    private protected static BfdLoop Want(Netns space, BfdLoop loop, params BfdTarget[] targets) => space.Inside(() =>
    {
        loop.Want([.. targets]);
        return loop;
    });

    private protected static BfdTarget Target(Netns from, string peer, BfdTimes times, bool multihop = false) =>
        new(new(Address.Parse(peer), multihop ? 0 : Link(from), multihop), times);

    private protected static int Link(Netns space) => int.Parse(space.Ip("-o link show eth0").Split(':')[0]);

    private protected static string Said(params BfdLoop[] loops) => string.Join('\n', loops.SelectMany(loop => loop.Current));
}
