using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>What the objects say of other nodes' blocks and of the node itself, on running nodes.</summary>
public sealed class BlockOwnerTests
{
    private const string Block3 = "10.65.3.0/26", Borrowed = "10.65.3.9";

    private static readonly Manifest[] Objects =
    [
        .. Rack.TorPeers(), Pool("pods", "10.65.0.0/16"), Block("node1", "10.65.1.0/26"), Block("node2", "10.65.2.0/26"),
        Block("node3", Block3),
    ];

    /// <summary>A node announces what is another's.</summary>
    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_node_of_the_mesh_is_held_to_its_own_blocks_and_to_what_it_has_borrowed()
    {
        await using var rack = await Rack.MakeAsync(3, null, Objects);
        var (one, two) = (rack.Nodes[0], rack.Nodes[1]);
        await two.ReconfigureAsync(
            $"routes: [{{ prefix: {Block3}, type: blackhole }}, {{ prefix: {Borrowed}/32, type: blackhole }}]");
        Task Has(string what, string prefix, Func<string, bool> isSo) => Until.TrueAsync(
            $"{prefix}: {what}", async () => isSo(await one.ExplainAsync("route", prefix)), 60, rack.Said);
        bool IsFrom(string answer, string node, string verdict) =>
            answer.Split('\n').Any(line => line.StartsWith($"Mesh_{node} ", StringComparison.Ordinal) && line.Contains($" {verdict} "));
        await Has("both announce it", Block3, answer => IsFrom(answer, "10_192_0_12", "accept") && IsFrom(answer, "10_192_0_13", "accept"));

        await one.ReconfigureAsync("router: { validateBlocks: reject }");
        await Has("node2's is refused", Block3, answer => IsFrom(answer, "10_192_0_12", "reject") && IsFrom(answer, "10_192_0_13", "accept")
            && answer.Contains("in another node's block (BlockAffinity); router.validateBlocks", StringComparison.Ordinal)
            && answer.Contains($"{Block3}: block of node node3 (BlockAffinity/node3-10-65-3-0-26)", StringComparison.Ordinal));
        await Has("it is borrowed", Borrowed + "/32", answer => IsFrom(answer, "10_192_0_12", "accept"));
        await Until.TrueAsync(
            "the kernel has it from node3 alone",
            async () => await one.KernelAsync(Block3) is var route && route.Contains(Rack.Node4(3)) && !route.Contains(Rack.Node4(2)), 30,
            rack.Said);
        Assert.Contains($"Mesh_10_192_0_12: {Block3} is refused: in another node's block", one.Said);

        // The block changes hands.
        rack.Apply(Block("node2", Block3));
        rack.Delete("BlockAffinity", "node3-10-65-3-0-26");
        await Has("node2's is let in", Block3, answer => IsFrom(answer, "10_192_0_12", "accept"));
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_node_that_is_cordoned_is_the_last_choice_and_comes_back()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh(), .. Objects[..4]]);
        await rack.Nodes[0].ReconfigureAsync("router: { drainOnCordon: true }");
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        async Task<bool> IsMarkedAsync() =>
            (await rack.Tor.AskAsync("show route all 10.65.1.0/26")).Contains("(65535,0)", StringComparison.Ordinal);
        Assert.False(await IsMarkedAsync());
        rack.Objects.Cordon("node1", true);
        await Until.TrueAsync("graceful shutdown", IsMarkedAsync, 30, rack.Said);
        Assert.Contains("the node is cordoned", await rack.Nodes[0].BgpctlAsync("peers", "Global_10_192_0_254"));
        rack.Objects.Cordon("node1", false);
        await Until.TrueAsync("back", async () => !await IsMarkedAsync(), 30, rack.Said);
    }
}
