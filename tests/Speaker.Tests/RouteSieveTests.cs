using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>What <c>show route filter NAME</c> is answered.</summary>
public class RouteSieveTests
{
    private static RouteView Route(RouteOrigin origin, uint med)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.SetMed(med);
        var attributes = editor.Finish(out var summary).ToArray();
        return new(
            Prefix.Parse("192.0.2.0/24"), origin, RouteType.Blackhole, origin == RouteOrigin.Bgp ? "tor" : "static1", null, default)
        {
            First = true,
            Best = true,
            Preference = 100,
            Attributes = origin == RouteOrigin.Bgp ? attributes : default,
            Summary = summary,
        };
    }

    private static RouteView? Pass(RouteView route, params FilterRule[] rules) =>
        new RouteSieve(new FilterChain([new Filter("f", [.. rules])]), KernelSnapshot.Empty).Pass(route);

    [Fact]
    public void A_route_is_shown_as_the_filter_leaves_it()
    {
        var shown = Pass(Route(RouteOrigin.Bgp, 5), new FilterRule(null, new Change { Med = 7 }, RuleAction.Accept));
        Assert.Equal(7u, shown?.Summary.Med);
        Assert.Equal(7u, new AttributeView(shown!.Attributes.Span).Summarize().Med);
    }

    [Fact]
    public void A_rejected_route_is_not_shown() =>
        Assert.Null(Pass(Route(RouteOrigin.Bgp, 5), new FilterRule(null, null, RuleAction.Reject)));

    [Fact]
    public void An_own_route_is_judged_without_attributes_that_it_has_not()
    {
        Assert.NotNull(Pass(Route(RouteOrigin.Static, 5), new FilterRule(null, null, RuleAction.Accept)));
        Assert.Null(Pass(Route(RouteOrigin.Static, 5), new FilterRule(null, null, RuleAction.Next)));
    }
}
