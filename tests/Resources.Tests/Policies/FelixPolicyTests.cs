namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>FelixConfiguration's keys that concern policy.</summary>
public class FelixPolicyTests
{
    private static FelixConfiguration One(string spec) => Manifest.One<FelixConfiguration>("FelixConfiguration", spec);

    [Fact]
    public void What_is_not_said_is_not_known()
    {
        var felix = One("");
        Assert.Null(felix.FailsafeInboundHostPorts);
        Assert.Null(felix.FailsafeOutboundHostPorts);
        Assert.Equal((null, null), (felix.DefaultEndpointToHostAction, felix.FilterDenyAction));
        Assert.Equal((null, null, null),
            (felix.AllowVxlanPacketsFromWorkloads, felix.AllowIpipPacketsFromWorkloads, felix.DisableConntrackInvalidCheck));
    }

    [Theory]
    [InlineData("[]", "[]")]
    [InlineData("[{ protocol: TCP, port: 22 }, { protocol: UDP, port: 68, net: 10.0.0.0/8 }]", "[6:22, 17:68 10.0.0.0/8]")]
    [InlineData("[{ protocol: tcp, port: 22 }, { protocol: udp, port: 68 }, { protocol: sctp, port: 1 }]", "[6:22, 17:68, 132:1]")]
    [InlineData("[{ protocol: SCTP, port: 1, net: '2001:db8::/32' }]", "[132:1 2001:db8::/32]")]
    public void Ports_that_stay_open_are_listed_and_an_empty_list_is_one(string ports, string said)
    {
        Assert.Equal(said, One($"failsafeInboundHostPorts: {ports}").FailsafeInboundHostPorts!.Value.ToString());
        Assert.Equal(said, One($"failsafeOutboundHostPorts: {ports}").FailsafeOutboundHostPorts!.Value.ToString());
    }

    [Theory]
    [InlineData("defaultEndpointToHostAction: Accept", EndpointToHostAction.Accept)]
    [InlineData("defaultEndpointToHostAction: Drop", EndpointToHostAction.Drop)]
    [InlineData("defaultEndpointToHostAction: Return", EndpointToHostAction.Return)]
    public void What_becomes_of_pods_packets_to_their_host_is_said(string spec, EndpointToHostAction action) =>
        Assert.Equal(action, One(spec).DefaultEndpointToHostAction);

    [Theory]
    [InlineData("nftablesFilterDenyAction: Reject", DenyAction.Reject)]
    [InlineData("iptablesFilterDenyAction: Reject", DenyAction.Reject)]
    [InlineData("nftablesFilterDenyAction: Drop, iptablesFilterDenyAction: Reject", DenyAction.Drop)]
    public void How_a_packet_is_denied_is_said_for_nftables_or_for_iptables(string spec, DenyAction action) =>
        Assert.Equal(action, One(spec).FilterDenyAction);

    [Fact]
    public void Encapsulated_packets_of_pods_and_those_of_no_connection_can_be_let_pass()
    {
        var felix = One("allowVXLANPacketsFromWorkloads: true, allowIPIPPacketsFromWorkloads: false, disableConntrackInvalidCheck: true");
        Assert.Equal((true, false, true),
            (felix.AllowVxlanPacketsFromWorkloads, felix.AllowIpipPacketsFromWorkloads, felix.DisableConntrackInvalidCheck));
    }

    [Fact]
    public void WireGuards_ports_are_said_for_each_family()
    {
        var felix = One("wireguardListeningPort: 51900, wireguardListeningPortV6: 51901");
        Assert.Equal((51900, 51901), (felix.WireguardListeningPort, felix.WireguardListeningPortV6));
        var effective = FelixConfiguration.Effective(felix, One("wireguardListeningPort: 1"));
        Assert.Equal((1, 51901), (effective.WireguardListeningPort, effective.WireguardListeningPortV6));
    }

    [Theory]
    [InlineData("wireguardListeningPort: 0", "spec.wireguardListeningPort")]
    [InlineData("failsafeInboundHostPorts: [{ port: 22 }]", "spec.failsafeInboundHostPorts[0].protocol")]
    [InlineData("failsafeInboundHostPorts: [{ protocol: ICMP, port: 22 }]", "spec.failsafeInboundHostPorts[0].protocol")]
    [InlineData("failsafeInboundHostPorts: [{ protocol: 6, port: 22 }]", "spec.failsafeInboundHostPorts[0].protocol")]
    [InlineData("failsafeInboundHostPorts: [{ protocol: TCP }]", "spec.failsafeInboundHostPorts[0].port")]
    [InlineData("failsafeOutboundHostPorts: [{ protocol: TCP, port: 0 }]", "spec.failsafeOutboundHostPorts[0].port")]
    [InlineData("failsafeOutboundHostPorts: [{ protocol: TCP, port: 22, net: all }]", "spec.failsafeOutboundHostPorts[0].net")]
    [InlineData("failsafeOutboundHostPorts: [{ protocol: TCP, port: 22, from: 10.0.0.0/8 }]", "spec.failsafeOutboundHostPorts[0].from")]
    [InlineData("defaultEndpointToHostAction: Reject", "spec.defaultEndpointToHostAction")]
    [InlineData("nftablesFilterDenyAction: Accept", "spec.nftablesFilterDenyAction")]
    [InlineData("allowVXLANPacketsFromWorkloads: 'true'", "spec.allowVXLANPacketsFromWorkloads")]
    public void It_is_refused_for(string spec, params string[] fields) => Refusals.Refused("FelixConfiguration", spec, fields);

    [Fact]
    public void A_nodes_own_object_is_asked_first_for_each()
    {
        var global = One("failsafeInboundHostPorts: [{ protocol: TCP, port: 22 }], "
            + "failsafeOutboundHostPorts: [{ protocol: TCP, port: 179 }], "
            + "defaultEndpointToHostAction: Accept, nftablesFilterDenyAction: Reject, allowVXLANPacketsFromWorkloads: true, "
            + "allowIPIPPacketsFromWorkloads: true, disableConntrackInvalidCheck: true");
        Assert.Equal(global, FelixConfiguration.Effective(global, One("") with { Metadata = global.Metadata }));
        var effective = FelixConfiguration.Effective(global, One("failsafeInboundHostPorts: [], defaultEndpointToHostAction: Drop"));
        Assert.Equal("[] [6:179] Drop Reject", $"{effective.FailsafeInboundHostPorts} {effective.FailsafeOutboundHostPorts} "
            + $"{effective.DefaultEndpointToHostAction} {effective.FilterDenyAction}");
    }
}
