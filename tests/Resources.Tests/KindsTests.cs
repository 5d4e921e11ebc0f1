using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources.Reading;

namespace Calico.Bgp.Resources.Tests;

/// <summary>A kind is a record, a reader and a row: what passes objects on asks the row, and knows none by name.</summary>
public class KindsTests
{
    /// <summary>A kind that src has never heard of.</summary>
    private sealed record Ticket(Metadata Metadata) : Resource(Metadata)
    {
        public override ResourceKind Kind => Metadata.Name.StartsWith("quiet", StringComparison.Ordinal) ? QuietTickets : Tickets;
        public int Number { get; init; }
        public ResourceKey? Desk { get; init; }

        public static Ticket Read(Metadata metadata, Fields root)
        {
            var spec = root["spec"].Section();
            return new(metadata)
            {
                Number = spec["number"].Number(0, 99) ?? 0,
                Desk = spec["desk"].Word() is { } desk ? new(metadata.Namespace, desk) : null,
            };
        }
    }

    private static readonly KindOf<Ticket> Tickets = new([new("example.org", "v1", "Ticket", "tickets")], Ticket.Read)
    {
        IsNamespaced = true,
        Concerns = Concern.Nat,
        Under = ticket => ticket.Desk,
    };

    private static readonly KindOf<Ticket> QuietTickets = new([new("example.org", "v1", "QuietTicket", "quiettickets")], Ticket.Read);

    private readonly ResourceStore store = new(1);

    private static Ticket Read(string name, string spec)
    {
        var findings = new Findings();
        var tree = Assert.IsType<MappingNode>(Manifest.Tree($"{{ spec: {{ {spec} }} }}"));
        var ticket = (Ticket)Tickets.Read(new(name, "office"), new Fields(tree, null, findings));
        Assert.False(findings.HasErrors);
        return ticket;
    }

    /// <summary>Each object an origin of its own, as a watch on an API has them.</summary>
    private void Apply(params IEnumerable<Resource> resources) => store.Apply(new(0,
        [.. resources.Select(one => new OriginContent(new(0, one.Id.ToString()), [Manifest.Definition(one)], []))],
        new() { HasListed = true }));

    [Fact]
    public void A_kind_that_nothing_here_knows_by_name_goes_all_the_way()
    {
        using var feed = store.Subscribe(Concern.Nat);
        Apply(Read("b", "number: 7, desk: left"), Read("a", "number: 8, desk: left"), Read("c", "number: 9"));
        var tickets = store.Current.Of(Tickets);
        Assert.Equal([8, 7, 9], tickets.Select(ticket => ticket.Number));
        Assert.Equal(["a", "b"], tickets.Under(new("office", "left")).Select(ticket => ticket.Name));
        Assert.Equal(["Ticket/office/a", "Ticket/office/b", "Ticket/office/c"], feed.TryRead()!.Changed.Select(one => $"{one.After!.Id}"));

        Apply(Read("a", "number: 8, desk: right"));
        store.Apply(new(0, [OriginContent.Gone(new(0, "Ticket/office/b"))], new() { HasListed = true }));
        Assert.Equal([("a", false), ("b", true)], feed.TryRead()!.Changed.Select(one => (one.Key.Name, one.After == null)));
        Assert.Empty(store.Current.Of(Tickets).Under(new("office", "left")));
        Assert.Null(store.Current.Of(Tickets)[new ResourceKey("office", "b")]);
        Assert.Equal("a", Assert.Single(store.Current.Of(Tickets).Under(new("office", "right"))).Name);
    }

    [Fact]
    public void A_kind_whose_row_names_nobody_wakes_nobody()
    {
        using var plan = store.Subscribe(Concern.Plan);
        using var nat = store.Subscribe(Concern.Nat);
        Apply();
        Assert.Equal((0, 0), (plan.TryRead()!.Changed.Length, nat.TryRead()!.Changed.Length));
        Apply(Read("quiet", "number: 1"), Read("quiet-too", "number: 2"));
        Assert.Equal(2, store.Current.Of(QuietTickets).Count);
        Assert.Equal((null, null), (plan.TryRead(), nat.TryRead()));
        Apply(Read("loud", "number: 3"));
        Assert.Null(plan.TryRead());
        Assert.Equal("loud", Assert.Single(nat.TryRead()!.Changed).Key.Name);
    }

