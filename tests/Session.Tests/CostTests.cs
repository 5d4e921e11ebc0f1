using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session.Tests;

/// <summary>What sessions cost. Alone in the process: memory and file descriptors are counted for all of it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;

[Collection(nameof(Alone))]
public class CostTests
{
    // AS_PATH 65002, next hop 10.0.0.2, 198.18.0.0/24.
    private static readonly byte[] Update = Convert.FromHexString(
        "ffffffffffffffffffffffffffffffff002f02" + "00000014400101004002060201" + "0000fdea" + "400304" + "0a000002" + "18c61200");

    [Fact]
    public async Task An_update_on_its_way_to_the_sink_allocates_nothing()
    {
        await using var us = new Speaker(HandPeer.PassiveSession(), listen: Loopback.A);
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.EstablishAsync();
        var burst = Enumerable.Repeat(Update, 1000).SelectMany(octets => octets).ToArray();
        var (sent, count) = (0, 200);
        await FeedAsync(20);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await FeedAsync(count);
        var each = (GC.GetTotalAllocatedBytes(precise: true) - before) / (1000.0 * count);
        Assert.True(each < 2, $"{each} octets for each UPDATE");

        async Task FeedAsync(int bursts)
        {
            for (var i = 0; i < bursts; i++) await peer.SendAsync(burst);
            sent += bursts * 1000;
            await Until.TrueAsync("all of them", () => us.Updates == sent);
        }
    }

    /// <summary>Conformance F04: no leak over many ends.</summary>
    [Fact]
    public async Task Connections_that_end_leave_no_file_descriptor()
    {
        await using var us = new Speaker(HandPeer.PassiveSession(), listen: Loopback.A);
        await RoundsAsync(us, 20);
        var before = Descriptors();
        await RoundsAsync(us, 300);
        await Until.TrueAsync("as few descriptors as before", () => Descriptors() <= before + 3);
    }

    private static async Task RoundsAsync(Speaker us, int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            using var peer = await HandPeer.CallAsync(us.Session.Settings);
            await peer.ReceiveAsync();
            if (i % 3 > 0) await peer.SendAsync(OpenCodec.Encode(Some.Open));
            if (i % 3 > 1) await peer.SendAsync(Keepalive.Octets);
            peer.Hang(reset: i % 2 == 0);
        }
    }

    private static int Descriptors() => Directory.GetFiles("/proc/self/fd").Length;
}
