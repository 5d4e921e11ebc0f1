using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Tests;

public class ResourceStoreTests
{
    private static readonly SourceState Listed = new() { HasListed = true };

    private readonly ResourceStore store = new(1);

    private static BgpPeer Peer(string name, string address) =>
        new(new Metadata(name)) { PeerIP = new(Address.Parse(address), null), AsNumber = new Asn(65001) };

    private static ResourceDefinition Bad(string name) =>
        new(new(Kinds.BgpPeer, new(name)), null, 7, [new($"BGPPeer/{name}", "spec.peerIP", "wrong", "f", 7, ProblemSeverity.Error)]);

    private static OriginContent Content(string file, params ResourceDefinition[] definitions) => new(new(0, file), [.. definitions], []);

    private SourceState State => store.Status(0, "etcd", "e").State;

    private void Apply(params OriginContent[] contents) => store.Apply(new(0, [.. contents], Listed));

    private string Peers => string.Join(' ', store.Current.Of(Kinds.BgpPeer).Select(peer => $"{peer.Name}={peer.PeerIP}"));

    [Fact]
    public void Who_comes_while_other_sources_are_read_hears_of_everything_once_they_have_been_read()
    {
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        store.Restart(1);
        using var feed = store.Subscribe(Concern.Plan);
        Assert.Null(feed.TryRead());
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")), Manifest.Definition(Peer("b", "192.0.2.2"))));
        Assert.Equal(2, feed.TryRead()!.Changed.Length);
    }

    /// <summary>What less counts of it goes as soon as any version is good, wherever that is defined.</summary>
    [Fact]
    public void Of_an_object_that_was_never_good_less_counts_until_one_is()
    {
        var id = new ResourceId(Kinds.BgpConfiguration, new(BgpConfiguration.Default));
        ResourceDefinition Refused(bool isMeshed) => new(id, null, 1, [])
        {
            WhileRefused = new BgpConfiguration(new(BgpConfiguration.Default)) { IsRefused = true, NodeToNodeMeshEnabled = isMeshed },
        };
        (bool? IsRefused, bool? IsMeshed) Seen() => store.Current.Find(id) is BgpConfiguration of
            ? (of.IsRefused, of.NodeToNodeMeshEnabled) : (null, null);
        Apply(Content("f", Refused(isMeshed: false)));
        Assert.Equal((true, false), Seen());
        Apply(Content("f", Refused(isMeshed: true)));
        Assert.Equal((true, true), Seen());
        Apply(Content("g", Manifest.Definition(new BgpConfiguration(new Metadata(BgpConfiguration.Default)))));
        Assert.Equal((false, null), Seen());
        Apply(Content("g"));
        Assert.Equal((true, true), Seen());
        Apply(Content("f", Manifest.Definition(new BgpConfiguration(new Metadata(BgpConfiguration.Default)))));
        Apply(Content("f", Refused(isMeshed: true)));
        Assert.Equal((false, null), Seen());
        Apply(Content("f"));
        Assert.Equal((null, null), Seen());
    }

    /// <summary>Of an object, and of a file of which nobody knows what it defines.</summary>
    [Fact]
    public void What_is_refused_says_whether_a_good_version_of_it_is_known()
    {
        bool[] WithoutEffect() => [.. store.Current.Problems.Select(one => one.IsWithoutEffect)];
        var unread = new ResourceProblem("", "", "cannot be read", "f", 0, ProblemSeverity.Error);
        Apply(Content("f", Bad("a")));
        Assert.Equal([true], WithoutEffect());
        Apply(new OriginContent(new(0, "f"), [], [unread]));
        Assert.Equal([true], WithoutEffect());
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        Apply(Content("f", Bad("a")));
        Assert.Equal([false], WithoutEffect());
        Apply(new OriginContent(new(0, "f"), [], [unread]) { Whole = false });
        Assert.Equal([false], WithoutEffect());
    }

    /// <summary>Whether a refused version has anything good behind it depends on what all origins say by now.</summary>
    [Fact]
    public void A_good_version_of_another_origin_that_comes_later_or_goes_is_known_at_once()
    {
        bool[] WithoutEffect() =>
            [.. store.Current.Problems.Where(one => one.Reason == "expected good").Select(one => one.IsWithoutEffect)];
        var bad = Bad("a") with { Problems = [new("BGPPeer/a", "spec", "expected good", "f", 1, ProblemSeverity.Error)] };
        Apply(Content("f", bad));
        Assert.Equal([true], WithoutEffect());
        Apply(Content("g", Manifest.Definition(Peer("a", "192.0.2.1"))));
        Assert.Equal([false], WithoutEffect());
        Apply(Content("g"));
        Assert.Equal([true], WithoutEffect());
    }

