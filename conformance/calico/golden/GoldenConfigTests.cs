using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Golden;

/// <summary>The golden configurations by themselves: all of them are understood, and the probes make every filter say both things it can
/// say.</summary>
public class GoldenConfigTests
{
    [NeedsTheory(Needs.Shared + GoldenCase.Data)]
    [MemberData(nameof(GoldenCase.Names), MemberType = typeof(GoldenCase))]
    public void Every_filter_answers_every_probe(string name)
    {
        var golden = new GoldenCase(name);
        var texts = golden.Words.ToArray();
        foreach (var (config, family) in new[] { (golden.IPv4, AddressFamily.InterNetwork), (golden.IPv6, AddressFamily.InterNetworkV6) })
        {
            var expected = new Expected(config);
            var answers = Probes.For(config, family, texts).SelectMany((probe, number) => expected.Of(number, probe)).ToLookup(one =>
                one.Target);
            Assert.Equal(config.Peers.Select(peer => peer.Name).Append("kernel").Order(), answers.Select(target => target.Key).Order());
            // Without blocks and pools a node announces nothing; everything else says both yes and no.
            Assert.True(answers["kernel"].Any(one => one.Route != null), "the kernel gets nothing");
            Assert.All(config.Peers, peer => Assert.True(answers[peer.Name].Any(one => one.Route == null), $"{peer.Name} gets everything"));
        }
    }

    [NeedsTheory(Needs.Shared + GoldenCase.Data)]
    [MemberData(nameof(GoldenCase.Names), MemberType = typeof(GoldenCase))]
    public void Both_families_are_of_one_node(string name)
    {
        var golden = new GoldenCase(name);
        Assert.Equal((golden.IPv4.RouterId, golden.IPv4.ListenPort), (golden.IPv6.RouterId, golden.IPv6.ListenPort));
        Assert.All(golden.IPv4.Peers, peer => Assert.Equal(AddressFamily.InterNetwork, peer.Address.AddressFamily));
        Assert.All(golden.IPv6.Peers, peer => Assert.Equal(AddressFamily.InterNetworkV6, peer.Address.AddressFamily));
    }
}
