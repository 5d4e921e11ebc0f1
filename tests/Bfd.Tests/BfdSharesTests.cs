using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bfd.Tests;

public class BfdSharesTests
{
    private sealed class Wanted : IBfd
    {
        public ImmutableArray<BfdTarget> All { get; private set; } = [];
        public int Times { get; private set; }

        public void Want(ImmutableArray<BfdTarget> all) => (All, Times) = (all, Times + 1);

        public ImmutableArray<BfdSessionStatus> Current => [];
        public BfdLateness Lateness { get; } = new();
        public long Strays => 0;
        public Task<ImmutableArray<HandedBfd>> HandAsync(bool lends) => Task.FromResult<ImmutableArray<HandedBfd>>([]);
        public void TakeBack() { }
        public Task FallSilentAsync() => Task.CompletedTask;
        public void Expect(ImmutableArray<HandedBfd> handed) { }
        public void Adopt(ImmutableArray<HandedBfd> handed) { }
        public event Action? Changed;

        public void Change() => Changed?.Invoke();
    }

    private static BfdTarget Target(string address, int milliseconds, int multiplier = 3) => new(new(Address.Parse(address), 2, false),
        new(TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(milliseconds), multiplier));

    [Fact]
    public void What_each_wants_is_watched_and_what_several_want_by_times_that_serve_all()
    {
        var bfd = new Wanted();
        var shares = new BfdShares(bfd);
        var (one, other) = (shares.Begin(), shares.Begin());
        one.Want([Target("192.0.2.1", 300), Target("192.0.2.2", 300)]);
        other.Want([Target("192.0.2.2", 100, 5), Target("192.0.2.3", 100)]);
        Assert.Equal([Target("192.0.2.1", 300), Target("192.0.2.2", 100), Target("192.0.2.3", 100)], bfd.All.AsEnumerable());
        one.Want([]);
        Assert.Equal([Target("192.0.2.2", 100, 5), Target("192.0.2.3", 100)], bfd.All.AsEnumerable());
        other.Want([Target("192.0.2.2", 100, 5), Target("192.0.2.3", 100)]);
        Assert.Equal(3, bfd.Times);
    }

    [Fact]
    public void Everybody_hears_of_changes()
    {
        var bfd = new Wanted();
        var heard = 0;
        var share = new BfdShares(bfd).Begin();
        share.Changed += () => heard++;
        bfd.Change();
        Assert.Equal(1, heard);
    }
}