    [Fact]
    public void Nothing_is_published_before_every_source_is_in_sync()
    {
        var two = new ResourceStore(2);
        using var feed = two.Subscribe(Concern.Plan);
        two.Apply(new(0, [Content("f", Manifest.Definition(Peer("a", "192.0.2.1")))], Listed));
        two.Apply(new(1, [], SourceState.Unread));
        Assert.Equal((false, null), (two.IsInSync, feed.TryRead()));
        two.Apply(new(1, [], Listed));
        var changes = feed.TryRead();
        Assert.Equal((true, 1), (two.IsInSync, changes!.Changed.Length));
        Assert.Same(two.Current, changes.After);
    }

    [Fact]
    public void Where_a_BGPPeer_is_defined_is_known_though_a_line_that_moves_is_no_news()
    {
        using var feed = store.Subscribe(Concern.Plan);
        var id = Peer("a", "192.0.2.1").Id;
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")) with { Line = 3 }));
        feed.TryRead();
        Assert.Equal("f:3", store.PlaceOf(id)?.ToString());
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")) with { Line = 9 }));
        Assert.Equal(("f:9", null), (store.PlaceOf(id)?.ToString(), feed.TryRead()));
        Apply(Content("f"));
        Assert.Null(store.PlaceOf(id));
    }

    [Fact]
    public void An_empty_world_is_news_too()
    {
        using var feed = store.Subscribe(Concern.Plan);
        Apply();
        Assert.Empty(feed.TryRead()!.Changed);
        Assert.Null(feed.TryRead());
    }

    [Fact]
    public void A_source_that_loses_its_server_says_so_and_what_it_said_stays()
    {
        var start = DateTimeOffset.UnixEpoch;
        var current = SourceState.Unread.Current(start).Current(start.AddSeconds(3));
        store.Apply(new(0, [Content("f", Manifest.Definition(Peer("a", "192.0.2.1")))], current));
        Assert.Equal((start, start.AddSeconds(3)), (State.InSyncSince, State.CurrentAt));
        store.Apply(new(0, [], current.Lost(start.AddSeconds(5), "refused")));
        Assert.Equal("a=192.0.2.1", Peers);
        Assert.Equal(
            (null, start.AddSeconds(3), new SourceError(start.AddSeconds(5), "refused")),
            (State.InSyncSince, State.CurrentAt, State.LastError));
        store.Apply(new(0, [], State.Current(start.AddSeconds(9))));
        Assert.Equal(start.AddSeconds(9), State.InSyncSince);
    }

    [Fact]
    public void A_change_has_before_and_after()
    {
        using var feed = store.Subscribe(Concern.Plan);
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")), Manifest.Definition(Peer("b", "192.0.2.2"))));
        feed.TryRead();
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.9")), Manifest.Definition(Peer("c", "192.0.2.3"))));
        var changes = feed.TryRead()!;
        Assert.Equal(
            ["a 192.0.2.1 → 192.0.2.9", "b 192.0.2.2 → ", "c  → 192.0.2.3"],
            changes.Changed.Select(one => $"{one.Key} {((BgpPeer?)one.Before)?.PeerIP} → {((BgpPeer?)one.After)?.PeerIP}"));
        Assert.Equal(Peer("a", "192.0.2.1"), changes.Before.Of(Kinds.BgpPeer)["a"]);
    }

    [Fact]
    public void Other_sources_take_the_place_of_those_before_in_one_step_once_all_are_in_sync()
    {
        using var feed = store.Subscribe(Concern.Plan);
        var (a, b) = (Peer("a", "192.0.2.1"), Peer("b", "192.0.2.2"));
        store.Apply(new(0, [Content("f", Manifest.Definition(a), Manifest.Definition(b), Bad("c"))], Listed));
        feed.TryRead();
        store.Restart(2);
        store.Apply(new(0, [Content("g", Manifest.Definition(b))], Listed));
        Assert.Null(feed.TryRead());
        Assert.Equal("a=192.0.2.1 b=192.0.2.2", Peers);
        store.Apply(new(1, [], Listed));
        Assert.Equal(["a"], feed.TryRead()!.Changed.Select(change => change.Key.ToString()));
        Assert.Equal("b=192.0.2.2", Peers);
        Assert.Empty(store.Current.Problems);
    }

