using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Routes that move by themselves have any number of producers, each of whom has its own and no more.</summary>
public class RouteProducersTests
{
    private const string Shared = "10.96.0.7/32", First = "10.96.0.1/32", Second = "2001:db8::2/128";

    private static RouteMove Begins(string prefix, int weight = 0) => new(Prefix.Parse(prefix), true, weight);
    private static RouteMove Ceases(string prefix) => new(Prefix.Parse(prefix), false);

    [Fact]
    public async Task Of_two_producers_whose_prefixes_meet_the_last_to_leave_takes_the_route_along()
    {
        await using var pair = await new Pair().UpAsync();
        var (services, addresses) = (pair.A.Loop.Producer("services"), pair.A.Loop.Producer("addresses"));
        await services.MoveAsync([Begins(Shared), Begins(First)]);
        await addresses.MoveAsync([Begins(Shared), Begins(Second)]);
        await Heard(pair, First, Shared, Second);

        await services.MoveAsync([Ceases(Shared)]);
        await services.MoveAsync([Ceases(First)]);
        await Heard(pair, Shared, Second);
        await addresses.MoveAsync([Ceases(Shared)]);
        await Heard(pair, Second);
    }

    [Fact]
    public async Task What_a_producer_says_as_a_whole_sweeps_its_own_routes_and_nobody_elses()
    {
        await using var pair = await new Pair(config => config.Routes("203.0.113.0/24")).UpAsync();
        var (services, addresses) = (pair.A.Loop.Producer("services"), pair.A.Loop.Producer("addresses"));
        await services.SetAsync([Begins(Shared), Begins(First)]);
        await addresses.SetAsync([Begins(Shared)]);
        await Heard(pair, First, Shared, "203.0.113.0/24");

        await services.SetAsync([Begins(Second)]);
        await Heard(pair, Shared, "203.0.113.0/24", Second);
        await pair.A.Loop.Producer("addresses").SetAsync([]);
        await Heard(pair, "203.0.113.0/24", Second);
    }

    [Fact]
    public async Task Each_producer_is_a_source_of_its_own_to_those_who_look_in()
    {
        await using var pair = await new Pair().UpAsync();
        await pair.A.Loop.Producer("services").MoveAsync([Begins(Shared)]);
        await pair.A.Loop.Producer("addresses").MoveAsync([Begins(Shared)]);
        await Until.TrueAsync(async () => (await pair.A.RoutesAsync()).Contains(Shared));
        var names = new List<string>();
        await foreach (var batch in pair.A.View.Routes(new(RouteSelection.All), default))
            names.AddRange(batch.Select(route => route.Protocol));
        Assert.Equal(["addresses1", "services1"], names.Order(StringComparer.Ordinal));
    }

    private static Task Heard(Pair pair, params string[] prefixes) =>
        Until.TrueAsync(async () => (await pair.B.RoutesAsync()).SetEquals(prefixes));
}
