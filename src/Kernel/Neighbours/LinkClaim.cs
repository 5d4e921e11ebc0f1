using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Neighbours;

/// <summary>
/// Has addresses on a link that are no interface's: says so when they come, a few times, so that whoever has learned that they are
/// elsewhere learns anew (gratuitous ARP, unsolicited neighbour advertisements), and answers whoever asks for them. The kernel would answer
/// for addresses of its own alone, and would have its services answer at them.
/// </summary>
public sealed class LinkClaim : IAsyncDisposable
{
    // linux/in6.h, linux/icmpv6.h; neighbours are heard with the hop limit that no router lets through (RFC 4861 section 7.1.1).
    private const int Unicast = 16, MulticastInterface = 17, MulticastHops = 18, MulticastLoop = 19, AddMembership = 20,
        DropMembership = 21;
    private const int IcmpLevel = 58, IcmpFilter = 1, MostHops = 255, Times = 3;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);
    private static readonly IPAddress AllNodes = IPAddress.Parse("ff02::1");

    private readonly int index;
    private readonly MacAddress mac;
    private readonly TimeProvider time;
    private readonly Bell told = new();
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Neighbour discovery is heard in frames, because who asks again asks at the address itself, which is not the kernel's; and
    /// is said by the kernel, which puts checksums in.</summary>
    private readonly Socket arp, heard, discovery;

    private readonly ImmutableArray<Loop> loops;
    private volatile ImmutableHashSet<Address> claimed = [];

    /// <exception cref="SocketException">No such link, or no right to open such sockets (CAP_NET_RAW).</exception>
    public LinkClaim(int index, string name, MacAddress mac, Loops loops, TimeProvider time)
    {
        (this.index, this.mac, this.time) = (index, mac, time);
        arp = new(AddressFamily.Packet, SocketType.Raw, 0);
        heard = new(AddressFamily.Packet, SocketType.Raw, 0);
        discovery = new(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6);
        try
        {
            arp.Bind(new LinkEnd(index, LinkEnd.Arp));
            HearSolicitations(heard);
            heard.Bind(new LinkEnd(index, LinkEnd.IPv6));
            Prepare(discovery, name);
        }
        catch
        {
            Close();
            throw;
        }
        this.loops =
        [
            loops.Start("addresses on a link", OnDefect.StartAgain, SayAsync, name, stop: stopping.Token),
            loops.Start("ARP", OnDefect.StartAgain, loop => HearAsync(loop, arp, AnswerArpAsync), name, stop: stopping.Token),
            loops.Start("neighbours", OnDefect.StartAgain, loop => HearAsync(loop, heard, AdvertiseAsync), name, stop: stopping.Token),
        ];
    }

    /// <exception cref="SocketException">The kernel has no socket filters.</exception>
    private static void HearSolicitations(Socket socket)
    {
        var isAttached = Libc.TryAttachFilter(socket.SafeHandle,
        [
            NetlinkSocket.Instruction(0x30, 0, 0, NeighbourSpeech.NextHeaderAt), // load one octet
            NetlinkSocket.Instruction(0x15, 0, 5, IcmpLevel),
            NetlinkSocket.Instruction(0x30, 0, 0, NeighbourSpeech.HopLimitAt),
            NetlinkSocket.Instruction(0x15, 0, 3, MostHops),
            NetlinkSocket.Instruction(0x30, 0, 0, NeighbourSpeech.TypeAt),
            NetlinkSocket.Instruction(0x15, 0, 1, NeighbourSpeech.Solicitation),
            NetlinkSocket.Instruction(0x06, 0, 0, uint.MaxValue),                // keep
            NetlinkSocket.Instruction(0x06, 0, 0, 0),                            // drop
        ]);
        if (!isAttached) throw new SocketException((int)SocketError.OperationNotSupported, "SO_ATTACH_FILTER is refused");
    }

    private void Prepare(Socket socket, string name)
    {
        // It hears nothing: what it is for is to say, and to be in groups.
        Span<uint> blocked = stackalloc uint[8];
        blocked.Fill(uint.MaxValue);
        socket.SetRawSocketOption(IcmpLevel, IcmpFilter, MemoryMarshal.AsBytes(blocked));
        socket.SetRawSocketOption(SOL_SOCKET, SO_BINDTODEVICE, Encoding.UTF8.GetBytes(name + '\0'));
        foreach (var (option, value) in ((int, int)[])[(MulticastInterface, index), (MulticastHops, MostHops), (Unicast, MostHops),
            (MulticastLoop, 0)])
            socket.SetRawSocketOption(IPPROTO_IPV6, option, BitConverter.GetBytes(value));
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
    }

    /// <summary>All that are to be had here from now on. By one caller, one after the other.</summary>
    public void Have(ImmutableHashSet<Address> addresses)
    {
        foreach (var come in Groups(addresses).Except(Groups(claimed))) TryJoin(come, AddMembership);
        foreach (var gone in Groups(claimed).Except(Groups(addresses))) TryJoin(gone, DropMembership);
        claimed = addresses;
        told.Ring();
    }

    /// <summary>Two addresses may have the same.</summary>
    private static IEnumerable<Address> Groups(ImmutableHashSet<Address> addresses) =>
        addresses.Where(address => !address.IsIPv4).Select(NeighbourSpeech.SolicitedGroup).Distinct();

    private void TryJoin(Address group, int option)
    {
        try
        {
            // struct ipv6_mreq: the group, and the interface.
            discovery.SetRawSocketOption(
                IPPROTO_IPV6, option, [.. group.ToIPAddress().GetAddressBytes(), .. BitConverter.GetBytes(index)]);
        }
        catch (SocketException) { } // the link is gone
    }

    private async Task SayAsync(Loop loop)
    {
        var said = new Dictionary<Address, int>();
        while (true)
        {
            var now = claimed;
            foreach (var gone in said.Keys.Except(now).ToArray()) said.Remove(gone);
            foreach (var address in now)
                if (said.GetValueOrDefault(address) is var times && times < Times)
                {
                    said[address] = times + 1;
                    await SayAsync(address).ConfigureAwait(false);
                }
            loop.Rest();
            if (said.Values.Any(times => times < Times)) await told.HeardAsync(Between, time, stopping.Token).ConfigureAwait(false);
            else await told.HeardAsync(stopping.Token).ConfigureAwait(false);
            loop.Beat();
        }
    }

    /// <summary>What cannot be said now is said the next time, or to whoever asks.</summary>
    private async Task SayAsync(Address address)
    {
        try
        {
            if (address.IsIPv4) await arp.SendAsync(NeighbourSpeech.Announcement(address, mac), stopping.Token).ConfigureAwait(false);
            else await AdvertiseAsync(address, AllNodes, isAsked: false).ConfigureAwait(false);
        }
        catch (SocketException) when (!stopping.IsCancellationRequested) { }
    }

    private async Task AdvertiseAsync(Address address, IPAddress to, bool isAsked) => await discovery.SendToAsync(
        NeighbourSpeech.Advertise(address, mac, isAsked), new IPEndPoint(new IPAddress(to.GetAddressBytes(), index), 0), stopping.Token)
        .ConfigureAwait(false);

    private async Task HearAsync(Loop loop, Socket socket, Func<ReadOnlyMemory<byte>, Task> answer)
    {
        var buffer = new byte[1500];
        while (true)
        {
            loop.Rest();
            int count;
            try
            {
                count = await socket.ReceiveAsync(buffer, stopping.Token).ConfigureAwait(false);
            }
            catch (SocketException) when (!stopping.IsCancellationRequested)
            {
                // The link is down, or gone: whoever has made this sees it, too.
                await Task.Delay(Between, time, stopping.Token).ConfigureAwait(false);
                continue;
            }
            loop.Beat();
            try
            {
                await answer(buffer.AsMemory(0, count)).ConfigureAwait(false);
            }
            // Whoever asks from where nothing leads must not make us deaf to others.
            catch (SocketException) when (!stopping.IsCancellationRequested) { }
        }
    }

    private async Task AnswerArpAsync(ReadOnlyMemory<byte> frame)
    {
        if (Answer(frame.Span) is { } answer) await arp.SendAsync(answer, stopping.Token).ConfigureAwait(false);

        byte[]? Answer(ReadOnlySpan<byte> frame) =>
            NeighbourSpeech.TryReadQuestion(frame, out var asked, out var asker, out var askersMac) && claimed.Contains(asked)
                ? NeighbourSpeech.Answer(asked, mac, asker, askersMac) : null;
    }

    /// <summary>Whoever has no address yet asks whether he may have this one (RFC 4862 section 5.4.3): all are told.</summary>
    private async Task AdvertiseAsync(ReadOnlyMemory<byte> frame)
    {
        if (!NeighbourSpeech.TryReadSolicitation(frame.Span, out var asked, out var asker) || !claimed.Contains(asked)) return;
        await AdvertiseAsync(asked, asker.IsUnspecified ? AllNodes : asker.ToIPAddress(), !asker.IsUnspecified).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        foreach (var loop in loops) await loop.Ended.ConfigureAwait(false);
        Close();
        stopping.Dispose();
    }

    private void Close()
    {
        arp.Dispose();
        heard.Dispose();
        discovery.Dispose();
    }

    /// <summary>struct sockaddr_ll: a link, and which of its frames.</summary>
    private sealed class LinkEnd(int index, ushort protocol) : EndPoint
    {
        public const ushort Arp = 0x0806, IPv6 = 0x86dd;
        private const int Octets = 20, ProtocolAt = 2, IndexAt = 4;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Octets);
            (address[ProtocolAt], address[ProtocolAt + 1]) = ((byte)(protocol >> 8), (byte)protocol);
            var octets = BitConverter.GetBytes(index);
            for (var at = 0; at < octets.Length; at++) address[IndexAt + at] = octets[at];
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) => this;
    }
}