    [Fact]
    public void What_compares_equal_is_no_news()
    {
        using var feed = store.Subscribe(Concern.Plan);
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        feed.TryRead();
        var before = store.Current;
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        Assert.Null(feed.TryRead());
        Assert.Same(before, store.Current);
    }

    [Fact]
    public void A_slow_reader_gets_one_step_over_all_that_happened()
    {
        using var feed = store.Subscribe(Concern.Plan);
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")), Manifest.Definition(Peer("b", "192.0.2.2"))));
        feed.TryRead();
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.8")), Manifest.Definition(Peer("x", "192.0.2.5"))));
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.9")), Manifest.Definition(Peer("b", "192.0.2.2"))));
        var change = Assert.Single(feed.TryRead()!.Changed);
        Assert.Equal(("a", Peer("a", "192.0.2.1"), Peer("a", "192.0.2.9")), (change.Key.Name, change.Before, change.After));
        Assert.Null(feed.TryRead());
    }

    [Fact]
    public void A_late_reader_starts_with_everything()
    {
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        using var feed = store.Subscribe(Concern.Plan);
        Assert.Equal("BGPPeer/a", Assert.Single(feed.TryRead()!.Changed).After!.Id.ToString());
    }

    [Fact]
    public async Task A_waiting_reader_is_woken()
    {
        using var feed = store.Subscribe(Concern.Plan);
        var reading = feed.ReadAsync(CancellationToken.None).AsTask();
        Assert.False(reading.IsCompleted);
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        Assert.Single((await reading).Changed);
    }

    [Fact]
    public void A_bad_object_leaves_its_last_good_version_in_force_until_it_is_mended_or_gone()
    {
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        Apply(Content("f", Bad("a"), Manifest.Definition(Peer("b", "192.0.2.2"))));
        Assert.Equal("a=192.0.2.1 b=192.0.2.2", Peers);
        Assert.Equal("spec.peerIP", Assert.Single(store.Current.Problems).Field);
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.3"))));
        Assert.Equal(("a=192.0.2.3", 0), (Peers, store.Current.Problems.Length));
        Apply(Content("f", Bad("a")));
        Apply(Content("f"));
        Assert.Equal(("", 0), (Peers, store.Current.Problems.Length));
    }

    [Fact]
    public void A_problem_alone_is_news()
    {
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1"))));
        using var feed = store.Subscribe(Concern.Plan);
        feed.TryRead();
        Apply(Content("f", Bad("a")));
        var changes = feed.TryRead()!;
        Assert.Empty(changes.Changed);
        Assert.Single(changes.After.Problems);
    }

    [Fact]
    public void What_a_half_readable_file_no_longer_shows_stays()
    {
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")), Manifest.Definition(Peer("b", "192.0.2.2"))));
        Apply(Content("f", Manifest.Definition(Peer("b", "192.0.2.3"))) with { Whole = false });
        Assert.Equal("a=192.0.2.1 b=192.0.2.3", Peers);
        Apply(Content("f", Manifest.Definition(Peer("b", "192.0.2.3"))));
        Assert.Equal("b=192.0.2.3", Peers);
    }

    [Fact]
    public void Of_two_files_the_first_wins_and_the_other_is_told()
    {
        Apply(Content("b", Manifest.Definition(Peer("a", "192.0.2.2"))));
        Apply(Content("a", Manifest.Definition(Peer("a", "192.0.2.1"))));
        Assert.Equal("a=192.0.2.1", Peers);
        Assert.Equal("b:1: BGPPeer/a: is defined in a:1 too, which counts", Assert.Single(store.Current.Problems).ToString());
        Apply(OriginContent.Gone(new(0, "a")));
        Assert.Equal(("a=192.0.2.2", 0), (Peers, store.Current.Problems.Length));
    }

    [Fact]
    public void A_definition_that_was_never_good_does_not_hide_a_good_one()
    {
        Apply(Content("a", Bad("a")), Content("b", Manifest.Definition(Peer("a", "192.0.2.2"))));
        Assert.Equal("a=192.0.2.2", Peers);
        Assert.Equal(["a", "f"], store.Current.Problems.Select(problem => problem.File));
    }

    [Fact]
    public void Twice_in_one_file_the_first_counts()
    {
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")), Manifest.Definition(Peer("a", "192.0.2.2")) with { Line = 9 }));
        Assert.Equal("a=192.0.2.1", Peers);
        Assert.Equal(9, Assert.Single(store.Current.Problems).Line);
    }

