using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Egress.Replication;

/// <summary>Another node's flows, in the kernel of a namespace.</summary>
public sealed class FlowCopiesTests
{
    private static readonly Address Red = Address.Parse("10.10.10.0"), Outside = Address.Parse("198.51.100.1");

    private static readonly ReplicationPeer Peer = new("gate1", [Address.Parse("172.20.0.11")], [Red], true);

    private static ReplicationPlan Plan(params ListOf<Address> held) => new(3780, [Address.Parse("172.20.0.12")], [Peer], held,
        [Prefix.Parse("192.168.0.0/16")], [Prefix.Parse("192.168.0.0/16"), Prefix.Parse("172.20.0.11/32")], 0xfff00000)
    {
        Local = new(() => new HashSet<Address> { Address.Parse("192.168.2.2") }),
    };

    private static Flow Of(string source, ushort port, ushort leaving, uint left = 1000) =>
        new(new(17, Address.Parse(source), port, Outside, 53, Red, leaving), 0, true, true, left, 0);

    private static string[] There(ConnectionTable table)
    {
        var there = new List<string>();
        Assert.Equal(0, table.WalkFlows(IpFamily.IPv4,
            one => there.Add($"{one.Key.Source}:{one.Key.SourcePort} as {one.Key.LeavingPort}")));
        return [.. there.Order(StringComparer.Ordinal)];
    }

    private static void Inside(Action<ConnectionTable, FlowCopies> act)
    {
        using var space = Netns.Make("flows");
        using var table = space.Inside(() => new ConnectionTable());
        act(table, new(table, TimeProvider.System));
    }

    [NeedsFact(Needs.Namespaces)]
    public void What_is_told_is_there_and_what_is_not_said_among_all_goes() => Inside((table, copies) =>
    {
        copies.Have(Plan());
        var (kept, gone, ended) = (Of("192.168.1.2", 1, 11), Of("192.168.1.2", 2, 12), Of("192.168.1.2", 3, 13));
        Assert.Equal((0, 0), copies.Put([kept, gone, ended], [Red]));
        Assert.Equal(["192.168.1.2:1 as 11", "192.168.1.2:2 as 12", "192.168.1.2:3 as 13"], There(table));
        copies.Remove([ended.Key]);
        Assert.Equal(0, copies.Sweep([Red], new HashSet<FlowKey> { kept.Key }));
        Assert.Equal(["192.168.1.2:1 as 11"], There(table));
        // Nor does any stay where none are taken any more.
        copies.Have(null);
        Assert.Empty(There(table));
    });

    [NeedsFact(Needs.Namespaces)]
    public void A_copy_is_kept_while_nothing_is_said_of_it_and_has_no_bits_of_the_other_nodes_mark() => Inside((table, copies) =>
    {
        copies.Have(Plan());
        copies.Put([Of("192.168.1.2", 1, 11, left: 30) with { Mark = 0x80000007 }], [Red]);
        table.WalkFlows(IpFamily.IPv4, one => Assert.Equal((true, 7u), (one.Left is > 250 and <= FlowCopies.LeastLeft, one.Mark)));
        Assert.Single(There(table));
    });

    /// <summary>Who had it, and others, may be told late that it is here.</summary>
    [NeedsFact(Needs.Namespaces)]
    public void Where_the_address_is_here_flows_are_added_and_nothing_is_changed() => Inside((table, copies) =>
    {
        copies.Have(Plan());
        copies.Put([Of("192.168.1.2", 1, 11)], [Red]);
        copies.Have(Plan(Red));
        copies.Put([Of("192.168.1.2", 1, 12), Of("192.168.1.3", 1, 13)], [Red]);
        copies.Remove([Of("192.168.1.2", 1, 11).Key]);
        copies.Sweep([Red], new HashSet<FlowKey>());
        Assert.Equal(["192.168.1.2:1 as 11", "192.168.1.3:1 as 13"], There(table));
        // Nor right after it has gone, when somebody may still send by this node.
        copies.Have(Plan());
        copies.Sweep([Red], new HashSet<FlowKey>());
        Assert.Equal(2, There(table).Length);
    });

    /// <summary>Whom nobody has heard has the address, too, until it hears who has had it meanwhile.</summary>
    [NeedsFact(Needs.Namespaces)]
    public void Where_this_node_waits_for_flows_what_is_told_of_them_counts() => Inside((table, copies) =>
    {
        copies.Have(Plan(Red) with { IsBehind = true });
        copies.Put([Of("192.168.1.2", 1, 11)], [Red]);
        copies.Put([Of("192.168.1.2", 1, 12)], [Red]);
        Assert.Equal(["192.168.1.2:1 as 12"], There(table));
    });

    /// <summary>While another has the address their packets go there as they are; what it has made of them holds here with it.</summary>
    [NeedsFact(Needs.Namespaces)]
    public void Flows_of_this_nodes_own_pods_are_translated_here_while_the_address_is_here() => Inside((table, copies) =>
    {
        var own = Of("192.168.2.2", 1, 11);
        table.Exchange([own with { Key = own.Key.Untranslated() }]);
        copies.Have(Plan());
        copies.Put([own], [Red]);
        Assert.Empty(There(table));
        copies.Have(Plan(Red));
        Assert.Equal(["192.168.2.2:1 as 11"], There(table));
        copies.Have(Plan());
        Assert.Empty(There(table));
        copies.Have(Plan(Red));
        Assert.Equal(["192.168.2.2:1 as 11"], There(table));
    });

    [NeedsFact(Needs.Namespaces)]
    public void Nobody_speaks_of_what_is_not_a_pods_flow_by_a_gateway_that_is_shared_with_him() => Inside((_, copies) =>
    {
        copies.Have(Plan());
        var key = Of("192.168.1.2", 1, 11).Key;
        Assert.True(copies.IsTheirs(Peer, key));
        Assert.False(copies.IsTheirs(Peer, key with { Leaving = Address.Parse("172.20.0.12") }));
        Assert.False(copies.IsTheirs(Peer, key with { Source = Address.Parse("172.20.0.1") }));
        Assert.False(copies.IsTheirs(Peer, key with { Destination = Address.Parse("172.20.0.11") }));
        Assert.False(copies.IsTheirs(Peer, key with { Destination = Address.Parse("192.168.3.3") }));
    });
}
