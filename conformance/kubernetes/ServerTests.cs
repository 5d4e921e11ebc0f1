using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>What a real API server does to those who read it: it forgets, refuses, rotates who they are, and learns kinds late.</summary>
public sealed class ServerTests
{
    private const string Space = "calico-bgp", Account = "bgpd";

    private static readonly Manifest[] Cluster =
        [Node("n1", "10.95.0.1/24"), Configuration("nodeToNodeMeshEnabled: false"), Pool("pods", "10.65.0.0/16")];

    private static readonly Manifest First = Block("n1", "10.65.1.0/26"), Second = Block("n1", "10.65.2.0/26");

    private static string As(string kubeconfig) => $"kubeconfig: {kubeconfig}";

    /// <summary>Without a watch cache the server asks etcd, which has forgotten where the watches were: 410 at once, to each of
    /// them.</summary>
    [NeedsFact(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi)]
    public async Task What_etcd_has_compacted_meanwhile_is_listed_anew_and_what_is_gone_is_gone()
    {
        await using var node = await ClusterNode.MakeAsync("-watch-cache=false");
        await node.Api.ApplyAsync([.. Cluster, First]);
        node.Start(As(node.Api.Kubeconfig));
        await node.BlocksAsync("10.65.1.0/26");
        await using (await node.Api.BesideAsync())
        {
            await node.Api.KillAsync();
            await node.Api.ApplyAsync(Second);
            await node.Api.DeleteAsync(First);
        }
        await node.Api.CompactAsync();
        await node.Api.RestartAsync("-watch-cache=false");
        await node.BlocksAsync("10.65.2.0/26");
        await node.InSyncAsync();
        // And under watches that are open, which go on.
        await node.Api.CompactAsync();
        await node.Api.ApplyAsync(First);
        await node.BlocksAsync("10.65.1.0/26 10.65.2.0/26");
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi, "kubectl")]
    public async Task A_token_that_was_rotated_is_read_again_from_its_file()
    {
        await using var node = await ClusterNode.MakeAsync();
        await DeployAsync(node);
        await node.BlocksAsync("10.65.1.0/26");
        var (tokens, file) = (node.Api.PathOf("tokens.csv"), node.Api.PathOf($"{Account}.token"));
        var old = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(tokens, (await File.ReadAllTextAsync(tokens)).Replace(old, "rotated", StringComparison.Ordinal));
        await node.Api.KillAsync();
        await node.Api.RestartAsync();
        await node.ToldAsync("401 Unauthorized");
        await node.BlocksAsync("10.65.1.0/26");
        await node.Api.ApplyAsync(Second);
        await File.WriteAllTextAsync(file, "rotated");
        await node.BlocksAsync("10.65.1.0/26 10.65.2.0/26", seconds: 60);
        await node.InSyncAsync();
        Assert.DoesNotContain(old, node.Said, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi, "kubectl")]
    public async Task A_kind_that_may_not_be_read_is_told_once_and_the_rest_goes_on_until_it_may()
    {
        await using var node = await ClusterNode.MakeAsync();
        await DeployAsync(node, role => role.Replace(" blockaffinities,", "", StringComparison.Ordinal));
        await node.ToldAsync("BlockAffinity: 403");
        Assert.Equal("", await node.Space.IpAsync("route show type blackhole"));
        await node.Api.ApplyAsync(Peer("tor", "peerIP: 10.95.0.254, asNumber: 65001"));
        await Until.TrueAsync("the rest goes on", async () => (await node.BgpctlAsync("peers")).Contains("Global_10_95_0_254"), 40,
            () => node.Said);
        Assert.Contains("BlockAffinity: 403", await node.BgpctlAsync("status"), StringComparison.Ordinal);
        // Asked for again and again meanwhile.
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Single(node.Said.Split('\n'), line => line.Contains("bgpd: kubernetes: BlockAffinity: 403", StringComparison.Ordinal));
        await node.KubectlAsync("apply", "--server-side", "-f", Project.PathOf("deploy", "kubernetes", "account.yaml"));
        await node.BlocksAsync("10.65.1.0/26", seconds: 60);
        await node.InSyncAsync();
    }

    /// <summary>By the account of deploy/kubernetes.</summary>
    /// <param name="change">Of its rules.</param>
    private static async Task DeployAsync(ClusterNode node, Func<string, string>? change = null)
    {
        var account = await File.ReadAllTextAsync(Project.PathOf("deploy", "kubernetes", "account.yaml"));
        var file = node.Api.PathOf("account.yaml");
        var changed = change == null ? account : change(account);
        Assert.Equal(change == null, changed == account);
        await File.WriteAllTextAsync(file, changed);
        await node.KubectlAsync("apply", "--server-side", "-f", Project.PathOf("deploy", "kubernetes", "0-namespace.yaml"), "-f", file);
        await node.Api.ApplyAsync([.. Cluster, First]);
        node.Start($"{As(await node.Api.AccountAsync(Space, Account))}, namespace: {Space}");
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi)]
    public async Task Calicos_kinds_that_are_installed_after_the_start_count_soon()
    {
        await using var node = await ClusterNode.MakeAsync("-calico=false");
        await node.Api.ApplyAsync(Cluster[0]);
        node.Start(As(node.Api.Kubeconfig));
        await node.InSyncAsync();
        Assert.Equal("[]", $"{(await node.StatusAsync())!["resources"]!["problems"]}");
        await node.Api.ApplyAsync(((string[])["IPPool", "BGPConfiguration", "BlockAffinity"]).Select(ApiServer.Definition));
        await Until.TrueAsync("the server knows the kinds", async () =>
        {
            try { await node.Api.ApplyAsync([.. Cluster[1..], First]); }
            catch (MachineException) { return false; }
            return true;
        });
        await node.BlocksAsync("10.65.1.0/26", seconds: 60);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, Needs.KubeApi)]
    public async Task What_the_server_let_through_and_Calico_would_refuse_is_refused_and_its_last_good_version_stays()
    {
        await using var node = await ClusterNode.MakeAsync();
        await node.Api.ApplyAsync([.. Cluster, First, Peer("tor", "peerIP: 10.95.0.254, asNumber: 65001")]);
        node.Start(As(node.Api.Kubeconfig));
        await node.BlocksAsync("10.65.1.0/26");
        await node.Api.ApplyAsync(Peer("tor", "peerIP: nowhere, asNumber: 65001"),
            Peer("other", "peerIP: 10.95.0.253, asNumber: 65002, fieldOfTheFuture: { a: [1, 2] }"));
        await Until.TrueAsync("the other peer counts", async () => (await node.BgpctlAsync("peers")).Contains("Global_10_95_0_253"), 40,
            () => node.Said);
        Assert.Contains("Global_10_95_0_254", await node.BgpctlAsync("peers"), StringComparison.Ordinal);
        var problems = (await node.StatusAsync())!["resources"]!["problems"]!.AsArray().Select(one => one!.ToJsonString()).ToArray();
        var refused = Assert.Single(problems, one => one.Contains("BGPPeer/tor", StringComparison.Ordinal));
        Assert.Contains("\"spec.peerIP\"", refused, StringComparison.Ordinal);
        Assert.Contains("expected an", refused, StringComparison.Ordinal);
        Assert.Contains("nowhere", refused, StringComparison.Ordinal);
        // Told, and of no effect.
        Assert.Contains(problems, one => one.Contains("fieldOfTheFuture", StringComparison.Ordinal)
            && one.Contains("is not known here and has no effect", StringComparison.Ordinal));
    }
}
