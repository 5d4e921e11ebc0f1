using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using static Calico.Bgp.Configuration.Tests.DaemonConfigTests;

namespace Calico.Bgp.Configuration.Tests;

public class NatConfigTests
{
    private const string Sources = "sources: [{ files: . }]\n";

    [Fact]
    public void Without_the_section_nothing_is_said_of_NAT() => Assert.Null(Good(Sources).Nat);

    [Theory]
    [InlineData("nat:\n")]
    [InlineData("nat: {}\n")]
    [InlineData("nat: { enabled: true, persistent: false, onChange: keep, upstream: { stableFor: 10s } }\n")]
    public void The_section_alone_switches_it_on(string text) => Assert.Equal(new NatSettings { Enabled = true }, Good(Sources + text).Nat);

    [Fact]
    public void All_its_keys_are_read() => Assert.Equal(
        new NatSettings
        {
            Persistent = true,
            OnChange = OnPoolChange.Cut,
            Upstream = new() { Peers = ["tor1", "tor2"], Community = new Community(65001, 77), StableFor = TimeSpan.FromSeconds(3) },
        },
        Good(Sources + "nat: { enabled: false, persistent: true, onChange: cut, "
            + "upstream: { peers: [tor1, tor2], community: \"65001:77\", stableFor: 3s } }\n").Nat);

    [Fact]
    public void All_peers_may_be_meant() => Assert.True(Good(Sources + "nat: { upstream: { peers: all } }\n").Nat!.Upstream.AllPeers);

    [Fact]
    public void NAT_without_sources_is_a_warning() =>
        Assert.Contains("there are none", Assert.Single(Parse("nat: {}\n").Warnings).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("nat: { onChange: flush }", "expected keep or cut for nat.onChange")]
    [InlineData("nat: { upstream: { community: 65001 } }", "expected a community such as 65001:77 for nat.upstream.community")]
    [InlineData("nat: { upstream: { peer: tor1 } }", "did you mean \"peers\"?")]
    public void A_mistake_is_told(string text, string expected) =>
        Assert.Contains(Parse(Sources + text).Errors, error => error.ToString().Contains(expected, StringComparison.Ordinal));
}
