using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>A kernel that holds what it is wished, and whose links are what a test says.</summary>
internal sealed class FakeKernel : IKernel
{
    public KernelSnapshot Current { get; private set; } = Node();
    public event Action<KernelSnapshot>? Changed;

    /// <summary>Every wish in order; <see cref="Holds"/> is what they come to.</summary>
    public ConcurrentQueue<RouteWish> Wishes { get; } = [];
    public ConcurrentDictionary<Prefix, RouteTarget> Holds { get; } = [];
    public int Sweeps => Volatile.Read(ref sweeps);
    private int sweeps;

    public KernelStatus Status => new(Holds.Count, Holds.Count, 0, Wishes.Count, 0, 0, []);

    /// <summary>A node with eth0 (2) on 10.0.0.0/24 and fd00::/64, and eth1 (3) without addresses.</summary>
    public static KernelSnapshot Node(bool eth0Up = true, int eth1 = 3) => new(
        1,
        new Link[] { Link(1, "lo", up: true) with { Flags = 0x10049 }, Link(2, "eth0", eth0Up), Link(eth1, "eth1", up: true) }
            .ToImmutableDictionary(link => link.Index),
        [new(2, Address.Parse("10.0.0.1"), 24, null, 0, false), new(2, Address.Parse("fd00::1"), 64, null, 0, false)],
        KernelSnapshot.Empty.Routes);

    public static Link Link(int index, string name, bool up) => new(index, name, up ? 0x11043u : 0x1002u, 1500, 0, null);

    public void Become(KernelSnapshot snapshot)
    {
        Current = snapshot;
        Changed?.Invoke(snapshot);
    }

    /// <summary>What whoever wishes meets from now on.</summary>
    public Exception? Mistake { get; set; }

    public ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default)
    {
        if (Mistake != null) throw Mistake;
        foreach (var wish in wishes.Span)
        {
            Wishes.Enqueue(wish);
            if (wish.Target is { } target) Holds[wish.Prefix] = target;
            else Holds.TryRemove(wish.Prefix, out _);
        }
        return default;
    }

    public Exception? SweepMistake { get; set; }

    public ValueTask SweepAsync(CancellationToken stop = default)
    {
        if (SweepMistake != null) throw SweepMistake;
        Interlocked.Increment(ref sweeps);
        return default;
    }

    public ValueTask FlushAsync(CancellationToken stop = default) => default;

    public async IAsyncEnumerable<OwnRoute> OwnRoutes([EnumeratorCancellation] CancellationToken stop = default)
    {
        await Task.CompletedTask;
        yield break;
    }
}
