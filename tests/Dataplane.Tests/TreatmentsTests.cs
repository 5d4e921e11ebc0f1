using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

public class TreatmentsTests
{
    private static readonly string[] Addresses =
    [
        "192.168.1.1", "192.168.7.255", "192.168.255.255", "192.169.0.0", "10.1.1.1", "203.0.113.1", "172.20.0.2", "172.20.0.3",
        "198.51.100.1", "0.0.0.0", "255.255.255.255",
    ];

    /// <summary>Its snapshot has been read; this host has no address.</summary>
    private static readonly HostFacts Nowhere = new(KernelSnapshot.Empty with { Version = 1 });

    private static readonly Gen<Resource[]> AnyObjects =
        from pools in Gen.SubListOf(
            "192.168.0.0/16", "192.168.7.0/24", "192.168.7.128/25", "203.0.113.0/24", "10.0.0.0/8", "198.51.100.0/24")
        from nat in Gen.Elements(true, false).ArrayOf(6)
        from uses in Gen.Elements(PoolUses.Workload, PoolUses.LoadBalancer).ArrayOf(6)
        from hosts in Gen.Elements(NatOutgoingExclusions.IPPoolsOnly, NatOutgoingExclusions.IPPoolsAndHostIPs)
        select (Resource[])[
            .. pools.Select((cidr, i) => Pool($"pool{i}", cidr, nat[i]) with { AllowedUses = uses[i] }),
            Node("node2", "172.20.0.2"), Felix() with { NatOutgoingExclusions = hosts },
        ];

    private static class Arbitraries
    {
        public static Arbitrary<Resource[]> Objects() => AnyObjects.ToArbitrary();
    }

    /// <summary>Felix's rule (felix/rules/nat.go), read naively: from a pool with natOutgoing to outside of all pools where workloads
    /// live.</summary>
    private static bool Reads(Resource[] objects, Address source, Address destination)
    {
        IPPool[] pools = [.. objects.OfType<IPPool>()];
        var hostsCount = objects.OfType<FelixConfiguration>().Single().NatOutgoingExclusions == NatOutgoingExclusions.IPPoolsAndHostIPs;
        return pools.Any(pool => pool.NatOutgoing && pool.Cidr.Contains(source))
            && !pools.Any(pool => pool.AllowedUses != PoolUses.LoadBalancer && pool.Cidr.Contains(destination))
            && !(hostsCount && destination == Address.Parse("172.20.0.2"));
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void The_rendered_rules_do_to_packets_what_the_objects_ask_for(Resource[] objects)
    {
        var rules = Masquerade.Render(Plan(objects)).Alone();
        foreach (var source in Addresses.Select(Address.Parse))
            foreach (var destination in Addresses.Select(Address.Parse))
                Assert.Equal((source, destination, Reads(objects, source, destination)), (source, destination,
                    Assert.Single(PacketWalk.Ends(rules, Nowhere, new(source, destination))).Source != null));
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void A_connection_begins_anew_where_it_would_be_treated_otherwise_and_nowhere_else(Resource[] before, Resource[] after)
    {
        using var treatments = new Treatments(Rules(before), Rules(after), Nowhere);
        foreach (var source in Addresses.Select(Address.Parse))
            foreach (var destination in Addresses.Select(Address.Parse))
            {
                var was = Reads(before, source, destination);
                Assert.Equal(was != Reads(after, source, destination), treatments.Differ(new(source, destination, 6, was)));
                // By others' rules, not by ours.
                Assert.False(treatments.Differ(new(source, destination, 6, !was)));
            }
    }

    private static NatRules Rules(params IEnumerable<Resource> objects) => Treatments.Rules(Plan(objects), IpFamily.IPv4);

    private static bool Differs(NatRules before, NatRules after, bool translated, string server = "198.51.100.1")
    {
        using var treatments = new Treatments(before, after, Nowhere);
        var connection = new Connection(Address.Parse("192.168.1.1"), Address.Parse("10.96.0.1"), 6, translated);
        return treatments.Differ(connection with { Server = Address.Parse(server) });
    }

    [Fact]
    public void Where_it_is_translated_to_other_addresses_or_ports_it_begins_anew()
    {
        var pods = Pool("pods", "192.168.0.0/16");
        var addresses = Felix() with { NatOutgoingAddress = [new(Address.Parse("203.0.113.1"), Address.Parse("203.0.113.1"))] };
        var ports = Felix() with { NatPortRange = new(20000, 20010) };
        Assert.True(Differs(Rules(pods), Rules(pods, addresses), translated: true));
        Assert.True(Differs(Rules(pods), Rules(pods, ports), translated: true));
        Assert.False(Differs(Rules(pods, ports), Rules(pods, ports, Pool("more", "203.0.113.0/24")), translated: true));
    }

    [Fact]
    public void Behind_a_service_the_server_counts()
    {
        var (before, after) = (Rules(Pool("pods", "192.168.0.0/16", nat: false)), Rules(Pool("pods", "192.168.0.0/16")));
        Assert.True(Differs(before, after, translated: false));
        Assert.False(Differs(before, after, translated: false, server: "192.168.2.2"));
    }

    [Fact]
    public void A_change_of_one_family_is_none_of_the_other()
    {
        Resource[] objects = [Pool("pods", "192.168.0.0/16")];
        var (before, after) = (Plan(objects), Plan([.. objects, Pool("more", "fd01::/48")]));
        Assert.True(Treatments.Rules(before, IpFamily.IPv4).Same(Treatments.Rules(after, IpFamily.IPv4)));
        Assert.False(Treatments.Rules(before, IpFamily.IPv6).Same(Treatments.Rules(after, IpFamily.IPv6)));
    }
}
