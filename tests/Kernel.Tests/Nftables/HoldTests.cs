using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nftables;

/// <summary>
/// Connections through a router whose rules translate them and let established ones pass, while somebody else deletes its table.
/// </summary>
public sealed class HoldTests
{
    private const int Deletions = 5;

    private static readonly WholeTable Rules = Table(
        [],
        new NftChain("ahead", new("filter", NftHookPoint.Forward, 0),
            [
                Rule(new MatchState(ConnectionStates.Established), ActDecide.Accept),
                Rule(new MatchState(ConnectionStates.Invalid), ActDecide.Drop),
            ]),
        new NftChain("post", Postrouting, [Rule(new MatchInterface(true, "eth0"), new ActMasquerade())]));

    [NeedsTheory(Needs.Namespaces, "nft")]
    [InlineData("10.1.0", "10.2.0", "24")]
    [InlineData("fd01:", "fd02:", "64")]
    public async Task A_table_that_is_deleted_under_flows_comes_back_and_no_flow_is_reset(string inside, string outside, string length)
    {
        var dot = inside.EndsWith(':') ? ":" : ".";
        string Address(string net, int host, bool plain = false) => $"{net}{dot}{host}" + (plain ? "" : "/" + length);
        using Netns client = Netns.Make("hold-c"), router = Netns.Make("hold-r"), server = Netns.Make("hold-s");
        router.Forward();
        await Netns.JoinAsync(router, "cali1", [Address(inside, 1)], client, "eth0", [Address(inside, 2)]);
        await Netns.JoinAsync(router, "eth0", [Address(outside, 1)], server, "eth0", [Address(outside, 2)]);
        client.Ip($"route add default via {Address(inside, 1, plain: true)}");
        server.Ip($"route add default via {Address(outside, 1, plain: true)}");
        await using var loop = router.Inside(() =>
        {
            var made = new NftablesLoop(Name, NetworkNamespace.Watched(), TimeProvider.System, NullLogger<NftablesLoop>.Instance);
            made.Start();
            return made;
        });
        await loop.ApplyAsync(Rules.After(WholeTable.Empty));

        var family = inside.EndsWith(':') ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        using var listener = server.Socket(family);
        listener.Bind(new IPEndPoint(family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 5000));
        listener.Listen();
        using var socket = client.Socket(family);
        await socket.ConnectAsync(IPAddress.Parse(Address(outside, 2, plain: true)), 5000);
        using var answering = await listener.AcceptAsync();
        Assert.Equal(Address(outside, 1, plain: true), ((IPEndPoint)answering.RemoteEndPoint!).Address.ToString());
        using var stop = new CancellationTokenSource();
        var echo = EchoAsync(answering);
        var talk = TalkAsync(socket, stop.Token);

        for (var time = 1; time <= Deletions; time++)
        {
            router.Do("nft", "delete", "table", "inet", Name);
            await Until.EqualAsync(time, () => (int)loop.Status.Repairs);
        }
        Assert.Contains("masquerade fully-random", router.Do("nft", "list", "table", "inet", Name), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.InRange(await talk, 1, int.MaxValue);
        socket.Shutdown(SocketShutdown.Both);
        await echo;
        // What holds is put right, too, and goes with the table.
        var held = router.Do("nft", "list", "table", "inet", NftHold.NameFor(Name));
        router.Do("nft", "delete", "table", "inet", NftHold.NameFor(Name));
        await Until.EqualAsync(Deletions + 1, () => (int)loop.Status.Repairs);
        Assert.Equal(held, router.Do("nft", "list", "table", "inet", NftHold.NameFor(Name)));
        Assert.Null(await loop.FlushAsync());
        Assert.Equal("", router.Do("nft", "list", "ruleset"));
    }

    private static async Task EchoAsync(Socket socket)
    {
        var octets = new byte[1];
        while (await socket.ReceiveAsync(octets) > 0) await socket.SendAsync(octets);
    }

    /// <summary>One octet after the other, each when the one before has come back.</summary>
    /// <returns>How many.</returns>
    private static async Task<int> TalkAsync(Socket socket, CancellationToken stop)
    {
        var (octets, count) = (new byte[1], 0);
        for (; !stop.IsCancellationRequested; count++)
        {
            octets[0] = (byte)count;
            await socket.SendAsync(octets, CancellationToken.None);
            Assert.Equal(1, await socket.ReceiveAsync(octets, CancellationToken.None));
            Assert.Equal((byte)count, octets[0]);
        }
        return count;
    }
}
