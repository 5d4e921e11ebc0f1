using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class ClusterSecretsTests : IAsyncLifetime
{
    private ScriptedApi api = null!;

    public async Task InitializeAsync() => api = await ScriptedApi.StartAsync();
    public async Task DisposeAsync() => await api.DisposeAsync();

    private static string Event(string type, string item) => $$"""{"type":"{{type}}","object":{{item}}}""" + "\n";

    private static string Peer(string name, string secret, string more) => $$$"""
        {"metadata":{"name":"{{{name}}}","resourceVersion":"1"},"spec":{"peerIP":"192.0.2.1","asNumber":65000,
        "password":{"secretKeyRef":{"name":"{{{secret}}}","key":"k"}}{{{more}}}}}
        """;

    [Fact]
    public async Task Of_Secrets_only_those_are_asked_for_that_peers_of_this_node_name_and_by_name()
    {
        api.Objects["bgppeers"] = new([new("a", Peer("a", "all", "")), new("b", Peer("b", "ours", ""","node":"n1" """)),
            new("c", Peer("c", "others", ""","node":"n2" """)), new("d", Peer("d", "rack1", ""","nodeSelector":"rack == '1'" """)),
            new("e", Peer("e", "rack2", ""","nodeSelector":"rack == '2'" """))]);
        api.Objects["nodes"] = new([new("n1", """{"metadata":{"name":"n1","resourceVersion":"3","labels":{"rack":"1"}}}""")]);
        // The peers are there long before the node whose labels say which of them are its own.
        var gate = new TaskCompletionSource();
        api.On("nodes", async question =>
        {
            if (!question.IsWatch) await gate.Task;
            return false;
        });
        await using var follower = new Follower(api.Address);
        await Until.TrueAsync("the peers are watched", () => api.WatchesOf("bgppeers") == 1);
        gate.SetResult();
        await follower.InSyncAsync();
        var lists = api.Asked.Where(asked => asked.Contains("/secrets?") && !asked.Contains("watch=1"));
        string[] expected = [.. ((string[])["all", "ours", "rack1"]).Select(name =>
            $"/api/v1/namespaces/kube-system/secrets?fieldSelector=metadata.name%3D{name}&limit=500&continue=")];
        Assert.Equal(expected, lists.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(api.Asked, one => one.Contains("rack2") || one.Contains("others"));

        api.Push("bgppeers", Event("MODIFIED", Peer("a", "new", "").Replace("\"1\"", "\"4\"")) + Event("DELETED", Peer("b", "ours", "")));
        await Until.TrueAsync("another is asked for", () => api.Asked.Any(one => one.Contains("metadata.name%3Dnew")));
    }

    [Fact]
    public async Task A_Secret_that_is_waited_for_makes_nothing_older()
    {
        var began = TimeProvider.System.GetUtcNow();
        api.On("secrets", async question =>
        {
            await question.HangAsync();
            return true;
        });
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        await Until.TrueAsync("a watch is open", () => api.WatchesOf("bgppeers") == 1);
        api.Push("bgppeers", Event("ADDED", Peer("a", "keys", "")));
        await Until.TrueAsync("the peer is there", () => follower.Resources.Of(Kinds.BgpPeer).Count == 1);
        Assert.True(follower.State.CurrentAt >= began, $"{follower.State}");
    }

    [Fact]
    public async Task A_Secret_counts_while_a_peer_names_it()
    {
        api.Objects["bgppeers"] = new([new("a", Peer("a", "keys", ""))]);
        api.Objects["secrets"] = new([new("keys", """
            {"metadata":{"name":"keys","namespace":"kube-system","resourceVersion":"3"},"data":{"k":"aHVzaA=="}}
            """)]);
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Assert.Equal("hush", follower.Resources.Of(Kinds.Secret)[new ResourceKey("kube-system", "keys")]!["k"]!.Text);
        api.Push("bgppeers", Event("DELETED", Peer("a", "keys", "")));
        await Until.TrueAsync("it is gone", () => follower.Resources.Of(Kinds.Secret).Count == 0);
    }
}
