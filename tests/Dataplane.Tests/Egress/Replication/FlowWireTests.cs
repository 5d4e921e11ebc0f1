using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Egress.Replication;

/// <summary>
/// Both ends of what nodes say of flows, over TCP, held against one that says anything: this node at 127.0.0.1, the other at 127.0.0.2, and
/// the flows in the kernel of a namespace.
/// </summary>
public sealed class FlowWireTests : IAsyncLifetime
{
    private const string Hello = "00060162677066" + "01", Whole = "000104", Begin = "000103";

    private static readonly Address Own = Address.Parse("127.0.0.1"), Other = Address.Parse("127.0.0.2"), Red = Address.Parse("10.10.10.0");

    private readonly Loops loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (_, defect) => throw defect);
    private readonly EgressCounting counts = new();
    private Socket listener = null!;
    private Netns space = null!;
    private ConnectionTable table = null!;
    private FlowCopies copies = null!;
    private ReplicationPlan plan = null!;
    private FlowTaker? taker;
    private FlowPort? port;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Namespaces) != null) return;
        space = await Netns.MakeAsync("wire");
        table = space.Inside(() => new ConnectionTable());
        copies = new(table, TimeProvider.System);
        listener = Bound("127.0.0.2");
        listener.Listen();
        var peer = new ReplicationPeer("gate1", [Other], [Red], IsLater: false);
        plan = new((ushort)((IPEndPoint)listener.LocalEndPoint!).Port, [Own], [peer], [], [Prefix.Parse("192.168.0.0/16")],
            [Prefix.Parse("192.168.0.0/16")], 0xfff00000)
        {
            Local = new(() => new HashSet<Address>()),
        };
        copies.Have(plan);
    }

    public async Task DisposeAsync()
    {
        if (taker != null) await taker.DisposeAsync();
        if (port != null) await port.DisposeAsync();
        listener?.Dispose();
        table?.Dispose();
        if (space != null) await space.DisposeAsync();
    }

    private static Socket Bound(string to)
    {
        var made = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        made.Bind(new IPEndPoint(IPAddress.Parse(to), 0));
        return made;
    }

    private async Task<Socket> AskedAsync()
    {
        taker ??= new(plan, plan.Peers[0], copies, loops, TimeProvider.System, NullLogger.Instance, counts, () => { });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await listener.AcceptAsync(patience.Token);
    }

    private static async Task SayAsync(Socket to, params string[] hex) => await to.SendAsync(Convert.FromHexString(string.Concat(hex)));

    private static string Flows(params Flow[] flows)
    {
        var octets = new List<byte>();
        FlowFrames.Write(new FlowFrame.Flows([.. flows]), octets);
        return Convert.ToHexString([.. octets]);
    }

    private static Flow Of(string source, ushort number) =>
        new(new(17, Address.Parse(source), number, Address.Parse("198.51.100.1"), 53, Red, number), 0, true, true, 1000, 0);

    private int Count()
    {
        var count = 0;
        table.WalkFlows(IpFamily.IPv4, _ => count++);
        return count;
    }

    private static async Task EndedAsync(Socket connection)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.Equal(0, await connection.ReceiveAsync(new byte[1], patience.Token));
    }

    [NeedsTheory(Needs.Namespaces)]
    [InlineData("ffffffffffffffffffffffffffffffff", "expected a frame of 1 to 32768 octets, got 65535")]
    [InlineData("474554202f20485454502f312e310d0a", "expected a frame that is known and whole, got one of kind 84 with 18245 octets")]
    [InlineData("0000", "expected a frame of 1 to 32768 octets, got 0")]
    [InlineData("00060162677066" + "02", "expected version 1 of what nodes say of flows, got 2")]
    [InlineData("00060162677067" + "01", "expected a frame that is known and whole, got one of kind 1 with 6 octets")]
    [InlineData("000107", "expected a greeting, got something else")]
    [InlineData(Hello + "000109", "expected a frame that is known and whole, got one of kind 9 with 1 octets")]
    [InlineData(Hello + "00020304", "expected a frame that is known and whole, got one of kind 3 with 2 octets")]
    [InlineData(Hello + Begin + "001505042f" + "c0a80102" + "0001" + "c6336401" + "0035" + "0a0a0a00" + "0001",
        "expected a flow of TCP, UDP or echoes, got one of protocol 47")]
    public async Task Whatever_is_damaged_ends_the_connection_and_is_named(string hex, string words)
    {
        var connection = await AskedAsync();
        // What says that it is longer is waited for.
        await SayAsync(connection, hex, hex.StartsWith("47", StringComparison.Ordinal) ? new string('0', 2 * 20000) : "");
        await EndedAsync(connection);
        await Until.TrueAsync("it says why", () => taker!.View.Problem == words, 30, () => $"{taker!.View}");
        Assert.Equal((false, 0, 0L), (taker!.View.IsWhole, Count(), counts.Now.FlowsTaken));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Half_a_list_is_none_and_the_next_connection_begins_anew()
    {
        var connection = await AskedAsync();
        var flows = Flows(Of("192.168.1.2", 1), Of("192.168.1.2", 2));
        await SayAsync(connection, Hello, Begin, flows, flows[..20]);
        await Until.TrueAsync("what is whole is taken", () => Count() == 2, 30);
        connection.Dispose();
        connection = await AskedAsync();
        Assert.Equal((false, "127.0.0.2 has ended the connection"), (taker!.View.IsWhole, taker.View.Problem));
        await SayAsync(connection, Hello, "0006020" + "40a0a0a00", Begin, Flows(Of("192.168.1.2", 3)), Whole);
        await Until.TrueAsync("it has all", () => taker.View.IsWhole, 30, () => $"{taker.View}");
        Assert.Equal((1, 3L, 1L), (Count(), counts.Now.FlowsTaken, taker.View.Listed));
        Assert.NotNull(taker.View.ListedAt);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_is_not_its_own_to_say_is_passed_over_and_the_rest_is_taken()
    {
        var connection = await AskedAsync();
        await SayAsync(connection, Hello, Begin, Flows(Of("172.20.0.1", 1), Of("192.168.1.2", 2),
            Of("192.168.1.2", 3) with { Key = Of("192.168.1.2", 3).Key with { Leaving = Address.Parse("10.10.11.0") } }), Whole);
        await Until.TrueAsync("it has all", () => taker!.View.IsWhole, 30, () => $"{taker!.View}");
        Assert.Equal((1, 1L), (Count(), counts.Now.FlowsTaken));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Strangers_are_turned_away_and_nobody_is_read_and_of_one_node_there_are_three()
    {
        var number = (ushort)((IPEndPoint)listener.LocalEndPoint!).Port;
        port ??= new(Own, number, table, () => plan, loops, TimeProvider.System, NullLogger.Instance, counts);
        using (var stranger = await ConnectAsync("127.0.0.9")) await EndedAsync(stranger);
        var known = new List<Socket>();
        for (var at = 0; at < 3; at++) known.Add(await ConnectAsync("127.0.0.2"));
        foreach (var one in known)
        {
            await one.SendAsync(new byte[4096]);
            var octets = new byte[8];
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            for (var read = 0; read < 8;) read += await one.ReceiveAsync(octets.AsMemory(read), patience.Token);
            Assert.Equal(Hello, Convert.ToHexStringLower(octets));
        }
        using (var fourth = await ConnectAsync("127.0.0.2")) await EndedAsync(fourth);
        foreach (var one in known) one.Dispose();
        // Their places are free when it is seen that they have gone.
        await Until.TrueAsync("another is told", async () =>
        {
            using var again = await ConnectAsync("127.0.0.2");
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            return await again.ReceiveAsync(new byte[8], patience.Token) > 0;
        }, 60);

        async Task<Socket> ConnectAsync(string from)
        {
            var made = Bound(from);
            await made.ConnectAsync(new IPEndPoint(Own.ToIPAddress(), number));
            return made;
        }
    }
}
