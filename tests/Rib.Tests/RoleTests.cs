using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Rib.Tests;

/// <summary>
/// RFC 9234 section 5: ONLY_TO_CUSTOMER in all ten rows, five roles of ours by two directions, each with and without the attribute.
/// </summary>
public class RoleTests
{
    private const uint Ours = 64500, Theirs = 65001, Others = 65009;

    private static readonly RibPeer Neighbour = RibRig.Peer(1) with { LocalAs = new(Ours), PeerAs = new(Theirs) };
    private static readonly RibPeer Elsewhere = RibRig.Peer(2);

    /// <summary>Our role, the value that comes (0: none), and the one that the Loc-RIB has; null: the route is a leak.</summary>
    [Theory]
    [InlineData(Role.Provider, 0, 0u)]
    [InlineData(Role.Provider, Theirs, null)]
    [InlineData(Role.Provider, Others, null)]
    [InlineData(Role.RouteServer, 0, 0u)]
    [InlineData(Role.RouteServer, Theirs, null)]
    [InlineData(Role.Peer, 0, Theirs)]
    [InlineData(Role.Peer, Theirs, Theirs)]
    [InlineData(Role.Peer, Others, null)]
    [InlineData(Role.Customer, 0, Theirs)]
    [InlineData(Role.Customer, Theirs, Theirs)]
    [InlineData(Role.Customer, Others, Others)]
    [InlineData(Role.RouteServerClient, 0, Theirs)]
    [InlineData(Role.RouteServerClient, Others, Others)]
    [InlineData(null, 0, 0u)]
    [InlineData(null, Others, Others)]
    public void On_the_way_in_a_leak_is_refused_and_what_is_for_customers_is_marked(Role? role, uint comes, uint? becomes)
    {
        var editor = Route(comes, out var octets, out var summary);
        var peer = Neighbour with { Role = role };
        Assert.Equal(becomes == null ? RouteRule.RouteLeak : null, ImportDoor.Refuses(peer, octets, summary));
        if (becomes is not { } value) return;
        Assert.Equal(comes != value, ImportDoor.Dresses(peer, summary));
        ImportDoor.Dress(editor, peer, summary);
        Assert.Equal(value, new AttributeView(editor.Finish()).Otc ?? 0);
    }

    /// <summary>Our role, the value that the Loc-RIB has, and the one that leaves; null: it does not.</summary>
    [Theory]
    [InlineData(Role.Provider, 0, Ours)]
    [InlineData(Role.Provider, Others, Others)]
    [InlineData(Role.RouteServer, 0, Ours)]
    [InlineData(Role.RouteServer, Others, Others)]
    [InlineData(Role.Peer, 0, Ours)]
    [InlineData(Role.Peer, Others, null)]
    [InlineData(Role.Customer, 0, 0u)]
    [InlineData(Role.Customer, Others, null)]
    [InlineData(Role.RouteServerClient, 0, 0u)]
    [InlineData(Role.RouteServerClient, Others, null)]
    [InlineData(null, 0, 0u)]
    [InlineData(null, Others, Others)]
    public void On_the_way_out_it_goes_to_customers_alone_and_is_marked_for_theirs(Role? role, uint has, uint? leaves)
    {
        var editor = Route(has, out _, out var summary);
        var to = (Neighbour with { Role = role }).Treatment;
        Assert.Equal(leaves == null ? RouteRule.OnlyToCustomer : null, ExportDoor.Refuses(to, Elsewhere, summary));
        if (leaves is not { } value) return;
        ExportDoor.Dress(editor, to, Elsewhere, IpFamily.IPv4, summary, default);
        Assert.Equal(value, new AttributeView(editor.Finish()).Otc ?? 0);
    }

    [Fact]
    public void Inside_our_as_it_is_carried_and_nobody_looks_at_it()
    {
        var inside = RibRig.Peer(3, inner: true);
        Route(Others, out var octets, out var summary);
        Assert.Null(ImportDoor.Refuses(inside, octets, summary));
        Assert.False(ImportDoor.Dresses(inside, summary));
        Assert.Null(ExportDoor.Refuses(inside.Treatment, Neighbour, summary));
    }

    private static AttributeEditor Route(uint otc, out byte[] octets, out AttributeSummary summary)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.SetNextHop(Address.Parse("10.0.0.200"));
        editor.Prepend(new(Theirs));
        if (otc != 0) editor.SetOtc(otc);
        octets = editor.Finish(out summary).ToArray();
        return editor;
    }
}
