using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>Which node of the mesh may announce which of the pods' addresses (router.validateBlocks).</summary>
public class BlockRulesTests
{
    private static readonly Resource[] Objects =
    [
        Global(), Pool("192.168.0.0/16"), Pool("fd10::/48"), Block("192.168.1.0/26", node: "b"), Block("192.168.2.0/26", node: "c"),
        Block("192.168.3.0/26"), Block("192.168.4.0/26", AffinityState.PendingDeletion, "b"), Block("192.168.9.9/32", node: "c"),
        Block("fd10::40/122", node: "b"), Block("172.30.0.0/26", node: "c"),
    ];

    private static readonly IpamAttributes OnC = new("h1", Labelled(("node", "c"), ("pod", "web"), ("namespace", "shop")));
    private static readonly IpamAttributes OnB = new("h2", Labelled(("node", "b"))) { Alternate = Labelled(("node", "a")) };

    /// <summary>c's block: .1 is c's own, .2 was lent to b, and is on its way to a.</summary>
    private static readonly IpamBlock KnownBlock = new(new Metadata("192-168-2-0-26"))
    {
        Cidr = Prefix.Parse("192.168.2.0/26"),
        Affinity = new(AffinityType.Host, "c"),
        Allocations = [null, 0, 1],
        Attributes = [OnC, OnB],
    };

    private static Cluster At(BlockValidation validation, params ReadOnlySpan<Resource> more) =>
        Of([.. Objects, .. more]).Seen(settings => settings with { ValidateBlocks = validation });

    private static ProbeAnswer From(string node, string prefix, Cluster at)
    {
        var plan = at.Plan();
        var peer = plan.Peers.Single(one => one.Origin.Key.Name == node && one.Family == Prefix.Parse(prefix).Family);
        return Ask.OfKernel(plan, Ask.Bgp(prefix) with { FromPeer = peer.Name });
    }

    [Theory]
    [InlineData("b", "192.168.1.0/26", true)] // Its own.
    [InlineData("b", "192.168.4.0/26", true)] // Its own, on its way out.
    [InlineData("b", "192.168.1.7/32", true)] // Out of its own.
    [InlineData("b", "fd10::40/122", true)]
    [InlineData("b", "192.168.2.0/26", false)] // c's.
    [InlineData("c", "192.168.2.0/26", true)]
    [InlineData("b", "192.168.3.0/26", false)] // Ours.
    [InlineData("b", "192.168.2.128/26", false)] // Nobody's.
    [InlineData("b", "192.168.0.0/20", false)] // Many.
    [InlineData("b", "192.168.2.0/27", false)] // Half of c's.
    [InlineData("b", "192.168.2.2/32", true)] // Borrowed, for all that is known.
    [InlineData("b", "192.168.9.9/32", false)] // A block of c's that is one address.
    [InlineData("c", "192.168.9.9/32", true)]
    [InlineData("c", "fd10::40/122", false)]
    [InlineData("c", "fd10::41/128", true)]
    [InlineData("b", "172.30.0.0/26", false)] // c's, whose pool is gone.
    [InlineData("b", "203.0.113.0/24", true)] // No pod's.
    [InlineData("b", "0.0.0.0/0", true)]
    public void A_mesh_peer_may_announce_its_own_blocks_and_single_addresses(string node, string prefix, bool expected)
    {
        Assert.Equal(expected, From(node, prefix, At(BlockValidation.Reject)).Accepted);
        Assert.True(From(node, prefix, At(BlockValidation.Log)).Accepted);
        Assert.True(From(node, prefix, At(BlockValidation.Off)).Accepted);
    }

    [Theory]
    [InlineData("b", "192.168.2.2/32", true)] // The borrower.
    [InlineData("c", "192.168.2.2/32", true)] // The block's node, which forwards what comes.
    [InlineData("b", "192.168.2.1/32", false)] // c's pod.
    [InlineData("b", "192.168.2.3/32", false)] // Nobody's.
    [InlineData("b", "192.168.3.7/32", true)] // In a block that no IPAMBlock tells of.
    public void A_single_address_of_a_known_block_is_the_borrowers(string node, string prefix, bool expected) =>
        Assert.Equal(expected, From(node, prefix, At(BlockValidation.Reject, KnownBlock)).Accepted);

    [Fact]
    public void A_machine_that_moves_is_announced_from_both_ends()
    {
        var at = At(BlockValidation.Reject, KnownBlock with { Attributes = [OnC, OnB with { Alternate = Labelled(("node", "d")) }] },
            Node("d", "10.0.0.4/24"));
        Assert.True(From("d", "192.168.2.2/32", at).Accepted);
    }

    [Fact]
    public void Ranges_of_services_are_every_nodes()
    {
        var at = At(BlockValidation.Reject, Global() with { ServiceLoadBalancerIPs = [Prefix.Parse("192.168.64.0/24")] });
        // What is kept out of the kernel was let in.
        Assert.DoesNotContain("import", From("b", "192.168.64.0/24", at).Rule);
        Assert.Contains("import", From("b", "192.168.65.0/24", at).Rule);
    }

    [Fact]
    public void The_rule_is_named()
    {
        Assert.Contains(
            "in another node's block (BlockAffinity); router.validateBlocks",
            From("b", "192.168.2.0/26", At(BlockValidation.Reject)).Rule);
        Assert.Contains(
            "IPPool/pool-192-168-0-0-16, and no block of this node's",
            From("b", "192.168.2.128/26", At(BlockValidation.Reject)).Rule);
    }

    [Fact]
    public void Peers_of_BGPPeers_are_not_judged()
    {
        var at = At(BlockValidation.Reject, Peer("reflector", "10.0.0.2", 64512));
        var probe = Ask.Bgp("192.168.2.0/26") with { FromPeer = "Global_10_0_0_2" };
        Assert.True(Ask.OfKernel(at.Plan(), probe).Accepted);
    }

    [Fact]
    public void An_edit_of_another_nodes_block_moves_the_plan_where_blocks_are_judged_and_only_there()
    {
        foreach (var (validation, moves) in ((BlockValidation, bool)[])[(BlockValidation.Off, false), (BlockValidation.Reject, true)])
        {
            var at = At(validation);
            var planner = at.Planner();
            Assert.Equal(moves, planner.Apply(at.To(at.With(Block("192.168.7.0/26", node: "b")))).Plan != null);
            Assert.Equal(moves, planner.Apply(at.To(at.With(KnownBlock))).Plan != null);
        }
    }

    [Theory]
    [InlineData("192.168.1.0/26", "192.168.1.0/26: block of node b (BlockAffinity/b-192.168.1.0/26)")]
    [InlineData("192.168.2.1/32", "192.168.2.0/26: block of node c (BlockAffinity/c-192.168.2.0/26); 192.168.2.1 is held by "
        + "pod shop/web on node c (IPAMBlock/192-168-2-0-26)")]
    [InlineData("192.168.2.9/32", "192.168.2.0/26: block of node c (BlockAffinity/c-192.168.2.0/26); 192.168.2.9 is free "
        + "(IPAMBlock/192-168-2-0-26)")]
    [InlineData("192.168.128.0/26", null)]
    public void It_is_told_whose_a_block_is_and_who_holds_an_address(string prefix, string? expected) =>
        Assert.Equal(expected, BlockRules.Words(At(BlockValidation.Off, KnownBlock).Resources, Prefix.Parse(prefix)));
}
