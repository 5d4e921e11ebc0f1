using System.Collections.Immutable;

namespace Calico.Bgp.Bfd;

/// <summary>
/// One <see cref="IBfd"/> for several who want neighbours watched, each by a share of its own. Of a neighbour that several want there is
/// one session (RFC 5882 section 2), with times that serve all of them. Thread-safe.
/// </summary>
public sealed class BfdShares(IBfd of)
{
    private readonly List<Share> shares = [];
    private readonly Lock alone = new();

    /// <summary>For one owner.</summary>
    public IBfd Begin()
    {
        var share = new Share(this, of);
        lock (alone) shares.Add(share);
        return share;
    }

    private void Want(Share share, ImmutableArray<BfdTarget> all)
    {
        lock (alone)
        {
            if (share.Wanted.AsSpan().SequenceEqual(all.AsSpan())) return;
            share.Wanted = all;
            var joined = new OrderedDictionary<BfdKey, BfdTarget>();
            foreach (var target in shares.SelectMany(one => one.Wanted))
                if (!joined.TryAdd(target.Key, target)) joined[target.Key] = joined[target.Key].With(target);
            of.Want([.. joined.Values]);
        }
    }

    private sealed class Share(BfdShares shares, IBfd of) : IBfd
    {
        public ImmutableArray<BfdTarget> Wanted { get; set; } = [];

        public void Want(ImmutableArray<BfdTarget> all) => shares.Want(this, all);

        public ImmutableArray<BfdSessionStatus> Current => of.Current;
        public BfdLateness Lateness => of.Lateness;
        public long Strays => of.Strays;

        // All sessions go over to another process together, whosever they are.
        public Task<ImmutableArray<HandedBfd>> HandAsync(bool lends) => of.HandAsync(lends);
        public void TakeBack() => of.TakeBack();
        public Task FallSilentAsync() => of.FallSilentAsync();
        public void Expect(ImmutableArray<HandedBfd> handed) => of.Expect(handed);
        public void Adopt(ImmutableArray<HandedBfd> handed) => of.Adopt(handed);

        public event Action? Changed
        {
            add => of.Changed += value;
            remove => of.Changed -= value;
        }
    }
}
