using Calico.Bgp.Control.Tests.Http;
using Calico.Bgp.Dataplane.Egress;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary><c>bgpctl egress</c>, and what the status says of it.</summary>
public sealed class EgressTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync()
    {
        lab.Dataplane.Egress = FakeDataplane.Gateways;
        return lab.InitializeAsync();
    }

    public Task DisposeAsync() => lab.DisposeAsync();

    private async Task<string> ShownAsync(params string[] words)
    {
        Assert.Equal(0, await lab.RunAsync(words));
        return lab.Output.ToString();
    }

    [Fact]
    public async Task Gateways_are_shown_with_who_leaves_by_them_and_who_leaves_by_none()
    {
        var shown = await ShownAsync("egress");
        Assert.Contains("Gateway edge/red", shown, StringComparison.Ordinal);
        Assert.Contains("10.10.10.1, fd10::1", shown, StringComparison.Ordinal);
        Assert.Contains("172.20.0.12 is not heard", shown, StringComparison.Ordinal);
        Assert.Contains("alpha/a, alpha/b, beta/c and 1 more pod", shown, StringComparison.Ordinal);
        Assert.Contains("EgressGatewayPolicy/nowhere does not exist", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_gateway_is_shown_with_all_its_pods()
    {
        var shown = await ShownAsync("egress", "red");
        Assert.Contains("alpha/a, alpha/b, beta/c, beta/d", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("edge/blue", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("egress", "nosuch")]
    [InlineData("egress", "nosuch", "--json")]
    public async Task A_gateway_that_is_not_there_is_refused_with_those_that_are(params string[] words)
    {
        Assert.Equal(1, await lab.RunAsync(words));
        Assert.Contains("there is no gateway nosuch; there are edge/blue, edge/red", lab.Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_section_that_cannot_be_in_force_is_not_called_missing()
    {
        lab.Dataplane.Egress = EgressView.Off;
        lab.Dataplane.View = lab.Dataplane.View with { Problem = "nat, egress: nftables cannot be spoken to" };
        Assert.Equal(1, await lab.RunAsync("egress"));
        Assert.StartsWith("bgpctl: egress is not in force: nat, egress: nftables cannot be spoken to", lab.Errors.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flows_that_leave_here_are_counted_by_pod()
    {
        lab.Dataplane.Egress = FakeDataplane.Gateways with { FlowLog = new(5, 2, null) };
        var shown = await ShownAsync("egress", "red");
        Assert.Contains("8 flows of it leave here: alpha/a 7, pods that are gone 1", shown, StringComparison.Ordinal);
        Assert.Contains("5 flows logged, 2 or more came too fast and are not", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pods_way_is_explained() => Assert.Contains("- alpha/a to 198.51.100.1",
        await ShownAsync("egress", "explain", "alpha/a", "198.51.100.1"), StringComparison.Ordinal);

    [Fact]
    public async Task The_status_names_pods_that_are_blocked() => Assert.Contains(
        "2 gateways; blocked: bad/x: EgressGatewayPolicy/nowhere does not exist", await ShownAsync("status"), StringComparison.Ordinal);

    [Fact]
    public async Task What_the_kernel_refuses_is_named()
    {
        lab.Dataplane.Egress = FakeDataplane.Gateways with { Refused = [.. Enumerable.Range(0, 7).Select(number => $"link {number}: no")] };
        var shown = await ShownAsync("egress");
        foreach (var words in (string[])["Refused by the kernel", "link 0: no", "link 4: no", "and 2 more (bgpctl kernel)"])
            Assert.Contains(words, shown, StringComparison.Ordinal);
        Assert.DoesNotContain("link 5", shown, StringComparison.Ordinal);
        Assert.Contains("2 gateways; the kernel refuses link 0: no and 6 more (bgpctl egress); blocked: bad/x", await ShownAsync("status"),
            StringComparison.Ordinal);
    }
}