    [Fact]
    public void Of_two_sources_the_one_that_stands_first_decides_and_the_other_counts_where_it_says_nothing()
    {
        var two = new ResourceStore(2);
        string Peers() => string.Join(' ', two.Current.Of(Kinds.BgpPeer).Select(peer => $"{peer.Name}={peer.PeerIP}"));
        static OriginContent Of(int source, string place, params BgpPeer[] peers) =>
            new(new(source, place), [.. peers.Select(peer => Manifest.Definition(peer))], []);
        two.Apply(new(1, [Of(1, "a", Peer("a", "192.0.2.1"), Peer("b", "192.0.2.2"))], Listed));
        two.Apply(new(0, [Of(0, "z", Peer("a", "192.0.2.9"))], Listed));
        Assert.Equal("a=192.0.2.9 b=192.0.2.2", Peers());
        Assert.Equal("a:1: BGPPeer/a: is defined in z:1 too, which counts", Assert.Single(two.Current.Problems).ToString());
        Assert.False(two.Current.IsRefused);
        two.Apply(new(1, [Of(1, "a", Peer("a", "192.0.2.3"), Peer("c", "192.0.2.4"))], Listed));
        Assert.Equal("a=192.0.2.9 c=192.0.2.4", Peers());
        two.Apply(new(0, [Of(0, "z")], Listed));
        Assert.Equal(("a=192.0.2.3 c=192.0.2.4", 0), (Peers(), two.Current.Problems.Length));
    }

    [Fact]
    public void What_a_source_defines_is_counted_by_kind()
    {
        string Objects(int source) =>
            string.Join(' ', store.Status(source, "files", "f").Objects.Select(kind => $"{kind.Value} {kind.Key}"));
        Assert.Equal("", Objects(0));
        var pool = new IPPool(new("p")) { Cidr = Prefix.Parse("10.0.0.0/8"), BlockSize = 26 };
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.1")), Bad("b"), Manifest.Definition(pool)));
        Assert.Equal(("2 BGPPeer 1 IPPool", ""), (Objects(0), Objects(1)));
        Apply(Content("f", Manifest.Definition(Peer("a", "192.0.2.2"))));
        Assert.Equal("1 BGPPeer", Objects(0));
        Apply(OriginContent.Gone(new(0, "f")));
        Assert.Equal("", Objects(0));
    }

    [Fact]
    public void Both_halves_of_a_node_make_one()
    {
        var calico = new Node(new("n") { Labels = Labels.From([new("a", "calico"), new("c", "1")]) }) { AsNumber = new Asn(1) };
        var kubernetes = new Node(new("n") { Labels = Labels.From([new("a", "kubernetes"), new("k", "2")]) })
        {
            FromKubernetes = true,
            AsNumber = new Asn(2),
            IPv4 = new(Address.Parse("10.0.0.1"), Prefix.Parse("10.0.0.0/24")),
        };
        using var feed = store.Subscribe(Concern.Plan);
        Apply(Content("k", Manifest.Definition(kubernetes)));
        Assert.Equal(((ResourceKind)Kinds.Node, new Asn(2)),
            (feed.TryRead()!.Changed[0].Kind, store.Current.Of(Kinds.Node)["n"]!.AsNumber!.Value));
        Apply(Content("c", Manifest.Definition(calico)));
        var node = (Node)Assert.Single(feed.TryRead()!.Changed).After!;
        Assert.Equal((new Asn(1), kubernetes.IPv4, "kubernetes", 3),
            (node.AsNumber!.Value, node.IPv4, node.Labels["a"], node.Labels.Count));
        Apply(OriginContent.Gone(new(0, "c")));
        Assert.Equal(kubernetes with { FromKubernetes = false }, store.Current.Of(Kinds.Node)["n"]);
        Apply(OriginContent.Gone(new(0, "k")));
        Assert.Empty(store.Current.Of(Kinds.Node));
    }

    [Fact]
    public void Slices_are_found_by_their_service_also_when_they_change_it()
    {
        static EndpointSlice Slice(string name, string service) =>
            new(new(name, "ns") { Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, service)]) });
        string Of(string service) =>
            string.Join(' ', store.Current.Of(Kinds.EndpointSlice).Under(new("ns", service)).Select(slice => slice.Name));

        Apply(Content("f", Manifest.Definition(Slice("b", "x")), Manifest.Definition(Slice("a", "x")),
            Manifest.Definition(Slice("c", "y"))));
        Assert.Equal(("a b", "c"), (Of("x"), Of("y")));
        Apply(Content("f", Manifest.Definition(Slice("b", "y")), Manifest.Definition(Slice("c", "y"))));
        Assert.Equal(("", "b c"), (Of("x"), Of("y")));
    }
}
