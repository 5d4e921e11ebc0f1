using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Kernel.Nfqueue;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsLoopTests
{
    private sealed class Nobody : IQueueReader
    {
        public void Read(in QueuedPacket packet) { }
        public void EndTurn() { }
        public void BeginAgain() { }
    }

    private static Loops Watched() => new(TimeProvider.System, NullLogger<Loops>.Instance,
        (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));

    private static DnsPlan Plan(int id) => new([new DnsSet(id, [], "four", "six")], [], new(), IsFresh: true);

    /// <summary>As while another process hands over: all is written meanwhile, and nothing learned.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Queues_that_another_has_are_asked_for_again_until_they_are_had()
    {
        using var ns = Netns.Make("dns");
        var other = new PacketQueues("another's", Watched());
        ns.Inside(() =>
        {
            other.Start(new Nobody(), DnsLoop.Queries, DnsLoop.Responses);
            return true;
        });
        var table = new DataplaneLoopTests.Table();
        await using var dns = new DnsLoop(table, new DataplaneLoopTests.QuietKernel(), Watched(), TimeProvider.System, NullLogger.Instance);
        NftChange change = new NftChange.PutCounter("pol-one");
        await ns.Inside(() => dns.WriteAsync([change], Plan(1), default));
        Assert.Equal([change], Assert.Single(table.Applied).ToArray());
        Assert.Contains("queue 5301", dns.View.Problem, StringComparison.Ordinal);
        Assert.NotNull(dns.Due);
        await ns.Inside(() => dns.ListenAsync(Plan(1), default));
        Assert.NotNull(dns.View.Problem);
        await other.DisposeAsync();
        await ns.Inside(() => dns.ListenAsync(Plan(1), default));
        Assert.Null(dns.View.Problem);
        Assert.Null(dns.Due);
        await dns.StopAsync();
        Assert.False(dns.View.IsInUse);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_is_written_while_names_are_in_use_goes_through_as_it_is()
    {
        using var ns = Netns.Make("dns");
        var table = new DataplaneLoopTests.Table();
        await using var dns = new DnsLoop(table, new DataplaneLoopTests.QuietKernel(), Watched(), TimeProvider.System, NullLogger.Instance);
        NftChange first = new NftChange.PutCounter("pol-one"), second = new NftChange.RemoveCounter("pol-one");
        await ns.Inside(() => dns.WriteAsync([first], Plan(1), default));
        await dns.WriteAsync([second], Plan(1) with { IsFresh = false }, default);
        Assert.Equal<NftChange[]>([[first], [second]], table.Applied.Select(changes => changes.ToArray()));
        Assert.Empty(await dns.NamesAsync(null, default));
        Assert.Empty(await dns.ExplainAsync(Address.Parse("192.0.2.1"), "", default));
    }
}
