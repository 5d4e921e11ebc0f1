using Calico.Bgp.Dataplane;
using static Calico.Bgp.Configuration.Tests.DaemonConfigTests;

namespace Calico.Bgp.Configuration.Tests;

public class PolicyConfigTests
{
    private const string Sources = "sources: [{ files: . }]\n";

    [Fact]
    public void Without_the_section_nothing_is_said_of_policy() => Assert.Null(Good(Sources).Policy);

    [Theory]
    [InlineData("policy:\n")]
    [InlineData("policy: {}\n")]
    [InlineData("policy: { enabled: true, automaticHostEndpoints: false, markMask: 0xffff0000 }\n")]
    public void The_section_alone_switches_it_on(string text) =>
        Assert.Equal(new PolicySettings { Enabled = true, MarkMask = 0xffff0000 }, Good(Sources + text).Policy);

    [Fact]
    public void All_its_keys_are_read() => Assert.Equal(
        new PolicySettings { AutomaticHostEndpoints = true, MarkMask = 0xff00 },
        Good(Sources + "policy: { enabled: false, automaticHostEndpoints: true, markMask: 65280 }\n").Policy);

    [Fact]
    public void What_is_denied_is_logged_and_what_a_change_forbids_is_cut_where_the_file_asks_for_it()
    {
        Assert.True(Good(Sources + "policy: { logDenied: true }\n").Policy is { Enabled: true, LogDenied: true, CutNarrowed: false });
        Assert.True(Good(Sources + "policy: { cutNarrowed: true }\n").Policy is { Enabled: true, LogDenied: false, CutNarrowed: true });
    }

    [Fact]
    public void Policy_without_sources_is_a_warning() =>
        Assert.Contains("there are none", Assert.Single(Parse("policy: {}\n").Warnings).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("policy: { markMask: 0x1 }", "expected a mask of two bits or more, such as 0xffff0000, for policy.markMask")]
    [InlineData("policy: { markMask: 0x1ffffffff }", "expected a mask of two bits or more, such as 0xffff0000, for policy.markMask")]
    [InlineData("policy: { enabled: yes }", "expected true or false for policy.enabled")]
    [InlineData("policy: { enable: true }", "enabled")]
    public void Mistakes_are_named(string text, string words) =>
        Assert.Contains(Parse(Sources + text + "\n").Errors, error => error.ToString().Contains(words, StringComparison.Ordinal));
}
