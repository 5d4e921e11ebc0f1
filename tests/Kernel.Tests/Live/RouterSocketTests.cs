using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Two nodes on one wire, with link-local addresses only.</summary>
public sealed class RouterSocketTests : IAsyncLifetime
{
    private static readonly Address Here = Address.Parse("fe80::1"), There = Address.Parse("fe80::2");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private Netns a = null!, b = null!;

    public async Task InitializeAsync()
    {
        (a, b) = (await Netns.MakeAsync("ra-a"), await Netns.MakeAsync("ra-b"));
        foreach (var space in (Netns[])[a, b]) space.Set("net/ipv6/conf/default/addr_gen_mode=1");
        await Netns.JoinAsync(a, "eth0", ["fe80::1/64"], b, "eth0", ["fe80::2/64"]);
        foreach (var space in (Netns[])[a, b])
            await Until.TrueAsync("the link takes multicast", async () =>
                (await space.IpAsync("-6 route show table all")).Contains("ff00::/8 dev eth0", StringComparison.Ordinal));
    }

    public async Task DisposeAsync()
    {
        await a.RemoveAsync();
        await b.RemoveAsync();
    }

    private static RouterSocket Open(Netns space) => space.Inside(() =>
        new RouterSocket(new((int)OnEth0("fe80::1").ScopeId, "eth0", 1, 1500, 0, new MacAddress(0x020000000001))));

    private static IPAddress OnEth0(string address) => IPAddress.Parse(address + "%eth0");

    private static async Task<(RouterWord, Address)> HeardAsync(RouterSocket by)
    {
        using var end = new CancellationTokenSource(Patience);
        return await by.ReceiveAsync(end.Token);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Neighbours_hear_each_others_words_and_not_their_own()
    {
        using RouterSocket ours = Open(a), theirs = Open(b);
        ours.Solicit();
        Assert.Equal((RouterWord.Solicitation, Here), await HeardAsync(theirs));
        theirs.Advertise(Here);
        Assert.Equal((RouterWord.Advertisement, There), await HeardAsync(ours));
        theirs.Advertise();
        Assert.Equal((RouterWord.Advertisement, There), await HeardAsync(ours));
    }

    /// <summary>A word from beyond a router has another hop limit than 255.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_word_that_could_have_come_from_elsewhere_is_not_heard()
    {
        using RouterSocket ours = Open(a), theirs = Open(b);
        using var liar = b.Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6);
        var to = new IPEndPoint(b.Inside(() => OnEth0("ff02::1")), 0);
        const int multicastHops = 18, level = 41;
        liar.SetRawSocketOption(level, multicastHops, BitConverter.GetBytes(254));
        liar.SendTo(RouterMessage.Advertisement(null), to);
        theirs.Solicit();
        Assert.Equal((RouterWord.Solicitation, There), await HeardAsync(ours));
        liar.SetRawSocketOption(level, multicastHops, BitConverter.GetBytes(255));
        liar.SendTo(RouterMessage.Advertisement(null), to);
        Assert.Equal((RouterWord.Advertisement, There), await HeardAsync(ours));
    }

    [NeedsFact(Needs.Namespaces)]
    public void A_link_that_is_not_there_gives_no_socket() =>
        Assert.Throws<MachineException>(() => a.Inside(() => new RouterSocket(new(99, "eth9", 1, 1500, 0, null))));
}
