using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Tables of ways to gateways, in a kernel.</summary>
public sealed class EgressRoutingTests
{
    private static readonly EgressMarks Marks = new(EgressSettings.DefaultMarkMask);

    private static async Task<KernelLoop> StartAsync(Netns space)
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance,
            (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));
        var kernel = new KernelLoop(new(), loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        await space.Inside(() => kernel.StartAsync(CancellationToken.None));
        return kernel;
    }

    private static async Task BeginAsync(KernelLoop kernel, EgressRoutes wanted)
    {
        var routing = new EgressRouting(kernel, kernel);
        await routing.PrepareAsync(wanted, default);
        await routing.CleanAsync(default);
        await kernel.SweepAsync();
    }

    private static EgressTable Table(int number, int link, params string[] gateways) => new(number, Marks.To(number),
        [.. gateways.Select(gateway => new RouteHop(Address.Parse(gateway), link, OnLink: true))])
    {
        Tag = (uint)number + 10,
    };

    /// <summary>A node with a link.</summary>
    private static async Task<(Netns Space, int Link)> MakeAsync()
    {
        var space = Netns.Make("egress");
        space.Ip("link add a0 type veth peer name a1");
        space.Ip("link set a1 up");
        await space.RaiseAsync("a0", "10.0.0.1/24", "fd00::1/64");
        return (space, int.Parse(space.Ip("-o link show a0").Split(':')[0]));
    }

    /// <summary>Ways of both families, of one, and to nobody; and a gateway that is this node.</summary>
    private static EgressRoutes Wanted(int link) => new(Marks.Mask, 100,
        [Table(1, link, "10.0.0.2", "10.0.0.3", "fd00::2"), Table(2, link, "10.0.0.3"), Table(3, link)], [Address.Parse("10.10.10.0")]);

    /// <summary>Of ours in the kernel: what leads to tables, next hops, tables and addresses.</summary>
    private static string Ours(Netns space) => string.Join('\n', ((string[])
        ["rule", "-6 rule", "nexthop", "route show table all proto bird", "-6 route show table all proto bird"])
        .SelectMany(words => space.Ip(words).Split('\n')).Select(line => line.Trim())
        .Where(line => line.Length > 0 && !line.EndsWith("lookup local", StringComparison.Ordinal)
            && !line.EndsWith("lookup main", StringComparison.Ordinal) && !line.EndsWith("lookup default", StringComparison.Ordinal)));

    /// <summary>However many there are, a packet asks few rules, and what is for no gateway asks one.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Each_way_is_led_by_its_own_table_and_who_has_none_leaves_by_none()
    {
        var (space, link) = await MakeAsync();
        using var made = space;
        space.Ip("route add default via 10.0.0.250");
        await using var kernel = await StartAsync(space);
        var routing = new EgressRouting(kernel, kernel);
        EgressTable[] tables = [.. Enumerable.Range(1, 100).Select(n => Table(n * 7, link, $"10.0.0.{n + 1}"))];
        await routing.PrepareAsync(new(Marks.Mask, 100, [.. tables], []), default);
        await routing.CleanAsync(default);
        foreach (var table in tables)
            Assert.Contains($"via {table.Hops[0].Gateway} ", await LedAsync(table.Mark), StringComparison.Ordinal);
        foreach (var mark in (uint[])[0, Marks.Here, Marks.By(7), Marks.Asking(7)])
            Assert.Contains("via 10.0.0.250 ", await LedAsync(mark), StringComparison.Ordinal);
        Assert.Contains("unreachable", await LedAsync(Marks.To(6)), StringComparison.Ordinal);
        var priorities = space.Ip("rule").Split('\n').Where(line => line.Contains("fwmark", StringComparison.Ordinal))
            .Select(line => line.Split(':')[0]).ToArray();
        Assert.Single(priorities, "100");
        Assert.All(priorities.GroupBy(one => one), alike => Assert.InRange(alike.Count(), 1, 16));
        await routing.EndAsync();
        Assert.DoesNotContain("fwmark", Ours(space), StringComparison.Ordinal);

        async Task<string> LedAsync(uint mark) =>
            await space.RunAsync("ip", "route", "get", "198.51.100.1", "mark", $"{mark}") is var said ? said.Output + said.Errors : "";
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Where_nothing_is_wanted_any_more_what_an_earlier_run_has_left_goes()
    {
        var (space, link) = await MakeAsync();
        using var made = space;
        await using (var before = await StartAsync(space)) await BeginAsync(before, Wanted(link));
        Assert.Contains("fwmark", Ours(space), StringComparison.Ordinal);
        await using var now = await StartAsync(space);
        await BeginAsync(now, EgressRoutes.None);
        Assert.Equal("", Ours(space));
        Assert.Equal((0L, 0), (now.Status.Failures, now.Status.RefusedObjects.Length));
    }

    /// <summary>The run between has egress switched off, or no gateway: the next hops of the first go, and the kernel drops routes with
    /// them.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Ways_that_one_run_did_not_want_are_there_again_when_they_are_wanted_again()
    {
        var (space, link) = await MakeAsync();
        using var made = space;
        await using (var before = await StartAsync(space)) await BeginAsync(before, Wanted(link));
        var was = Ours(space);
        await using var now = await StartAsync(space);
        var routing = new EgressRouting(now, now);
        foreach (var wanted in (EgressRoutes[])[EgressRoutes.None, Wanted(link)])
        {
            await routing.PrepareAsync(wanted, default);
            await routing.CleanAsync(default);
        }
        Assert.Empty(now.Status.Refusals);
        Assert.Equal(was, Ours(space));
    }

    /// <summary>One that went while nobody ran, one that goes, and one that loses its last gateway.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_way_that_ends_takes_its_table_along_and_nothing_is_refused()
    {
        var (space, link) = await MakeAsync();
        using var made = space;
        await using (var before = await StartAsync(space)) await BeginAsync(before, Wanted(link));
        await using var now = await StartAsync(space);
        var routing = new EgressRouting(now, now);
        Assert.Equal([(11u, 1), (12u, 2), (13u, 3)], (await routing.TablesAsync(default)).Order().ToArray());
        foreach (var tables in (EgressTable[][])[[Table(1, link, "10.0.0.2"), Table(2, link, "10.0.0.3")], [Table(2, link)]])
        {
            await routing.PrepareAsync(new(Marks.Mask, 100, [.. tables], []), default);
            await routing.CleanAsync(default);
        }
        await now.SweepAsync();
        Assert.Equal((12u, 2), Assert.Single(await routing.TablesAsync(default)));
        Assert.DoesNotMatch("700001|700003|nexthop|id ", Ours(space));
        Assert.Contains("unreachable default table 700002", Ours(space), StringComparison.Ordinal);
        Assert.Equal((0L, 0), (now.Status.Failures, now.Status.RefusedObjects.Length));
        await routing.EndAsync();
        Assert.Equal("", Ours(space));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_daemon_that_comes_back_changes_nothing_of_what_packets_are_led_by()
    {
        var (space, link) = await MakeAsync();
        using var made = space;
        using var folder = new Scratch();
        var wanted = Wanted(link);
        await using (var before = await StartAsync(space)) await BeginAsync(before, wanted);
        var heard = folder.PathOf("heard");
        await using var monitor = Background.Start(space, heard, null, "ip", "-d", "monitor", "route", "nexthop", "rule");
        await Until.TrueAsync("the kernel's changes are heard", async () =>
        {
            // Of a route that is replaced by its like the kernel tells nobody, and the first may be too early.
            await space.IpAsync("route add blackhole 192.0.2.1");
            await space.IpAsync("route del blackhole 192.0.2.1");
            return Heard().Any(line => line.Contains("192.0.2.1", StringComparison.Ordinal));
        });
        await using var now = await StartAsync(space);
        await BeginAsync(now, wanted);
        Assert.Equal((0L, 0L), (now.Status.Writes, now.Status.Failures));
        space.Ip("route add blackhole 192.0.2.2");
        await Until.TrueAsync("all is heard", () => Heard().Any(line => line.Contains("192.0.2.2", StringComparison.Ordinal)));
        Assert.DoesNotContain(Heard(), line => line.Contains("proto bird", StringComparison.Ordinal));
        Assert.Contains("nhid", space.Ip("route show table 700001 proto bird"), StringComparison.Ordinal);

        string[] Heard() => File.Exists(heard) ? File.ReadAllLines(heard) : [];
    }
}