    [Theory]
    [InlineData("BGPPeer", "/apis/projectcalico.org/v3/bgppeers", "/apis/crd.projectcalico.org/v1/bgppeers")]
    [InlineData("CalicoNodeStatus", "/apis/projectcalico.org/v3/caliconodestatuses", "/apis/crd.projectcalico.org/v1/caliconodestatuses")]
    [InlineData("BlockAffinity", "/apis/projectcalico.org/v3/blockaffinities", "/apis/crd.projectcalico.org/v1/blockaffinities")]
    [InlineData("Service", "/api/v1/services")]
    [InlineData("EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices")]
    public void A_row_says_where_an_API_server_has_its_objects(string kind, params string[] paths) =>
        Assert.Equal(paths, Kinds.All.Single(row => row.Word == kind).Names.Select(name => name.Path()));

    [Fact]
    public void A_row_says_where_an_API_server_has_the_objects_of_a_namespace() =>
        Assert.Equal("/api/v1/namespaces/kube-system/secrets", Kinds.Secret.Names[0].Path("kube-system"));

    [Fact]
    public void Every_row_is_read_under_each_of_its_names_and_in_lists_of_them()
    {
        foreach (var kind in Kinds.All)
            foreach (var name in kind.Names)
            {
                var item = $"{{ apiVersion: {name.ApiVersion}, kind: {name.Kind}, metadata: {{ name: x, namespace: n }} }}";
                var list =
                    $"{{ apiVersion: {name.ApiVersion}, kind: {name.Kind}List, items: [{{ metadata: {{ name: x, namespace: n }} }}] }}";
                var id = new ResourceId(kind, new(kind.IsNamespaced ? "n" : "", "x"));
                Assert.Equal(id, Assert.Single(Manifest.Read(item).Definitions).Id);
                Assert.Equal(id, Assert.Single(Manifest.Read(list).Definitions).Id);
            }
    }

    [Fact]
    public void Another_version_of_a_kind_that_is_read_is_named()
    {
        var reading = Manifest.Read("{ apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: { name: x } }");
        Assert.Equal("EndpointSlice of discovery.k8s.io/v1beta1 has no effect here", Assert.Single(reading.Problems).Reason);
        Assert.Empty(Manifest.Read("{ apiVersion: apps/v1, kind: Deployment, metadata: { name: x } }").Problems);
    }

    /// <summary>Octets allocated by one change and its reading, on the average.</summary>
    private static long CostOfOneChange(int objects)
    {
        const int Rounds = 100;
        var tests = new KindsTests();
        using var feed = tests.store.Subscribe(Concern.Nat);
        tests.Apply(Enumerable.Range(0, objects).Select(i => Read($"t{i}", $"number: 1, desk: d{i}")));
        feed.TryRead();
        // A warm-up, as what the runtime makes once is not the change's.
        var changes = Enumerable.Range(0, 2 * Rounds).Select(i => Read($"t{i % 10}", $"number: {2 + i / 10}, desk: d{i % 10}")).ToArray();
        for (var i = 0; i < Rounds; i++) Step(changes[i]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = Rounds; i < 2 * Rounds; i++) Step(changes[i]);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;

        void Step(Ticket change)
        {
            tests.Apply(change);
            Assert.Single(feed.TryRead()!.Changed);
        }
    }

    [Fact]
    public void A_change_costs_what_it_touches_with_ten_objects_or_ten_thousand()
    {
        var (few, many) = (CostOfOneChange(10), CostOfOneChange(10_000));
        // Persistent tables copy the path to what changes: thirteen levels instead of four, in the table and in its groups.
        Assert.True(many < 3 * few, $"{few} octets with 10 objects, {many} with 10,000");
    }

    [Fact]
    public void Tables_of_other_kinds_are_the_same_after_a_change()
    {
        Apply(Read("a", "number: 1"), new BgpPeer(new Metadata("p")));
        var before = store.Current;
        Apply(Read("a", "number: 2"));
        Assert.NotSame(before, store.Current);
        Assert.Same(before.Of(Kinds.BgpPeer), store.Current.Of(Kinds.BgpPeer));
    }
}
