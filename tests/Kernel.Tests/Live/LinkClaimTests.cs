using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>An address that one node has on the link, though it is no interface's, and the other asks for.</summary>
public sealed class LinkClaimTests : IAsyncLifetime
{
    private const int HopLimit255 = 255, Level = 41, MulticastHops = 18, Solicitation = 135, Advertisement = 136, Solicited = 0x40;
    private const string NobodysWay = "fd99::9";

    private static readonly Address Claimed = Address.Parse("fd20::64");
    private static readonly MacAddress Mac = new(0x020000000001);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private Netns a = null!, b = null!;

    public async Task InitializeAsync()
    {
        (a, b) = (await Netns.MakeAsync("lc-a"), await Netns.MakeAsync("lc-b"));
        foreach (var space in (Netns[])[a, b]) space.Set("net/ipv6/conf/default/addr_gen_mode=1");
        await Netns.JoinAsync(a, "eth0", ["fe80::1/64"], b, "eth0", ["fe80::2/64", NobodysWay + "/128"]);
        foreach (var space in (Netns[])[a, b])
            await Until.TrueAsync("the link takes multicast", async () =>
                (await space.IpAsync("-6 route show table all")).Contains("ff00::/8 dev eth0", StringComparison.Ordinal));
    }

    public async Task DisposeAsync()
    {
        await a.RemoveAsync();
        await b.RemoveAsync();
    }

    private Socket Asker(string from)
    {
        var socket = b.Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6);
        socket.SetRawSocketOption(Level, MulticastHops, BitConverter.GetBytes(HopLimit255));
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        return socket;
    }

    private void Ask(Socket socket)
    {
        var question = new byte[24];
        question[0] = Solicitation;
        Claimed.ToIPAddress().GetAddressBytes().CopyTo(question, 8);
        socket.SendTo(question, new IPEndPoint(b.Inside(() => IPAddress.Parse("ff02::1:ff00:64%eth0")), 0));
    }

    private static async Task<byte[]> AnswerAsync(Socket to)
    {
        using var end = new CancellationTokenSource(Patience);
        var buffer = new byte[256];
        while (true)
        {
            var count = await to.ReceiveAsync(buffer, end.Token);
            if (count >= 32 && buffer[0] == Advertisement && (buffer[4] & Solicited) != 0) return buffer[..count];
        }
    }

    /// <summary>Time stands still here: whoever rests for a while never comes back.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Who_asks_from_where_nothing_leads_keeps_nobody_else_from_being_answered()
    {
        await using var claim = a.Inside(() => new LinkClaim(
            (int)IPAddress.Parse("fe80::1%eth0").ScopeId, "eth0", Mac, NetworkNamespace.Watched(), new ManualTimeProvider()));
        claim.Have([Claimed]);
        using Socket lost = Asker(NobodysWay), neighbour = Asker(b.Inside(() => IPAddress.Parse("fe80::2%eth0")).ToString());
        Ask(lost);
        Ask(neighbour);
        var answer = await AnswerAsync(neighbour);
        Assert.Equal(Claimed, Address.FromOctets(answer.AsSpan(8, 16)));
        Assert.Equal(Mac, MacAddress.FromOctets(answer.AsSpan(26, 6)));
    }
}
