using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Kernel.Tests.Nftables;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nflog;

public class NflogListenerTests
{
    private const ushort Group = 7;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static WholeTable Logging(params NftStatement[] matches) => Table([],
        new NftChain("out", new("filter", NftHookPoint.Output, 0), [new([.. matches, new ActLog(Group, "what was sent")])]));

    private static NftStatement[] Udp => [new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination, 4444)];

    private static NflogListener Listen(NetworkNamespace ns) => ns.Inside(() =>
    {
        var made = new NflogListener(NetworkNamespace.Watched(), TimeProvider.System);
        made.Start(Group);
        return made;
    });

    private static void Send(NetworkNamespace ns, string to, int count = 1)
    {
        using var socket = ns.Inside(() => new UdpClient(0, IPAddress.Parse(to).AddressFamily));
        for (var i = 0; i < count; i++) socket.Send([1, 2, 3], new IPEndPoint(IPAddress.Parse(to), 4444));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_a_rule_logs_is_heard_with_its_prefix_and_the_packet()
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Logging([.. Udp, new ActMark(0, 0xabcd0001)]));
        await using var listener = Listen(ns);
        using var patience = new CancellationTokenSource(Patience);
        foreach (var (to, from, link) in ((string, string, string)[])[("10.0.0.9", "10.0.0.1", "a0"), ("fd01::9", "fd01::1", "b0")])
        {
            Send(ns, to);
            var heard = await listener.Packets.ReadAsync(patience.Token);
            Assert.Equal(("what was sent", NftHookPoint.Output), (heard.Prefix, heard.Place));
            Assert.NotNull(heard.Packet.SourcePort);
            Assert.Equal(new Packet(Address.Parse(from), Address.Parse(to))
            {
                Protocol = IpProtocol.Udp,
                SourcePort = heard.Packet.SourcePort,
                DestinationPort = 4444,
                Mark = 0xabcd0001,
                Out = link,
                State = null,
            }, heard.Packet);
        }
        Assert.Equal(0, listener.Lost);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_nobody_reads_in_time_is_counted()
    {
        const int sent = 20_000;
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Logging(Udp));
        await using var listener = Listen(ns);
        Send(ns, "10.0.0.1", sent); // to nobody: the packets do not wait for a neighbour
        var read = 0;
        await Until.EqualAsync(sent, () => listener.Packets.Count + (int)listener.Lost);
        while (listener.Packets.TryRead(out _)) read++;
        Assert.InRange(read, 1, sent - 1);
        Assert.Equal(sent, read + listener.Lost);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_group_that_another_hears_already_is_refused()
    {
        using var ns = new NetworkNamespace();
        await using var listener = Listen(ns);
        var refused = Assert.Throws<Win32Exception>(() => Listen(ns));
        Assert.Equal(1, refused.NativeErrorCode);
        Assert.Contains("group 7", refused.Message, StringComparison.Ordinal);
    }
}
