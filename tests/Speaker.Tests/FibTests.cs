using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Speaker.Tests;

public class FibTests
{
    private static readonly Prefix One = Prefix.Parse("203.0.113.0/24");
    private static readonly FibTarget Learned = new(RouteOrigin.Bgp, [new(Address.Parse("10.0.0.9"), 2)], default);
    private readonly FakeKernel kernel = new();
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Loops loops;

    public FibTests() =>
        loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => ended.SetResult($"{loop.Name}: {defect.Message}"));

    private static ImmutableDictionary<Prefix, OwnRouteConfig> Own(OwnRouteConfig route) =>
        ImmutableDictionary<Prefix, OwnRouteConfig>.Empty.Add(route.Prefix, route);

    [Fact]
    public async Task A_defect_of_its_loop_ends_the_process_and_nobody_waits_for_it()
    {
        await using var fib = new Fib(kernel, new(), loops);
        kernel.Mistake = new InvalidOperationException("broken");
        fib.Apply([new(One, Learned)]);
        Assert.Equal("fib: broken", await ended.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        await fib.PassedAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("the loop fib has ended on a defect", loops.NotLiveBecause);
    }

    [Fact]
    public async Task Best_routes_become_wishes_and_their_loss_too()
    {
        await using var fib = new Fib(kernel, new(), loops);
        fib.Apply([new(One, Learned)]);
        await fib.PassedAsync();
        Assert.Equal("via 10.0.0.9 dev 2", kernel.Holds[One].ToString());
        fib.Apply([new(One, null)]);
        await fib.PassedAsync();
        Assert.Empty(kernel.Holds);
    }

    [Fact]
    public async Task What_a_filter_said_of_metric_and_table_holds()
    {
        await using var fib = new Fib(kernel, new() { Table = 100 }, loops);
        fib.Apply([new(One, Learned with { Hints = new(7, 200) })]);
        await fib.PassedAsync();
        Assert.Equal((7u, 200u), (kernel.Holds[One].Metric, kernel.Holds[One].Table));
    }

    [Fact]
    public async Task A_route_that_is_not_wished_for_says_which_device_is_missing()
    {
        await using var fib = new Fib(kernel, new(), loops);
        var (tunnelled, own, service) = (Prefix.Parse("192.168.1.0/26"), Prefix.Parse("192.0.2.0/24"), Prefix.Parse("10.96.0.1/32"));
        var overVxlan = new OwnRouteConfig(own, RouteType.Unicast, [new(null, 0)]) { Interfaces = ["vxlan.calico"] };
        fib.Configure(new(), Own(overVxlan));
        var learned = new FibTarget(RouteOrigin.Bgp, [new(Address.Parse("10.9.0.2"), 0, OnLink: true)], new(1024, 0)) { Tunnel = true };
        var ours = new FibTarget(RouteOrigin.Static, [], new(0, 0));
        fib.Apply([new(tunnelled, learned), new(own, ours), new(service, ours)]);
        Assert.Equal("there is no interface tunl0", await fib.WhyNotAsync(tunnelled));
        Assert.Equal("there is no interface vxlan.calico", await fib.WhyNotAsync(own));
        Assert.Equal("it is announced, and never goes to the kernel", await fib.WhyNotAsync(service));

        var link = FakeKernel.Link(9, "tunl0", up: false);
        kernel.Become(kernel.Current with { Links = kernel.Current.Links.Add(9, link) });
        Assert.Equal("interface tunl0 is down", await fib.WhyNotAsync(tunnelled));
        kernel.Become(kernel.Current with { Links = kernel.Current.Links.SetItem(9, FakeKernel.Link(9, "tunl0", up: true)) });
        fib.LookAgain();
        Assert.Null(await fib.WhyNotAsync(tunnelled));
    }

    [Fact]
    public async Task A_route_through_the_tunnel_waits_for_it_and_leads_to_the_next_hop_itself()
    {
        await using var fib = new Fib(kernel, new(), loops);
        var learned = new FibTarget(RouteOrigin.Bgp, [new(Address.Parse("10.9.0.2"), 0, OnLink: true)], new(1024, 0)) { Tunnel = true };
        fib.Apply([new(One, learned)]);
        await fib.PassedAsync();
        Assert.Empty(kernel.Holds);
        kernel.Become(kernel.Current with { Links = kernel.Current.Links.Add(9, FakeKernel.Link(9, "tunl0", up: true)) });
        fib.LookAgain();
        await fib.PassedAsync();
        Assert.Equal("via 10.9.0.2 dev 9 onlink metric 1024", kernel.Holds[One].ToString());
    }

    [Theory]
    [InlineData(0u, 32u)]
    [InlineData(7u, 7u)]
    public void The_configured_metric_is_for_routes_for_which_nobody_said_another(uint said, uint becomes)
    {
        var fib = new Fib(kernel, new() { Metric = 32 }, loops);
        var input = new FilterInput
        {
            Prefix = One,
            Family = IpFamily.IPv4,
            Origin = RouteOrigin.Bgp,
            Attributes = [],
            Summary = default,
            Hints = new(said, 0),
        };
        var result = fib.Export.Run(input, new());
        Assert.Equal(becomes, result.Verdict == FilterVerdict.AcceptChanged ? result.Hints.Metric : said);
    }

    [Fact]
    public async Task An_own_route_follows_its_interface_to_another_number()
    {
        await using var fib = new Fib(kernel, new(), loops);
        fib.Configure(new(), Own(new(One, RouteType.Unicast, [new(null, 0)]) { Interfaces = ["eth1"] }));
        fib.Apply([new(One, new(RouteOrigin.Static, [], default))]);
        await fib.PassedAsync();
        Assert.Equal("dev 3", kernel.Holds[One].ToString());
        kernel.Become(FakeKernel.Node(eth1: 8));
        fib.LookAgain();
        await fib.PassedAsync();
        Assert.Equal("dev 8", kernel.Holds[One].ToString());
        var before = kernel.Wishes.Count;
        fib.LookAgain();
        await fib.PassedAsync();
        Assert.Equal(before, kernel.Wishes.Count);
    }

    [Fact]
    public async Task Nothing_reaches_the_kernel_once_it_is_closed()
    {
        await using var fib = new Fib(kernel, new(), loops);
        fib.Apply([new(One, Learned)]);
        fib.Close();
        fib.Apply([new(One, null)]);
        await fib.PassedAsync();
        Assert.Single(kernel.Holds);
    }
}
