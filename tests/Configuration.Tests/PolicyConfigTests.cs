using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;
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
    public void How_names_are_enforced_is_read_and_what_is_not_said_is_as_it_is_without_a_word()
    {
        Assert.Null(Good(Sources + "policy: {}\n").Policy!.Dns);
        Assert.Equal(new DnsSettings(), Good(Sources + "policy: { dns: { isolation: pod } }\n").Policy!.Dns);
        Assert.Equal(
            new DnsSettings
            {
                Mode = DnsMode.None,
                Isolation = DnsIsolation.Node,
                Deadline = TimeSpan.FromMilliseconds(100),
                MinTtl = TimeSpan.FromSeconds(30),
                CacheFile = Path.Combine(Path.GetTempPath(), "dns.json"),
            },
            Good(Sources + "policy: { dns: { mode: none, isolation: node, deadline: 100ms, minTTL: 30s, "
                + $"cacheFile: {Path.Combine(Path.GetTempPath(), "dns.json")} }} }}\n").Policy!.Dns);
    }

    [Fact]
    public void A_cache_file_without_its_folder_is_a_warning_and_none_at_all_an_error()
    {
        Assert.Contains("/no/such cannot be written while its folder /no is not there",
            Assert.Single(Parse(Sources + "policy: { dns: { cacheFile: /no/such } }\n").Warnings).ToString(), StringComparison.Ordinal);
        foreach (var text in (string[])["''", "/tmp/"])
            Assert.Contains("expected a file for policy.dns.cacheFile", Assert.Single(
                Parse(Sources + $"policy: {{ dns: {{ cacheFile: {text} }} }}\n").Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bits_of_kube_proxys_that_are_in_the_mask_and_not_used_are_nobodys_loss() =>
        Assert.Equal(0xfffff000, Good(Sources + "policy: { markMask: 0xfffff000 }\n").Policy!.MarkMask);

    [Fact]
    public void Policy_without_sources_is_a_warning() =>
        Assert.Contains("there are none", Assert.Single(Parse("policy: {}\n").Warnings).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("policy: { markMask: 0x1 }", "expected a mask of two bits or more, such as 0xffff0000, for policy.markMask")]
    [InlineData("policy: { markMask: 0x1ffffffff }", "expected a mask of two bits or more, such as 0xffff0000, for policy.markMask")]
    [InlineData("policy: { enabled: yes }", "expected true or false for policy.enabled")]
    [InlineData("policy: { enable: true }", "enabled")]
    [InlineData("policy: { dns: { mode: inline } }", "expected hold, deny-delay or none for policy.dns.mode")]
    [InlineData("policy: { markMask: 0x30000, dns: { mode: deny-delay } }", "expected a third bit in policy.markMask, which "
        + "egress.markMask has not, for policy.dns.mode deny-delay, got 0x00030000")]
    [InlineData("policy: { markMask: 0xf0000, dns: { mode: deny-delay } }\negress: { markMask: 0xfffc0000 }", "expected a third bit")]
    [InlineData("policy: { markMask: 0xc000 }", "expected a policy.markMask of which the bits that are used are not kube-proxy's (0x4000 "
        + "and 0x8000), got 0x0000c000, which has 0x0000c000")]
    [InlineData("policy: { markMask: 0xffff8000 }", "got 0xffff8000, which has 0x00008000")]
    [InlineData("policy: { markMask: 0xfffff000, dns: { mode: deny-delay } }", "got 0xfffff000, which has 0x00004000")]
    [InlineData("policy: { dns: { isolation: cluster } }", "expected pod or node for policy.dns.isolation")]
    [InlineData("policy: { dns: { deadline: 5s } }", "for policy.dns.deadline")]
    [InlineData("policy: { dns: { minTtl: 5s } }", "minTTL")]
    public void Mistakes_are_named(string text, string words) =>
        Assert.Contains(Parse(Sources + text + "\n").Errors, error => error.ToString().Contains(words, StringComparison.Ordinal));
}
