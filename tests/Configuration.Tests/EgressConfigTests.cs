using Calico.Bgp.Dataplane.Egress;
using static Calico.Bgp.Configuration.Tests.DaemonConfigTests;

namespace Calico.Bgp.Configuration.Tests;

public class EgressConfigTests
{
    private const string Sources = "sources: [{ files: . }]\n";

    [Fact]
    public void Without_the_section_nothing_is_said_of_egress() => Assert.Null(Good(Sources).Egress);

    [Theory]
    [InlineData("egress:\n")]
    [InlineData("egress: {}\n")]
    [InlineData("egress: { enabled: true, mode: node, pinned: false, replicateFlows: false, flowLog: false, markMask: 0xfff00000, "
        + "probe: { interval: 100ms, multiplier: 3 } }\n")]
    public void The_section_alone_switches_it_on(string text) =>
        Assert.Equal(new EgressSettings { Enabled = true }, Good(Sources + text).Egress);

    [Fact]
    public void All_its_keys_are_read() => Assert.Equal(
        new EgressSettings
        {
            MarkMask = 0xff00,
            ProbeInterval = TimeSpan.FromMilliseconds(50),
            ProbeMultiplier = 5,
            RestartTime = TimeSpan.FromSeconds(60),
            FlowLog = true,
            Pinned = true,
            ReplicateFlows = true,
            ReplicationPort = 4000,
        },
        Good(Sources + """
            egress:
              { enabled: false, flowLog: true, pinned: true, replicateFlows: true, replicationPort: 4000, markMask: 0xff00,
                restartTime: 60s, probe: { interval: 50ms, multiplier: 5 } }

            """).Egress);

    [Fact]
    public void Egress_without_sources_is_a_warning() =>
        Assert.Contains("there are none", Assert.Single(Parse("egress: {}\n").Warnings).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("egress: { mode: both }", "expected node or pods for egress.mode, got \"both\"")]
    [InlineData("egress: { mode: pods, pinned: true }",
        "expected false for egress.pinned in mode pods, got true: each pod has its own address")]
    [InlineData("egress: { replicateFlows: true }", "expected false for egress.replicateFlows without egress.pinned, got true: an address "
        + "that stays at its node takes no flows along")]
    [InlineData("egress: { mode: pods, replicateFlows: true }", "expected false for egress.replicateFlows without egress.pinned, got true")]
    [InlineData("egress: { pinned: true, replicateFlows: true, replicationPort: 0 }", "for egress.replicationPort")]
    [InlineData("egress: { markMask: 0x1 }", "expected a mask of three bits or more without gaps, such as 0xfff00000, for egress.markMask")]
    [InlineData("egress: { markMask: 0xd }", "expected a mask of three bits or more without gaps, such as 0xfff00000, for egress.markMask")]
    [InlineData("egress: { markMask: 0x0000f000 }", "expected an egress.markMask without kube-proxy's bits (0x4000 and 0x8000), got "
        + "0x0000f000, which has 0x0000c000")]
    [InlineData("egress: { markMask: 0x7000 }", "got 0x00007000, which has 0x00004000")]
    [InlineData("egress: { probe: { interval: 1ms } }", "for egress.probe.interval")]
    [InlineData("egress: { restartTime: 5000s }", "for egress.restartTime")]
    [InlineData("policy: {}\negress: { markMask: 0xffff0000 }", "got 0x00030000 in both")]
    [InlineData("egress: { enable: true }", "enabled")]
    public void Mistakes_are_named(string text, string words) =>
        Assert.Contains(Parse(Sources + text + "\n").Errors, error => error.ToString().Contains(words, StringComparison.Ordinal));
}
