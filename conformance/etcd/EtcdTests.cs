using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Etcd;

/// <summary>A node whose Calico objects lie in a real etcd, on the other end of a wire; what it does is seen in its kernel's routes: the
/// blackhole of each block of its own.</summary>
public sealed class EtcdTests : IAsyncLifetime, IDisposable
{
    private const string EtcdAddress = "10.94.0.2";

    private static readonly Manifest[] Cluster =
    [
        Node("n1", "10.94.0.1/24"), Configuration("nodeToNodeMeshEnabled: false"), Pool("pods", "10.65.0.0/16"),
        Peer("tor", "peerIP: 10.94.0.254, asNumber: 65001"),
    ];

    private readonly Scratch folder = new("node");
    private Netns node = null!, other = null!;
    private EtcdStore etcd = null!;
    private Background? daemon;

    private string Http => folder.PathOf("http");
    private string Log => folder.PathOf("log");
    private string Said => File.Exists(Log) ? File.ReadAllText(Log) : "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl") != null) return;
        (node, other) = (await Netns.MakeAsync("node"), await Netns.MakeAsync("etcd"));
        await Netns.JoinAsync(node, "eth0", ["10.94.0.1/24"], other, "eth0", [EtcdAddress + "/24"]);
        etcd = new(other, EtcdAddress);
    }

    public async Task DisposeAsync()
    {
        if (daemon != null) await daemon.DisposeAsync();
        if (etcd != null) await etcd.DisposeAsync();
        if (node != null) await node.RemoveAsync();
        if (other != null) await other.RemoveAsync();
    }

    public void Dispose() => folder.Dispose();

    private string Configured(string sources)
    {
        var file = folder.PathOf("bgpd.yaml");
        File.WriteAllText(file, $"node: n1\nsources: [{sources}]\ncontrol: {{ http: [\"unix:{Http}\"] }}\n");
        return file;
    }

    private string Source(string more = "") => $"{{ etcd: {{ endpoints: [\"{etcd.Endpoint}\"]{more} }} }}";

    private async Task StartAsync(string sources)
    {
        daemon = Background.Start(node, Log, null, Project.Daemon, "--config", Configured(sources));
        await Until.TrueAsync("the daemon is in sync", async () => (await SourceAsync())?["inSyncSince"] != null, 60, () => Said);
    }

    private async Task<JsonNode?> StatusAsync()
    {
        var answer = await Shell.RunAsync(Project.Bgpctl, "--socket", Http, "status", "--json");
        return answer.Good ? JsonNode.Parse(answer.Output) : null;
    }

    private async Task<JsonNode?> SourceAsync(int number = 0) => (await StatusAsync())?["sources"]?[number];

    private async Task<string> BlocksAsync()
    {
        var routes = await node.IpAsync("route show type blackhole");
        return string.Join(' ', Regex.Matches(routes, @"^blackhole (\S+)", RegexOptions.Multiline).Select(found => found.Groups[1].Value));
    }

    private Task BlocksAsync(string expected) =>
        Until.SeenAsync($"the node's blocks are [{expected}]", BlocksAsync, seen => seen == expected, 30, () => Said);

    private Task NotInSyncAsync() => Until.TrueAsync(
        "the source is not in sync", async () => await SourceAsync() is { } source && source["inSyncSince"] == null, 40, () => Said);

    private Task InSyncAsync() => Until.TrueAsync(
        "the source is in sync", async () => (await SourceAsync())?["inSyncSince"] != null, 40, () => Said);

    private int Told(string what) => Regex.Count(Said, Regex.Escape(what));

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task What_lies_in_etcd_is_followed_and_told_of()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26"), Block("n2", "10.65.2.0/26")]);
        await StartAsync(Source());
        await BlocksAsync("10.65.1.0/26");
        var peers = await Shell.RunAsync(Project.Bgpctl, "--socket", Http, "peers");
        Assert.Contains("Global_10_94_0_254", peers.Output, StringComparison.Ordinal);
        var source = (await SourceAsync())!;
        Assert.Equal(("etcd", etcd.Endpoint), ((string?)source["kind"], (string?)source["name"]));
        Assert.Equal(
            """{"BGPConfiguration":1,"BGPPeer":1,"BlockAffinity":2,"IPPool":1,"Node":1}""", source["objects"]!.ToJsonString());
        await etcd.PutAsync(Block("n1", "10.65.3.0/26"));
        await BlocksAsync("10.65.1.0/26 10.65.3.0/26");
        await etcd.DeleteAsync(Block("n1", "10.65.1.0/26"));
        await BlocksAsync("10.65.3.0/26");
        await etcd.PutAsync(Peer("tor", "peerIP: nobody, asNumber: 65001"));
        await Until.TrueAsync("the bad peer is told of", async () =>
            $"{(await StatusAsync())!["resources"]!["problems"]}".Contains("\"spec.peerIP\"", StringComparison.Ordinal), 20, () => Said);
        Assert.Contains("Global_10_94_0_254", (await Shell.RunAsync(Project.Bgpctl, "--socket", Http, "peers")).Output,
            StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task With_etcd_away_everything_stays_and_what_it_brings_back_counts()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26")]);
        await StartAsync(Source());
        await BlocksAsync("10.65.1.0/26");
        await etcd.KillAsync();
        await NotInSyncAsync();
        await BlocksAsync("10.65.1.0/26");
        await Until.TrueAsync("it is told why", async () =>
            $"{(await SourceAsync())!["lastError"]}".Contains("Connection refused", StringComparison.Ordinal), 20, () => Said);
        await etcd.StartAsync(reachable: false);
        await etcd.PutAsync(Block("n1", "10.65.2.0/26"));
        await etcd.DeleteAsync(Block("n1", "10.65.1.0/26"));
        await etcd.KillAsync();
        await BlocksAsync("10.65.1.0/26");
        await etcd.StartAsync();
        await BlocksAsync("10.65.2.0/26");
        await InSyncAsync();
        Assert.Equal((1, 2), (Told("not in sync"), Told($"{etcd.Endpoint}: in sync")));
    }

    /// <summary>What happened while the daemon could not look is not kept any more: nothing but a new list shows it.</summary>
    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task What_was_compacted_under_the_watch_is_found_by_a_new_list()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26"), Block("n1", "10.65.2.0/26")]);
        await StartAsync(Source());
        await BlocksAsync("10.65.1.0/26 10.65.2.0/26");
        await etcd.KillAsync();
        await etcd.StartAsync(reachable: false);
        await etcd.DeleteAsync(Block("n1", "10.65.1.0/26"));
        await etcd.PutAsync(Block("n1", "10.65.9.0/26"));
        await etcd.PutAsync(Configuration("nodeToNodeMeshEnabled: true"));
        await etcd.CompactAsync();
        await etcd.KillAsync();
        await etcd.StartAsync();
        await BlocksAsync("10.65.2.0/26 10.65.9.0/26");
        // And under one that is open, which goes on.
        await etcd.PutAsync(Block("n1", "10.65.10.0/26"));
        await etcd.CompactAsync();
        await etcd.DeleteAsync(Block("n1", "10.65.2.0/26"));
        await BlocksAsync("10.65.9.0/26 10.65.10.0/26");
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task An_etcd_that_has_lost_its_disk_takes_nothing_away()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26")]);
        await StartAsync(Source());
        await BlocksAsync("10.65.1.0/26");
        await etcd.KillAsync();
        etcd.Wipe();
        await etcd.StartAsync();
        await Until.TrueAsync("it is told why", async () =>
            $"{(await SourceAsync())!["lastError"]}".Contains("empty datastore", StringComparison.Ordinal), 30, () => Said);
        await BlocksAsync("10.65.1.0/26");
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.4.0/26")]);
        await BlocksAsync("10.65.4.0/26");
        await InSyncAsync();
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task Another_etcd_at_the_same_address_and_revision_is_listed_anew()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26")]);
        await StartAsync(Source());
        await BlocksAsync("10.65.1.0/26");
        await etcd.KillAsync();
        etcd.Wipe();
        await etcd.StartAsync(reachable: false);
        await etcd.PutAsync([Block("n1", "10.65.4.0/26"), .. Cluster]);
        await etcd.KillAsync();
        await etcd.StartAsync();
        await BlocksAsync("10.65.4.0/26");
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task Who_has_a_name_and_a_password_reads_and_logs_in_again_after_etcds_restart()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26")]);
        string[][] accounts =
        [
            ["user", "add", "root:admin"], ["user", "add", "calico:secret"], ["role", "add", "reader"],
            ["role", "grant-permission", "reader", "read", "/calico/", "--prefix"], ["user", "grant-role", "calico", "reader"],
            ["user", "grant-role", "root", "root"], ["auth", "enable"],
        ];
        foreach (var words in accounts) await etcd.DoAsync(words);
        etcd.Credentials = ["--user", "root:admin"];
        File.WriteAllText(folder.PathOf("user"), "calico\n");
        File.WriteAllText(folder.PathOf("password"), "secret\n");
        await StartAsync(Source($", usernameFile: {folder.PathOf("user")}, passwordFile: {folder.PathOf("password")}"));
        await BlocksAsync("10.65.1.0/26");
        await etcd.KillAsync();
        await NotInSyncAsync();
        await etcd.StartAsync();
        await etcd.PutAsync(Block("n1", "10.65.2.0/26"));
        await BlocksAsync("10.65.1.0/26 10.65.2.0/26");
        // The file is read anew for each connection.
        await etcd.PasswordAsync("calico", "password2");
        await etcd.KillAsync();
        await etcd.StartAsync();
        await Until.TrueAsync("it is told why", async () =>
            $"{(await SourceAsync())!["lastError"]}".Contains("invalid user", StringComparison.Ordinal), 30, () => Said);
        File.WriteAllText(folder.PathOf("password"), "password2");
        await InSyncAsync();
        Assert.DoesNotContain("secret", Said, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task Certificates_are_checked_on_both_sides()
    {
        using var certificates = new Certificates(EtcdAddress);
        using var others = new Certificates(EtcdAddress);
        await etcd.DisposeAsync();
        etcd = new(other, EtcdAddress) { Tls = certificates };
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26")]);
        var authority = folder.PathOf("ca.pem");
        File.Copy(others.Authority, authority);
        daemon = Background.Start(node, Log, null, Project.Daemon, "--config", Configured(
            Source($", caFile: {authority}, certFile: {certificates.Client}, keyFile: {certificates.ClientKey}")));
        await Until.TrueAsync("it is told why", () => Said.Contains("certificate", StringComparison.Ordinal), 30, () => Said);
        Assert.Equal("", await BlocksAsync());
        File.Copy(certificates.Authority, authority, overwrite: true);
        await BlocksAsync("10.65.1.0/26");
        Assert.Equal(1, Told("cannot be read yet"));
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "etcd", "etcdctl")]
    public async Task A_folder_that_stands_first_decides_over_etcd()
    {
        await etcd.StartAsync();
        await etcd.PutAsync([.. Cluster, Block("n1", "10.65.1.0/26")]);
        Directory.CreateDirectory(folder.PathOf("resources"));
        // A folder that loses all that it has is not believed for long.
        File.WriteAllText(folder.PathOf("resources/other.yaml"), Pool("other", "10.66.0.0/16").Text);
        File.WriteAllText(folder.PathOf("resources/tor.yaml"), Peer("tor", "peerIP: 10.94.0.253, asNumber: 65001").Text);
        await StartAsync($"{{ files: resources }}, {Source()}");
        await BlocksAsync("10.65.1.0/26");
        async Task<string> Peers() => (await Shell.RunAsync(Project.Bgpctl, "--socket", Http, "peers")).Output;
        Assert.Contains("Global_10_94_0_253", await Peers(), StringComparison.Ordinal);
        Assert.DoesNotContain("Global_10_94_0_254", await Peers(), StringComparison.Ordinal);
        Assert.Equal(("files", "etcd"), ((string?)(await SourceAsync())!["kind"], (string?)(await SourceAsync(1))!["kind"]));
        File.Delete(folder.PathOf("resources/tor.yaml"));
        await Until.TrueAsync("etcd's peer counts", async () => (await Peers()).Contains("Global_10_94_0_254"), 40, () => Said);
    }
}
