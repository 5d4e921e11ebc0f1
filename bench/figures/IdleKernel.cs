using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bench;

/// <summary>A kernel with one interface that takes every wish and does nothing: what is measured ends at the neighbour.</summary>
internal sealed class IdleKernel : IKernel
{
    public KernelSnapshot Current { get; } = KernelSnapshot.Empty with
    {
        Links = new[] { new Link(2, "eth0", 0x11043, 1500, 0, null) }.ToImmutableDictionary(link => link.Index),
        Addresses = [new(2, Address.Parse("10.0.0.1"), 24, null, 0, false)],
    };

    public event Action<KernelSnapshot>? Changed { add { } remove { } }

    public KernelStatus Status => new(0, 0, 0, 0, 0, 0, []);

    public ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default) => default;
    public ValueTask SweepAsync(CancellationToken stop = default) => default;
    public ValueTask FlushAsync(CancellationToken stop = default) => default;

    public async IAsyncEnumerable<OwnRoute> OwnRoutes([EnumeratorCancellation] CancellationToken stop = default)
    {
        await Task.CompletedTask;
        yield break;
    }
}
