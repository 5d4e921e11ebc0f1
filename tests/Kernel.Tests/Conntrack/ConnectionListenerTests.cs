using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Kernel.Tests.Conntrack;

public class ConnectionListenerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static Loops Loops() => new(TimeProvider.System, NullLogger<Loops>.Instance,
        (loop, defect) => Assert.Fail($"{loop.Name}: {defect}"));

    private static async Task<TrackedConnection> NextAsync(ConnectionListener from)
    {
        using var patience = new CancellationTokenSource(Patience);
        return await from.Begun.ReadAsync(patience.Token);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Those_are_told_that_leave_with_another_source_and_with_which()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        await using var listener = new ConnectionListener(Loops());
        ns.Inside(() =>
        {
            listener.Start();
            return 0;
        });
        ConnectionTableTests.Insert(socket, "10.0.0.1", "192.0.2.1");
        ConnectionTableTests.Insert(socket, "10.0.0.3", "192.0.2.1", translated: "198.51.100.1");
        ConnectionTableTests.Insert(socket, "10.0.0.4", "192.0.2.1", translated: "198.51.100.2");
        var (first, second) = (await NextAsync(listener), await NextAsync(listener));
        Assert.Equal(("10.0.0.3", "192.0.2.1", "198.51.100.1", (ushort?)1000),
            ($"{first.Connection.Source}", $"{first.Connection.Server}", $"{first.State!.Client}", first.Connection.SourcePort));
        Assert.Equal(("10.0.0.4", "198.51.100.2"), ($"{second.Connection.Source}", $"{second.State!.Client}"));
        Assert.False(listener.Begun.TryRead(out _));
        Assert.Equal(0, listener.Lost);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_nobody_reads_in_time_is_counted()
    {
        const int all = 20000;
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        await using var listener = new ConnectionListener(Loops());
        ns.Inside(() =>
        {
            listener.Start();
            return 0;
        });
        for (var n = 0; n < all; n++)
            ConnectionTableTests.Insert(socket, $"10.1.{n / 200}.{n % 200}", "192.0.2.1", translated: $"10.2.{n / 200}.{n % 200}");
        await Until.TrueAsync("each is kept or lost", () => Task.FromResult(listener.Begun.Count + listener.Lost == all), 60);
        Assert.InRange(listener.Lost, 1, all - 1);
    }

    [NeedsFact(Needs.Namespaces)]
    public void What_did_not_fit_the_kernel_counts_of_those_that_pass_the_filter()
    {
        const int all = 1000;
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 16, NetlinkProtocol.Netfilter));
        using var heard = ns.Inside(() => new NetlinkSocket(1, 1 << 12, NetlinkProtocol.Netfilter));
        Assert.True(heard.HearTranslatedSources());
        heard.NeverBlock();
        for (var n = 0; n < all; n++)
        {
            ConnectionTableTests.Insert(socket, $"10.1.{n / 200}.{n % 200}", "192.0.2.1", translated: $"10.2.{n / 200}.{n % 200}");
            ConnectionTableTests.Insert(socket, $"10.3.{n / 200}.{n % 200}", "192.0.2.1");
        }
        var (came, octets) = (0, new byte[1 << 16]);
        Assert.InRange(heard.Dropped!.Value, 1u, (uint)all);
        heard.Receive(octets, out var error);
        Assert.Equal(System.Net.Sockets.SocketError.NoBufferSpaceAvailable, error);
        while (heard.Receive(octets, out _) > 0) came++;
        Assert.Equal(all, came + (int)heard.Dropped!.Value);
    }
}
