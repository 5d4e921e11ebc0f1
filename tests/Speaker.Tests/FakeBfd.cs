using System.Collections.Immutable;
using Calico.Bgp.Bfd;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Whoever is watched is as a test says; nobody speaks to anybody.</summary>
internal sealed class FakeBfd : IBfd
{
    public ImmutableArray<BfdTarget> Wanted { get; private set; } = [];
    public ImmutableArray<BfdSessionStatus> Current { get; private set; } = [];
    public BfdLateness Lateness { get; } = new();
    public long Strays => 0;
    public event Action? Changed;

    public void Want(ImmutableArray<BfdTarget> all) => Wanted = all;

    /// <summary>Of all that is wanted.</summary>
    public void Become(BfdState state, BfdLoss? loss = null, bool isIndependent = false)
    {
        Current =
        [
            .. Wanted.Select(target => new BfdSessionStatus
            {
                Key = target.Key, Times = target.Times, State = state, Since = DateTimeOffset.UnixEpoch, LastLoss = loss, Counters = new(),
                RemoteIsIndependent = isIndependent,
            }),
        ];
        Changed?.Invoke();
    }
}
