using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Net;

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

    /// <summary>What was asked and done for another process's sake, in order.</summary>
    public List<string> Said { get; } = [];

    public ImmutableArray<HandedBfd> Handed { get; set; } = [];

    public Task<ImmutableArray<HandedBfd>> HandAsync(bool lends)
    {
        Said.Add(lends ? "lends" : "says");
        return Task.FromResult(Handed);
    }

    public void TakeBack() => Said.Add("takes back");

    public Task FallSilentAsync()
    {
        Said.Add("falls silent");
        return Task.CompletedTask;
    }

    public void Expect(ImmutableArray<HandedBfd> handed)
    {
        Said.Add("expects");
        Show(handed);
    }

    public void Adopt(ImmutableArray<HandedBfd> handed)
    {
        Said.Add($"adopts for {Wanted.Length}");
        Show(handed);
        Changed?.Invoke();
    }

    private void Show(ImmutableArray<HandedBfd> handed) => Current =
    [
        .. handed.Select(one => new BfdSessionStatus
        {
            Key = new(Address.Parse(one.Peer), one.Interface, one.Multihop),
            Times = BfdTimes.Default,
            State = one.State,
            Since = one.Since,
            LastLoss = one.LastLoss,
            Counters = new(),
        }),
    ];

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
