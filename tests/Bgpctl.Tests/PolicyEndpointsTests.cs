using Calico.Bgp.Dataplane;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>bgpctl policy endpoints, where an endpoint's interface is not here, or is nobody's.</summary>
public sealed class PolicyEndpointsTests : IAsyncLifetime
{
    private const string Missing = "its interface cali0d7763386da is not here", Nobodys = "no endpoint is known there";

    private readonly BgpctlLab lab = new();

    public async Task InitializeAsync()
    {
        await lab.InitializeAsync();
        var picture = lab.Dataplane.Picture;
        lab.Dataplane.Picture = picture with
        {
            Endpoints =
            [
                picture.Endpoints[0] with { Problem = Missing }, picture.Endpoints[1],
                new EndpointEntry(null, "cali7", true, [], Labels.Empty, [], []) { Problem = Nobodys },
            ],
        };
    }

    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task What_has_no_interface_here_and_interfaces_of_nobody_are_named_below_the_list()
    {
        Assert.Equal(0, await lab.RunAsync("policy", "endpoints"));
        Assert.EndsWith($"\n            cali7\nshop/web-1: {Missing}\ncali7: {Nobodys}\n", lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cali7", $"cali7: {Nobodys}\n")]
    [InlineData("shop/web-1", $"shop/web-1: {Missing}\n")]
    public async Task One_is_shown_with_what_is_wrong_first(string name, string shown)
    {
        Assert.Equal(0, await lab.RunAsync("policy", "endpoints", name));
        Assert.StartsWith(shown, lab.Output.ToString(), StringComparison.Ordinal);
    }
}
