namespace Calico.Bgp.Resources.Tests;

/// <summary>
/// Each row differs from a good object in one thing, and names the one field that is refused for it. The good objects stand above the
/// tables and are read by tests of their own.
/// </summary>
public class ValidationTests
{
    private const string GoodPeer = "peerIP: 192.0.2.1, asNumber: 65001";
    private const string GoodPool = "cidr: 10.0.0.0/16";
    private const string GoodRule = "action: Accept, cidr: 10.0.0.0/8, matchOperator: In";

    [Theory]
    [InlineData("BGPPeer", GoodPeer)]
    [InlineData("BGPPeer", "peerIP: '192.0.2.1:1179', asNumber: '65000.1'")]
    [InlineData("BGPPeer", "peerIP: '[2001:db8::1]:1179', asNumber: 0")]
    [InlineData("BGPPeer", "peerSelector: has(rr), asNumber: 0")]
    [InlineData("BGPPeer", "localWorkloadSelector: all(), asNumber: 65401")]
    [InlineData("BGPPeer", "peerIP: 192.0.2.1, reachableBy: 192.0.2.254, ttlSecurity: 255, maxRestartTime: 10.5s, keepaliveTime: 0")]
    [InlineData("BGPPeer", "peerIP: 192.0.2.1, failureDetectionMode: BFDIfDirectlyConnected, restartMode: LongLivedGracefulRestart, "
        + "birdGatewayMode: DirectIfDirectlyConnected, externalNetwork: x, extensions: { a: b }")]
    [InlineData("BFDConfiguration", "")]
    [InlineData("BFDConfiguration", "nodeSelector: has(rr), interfaces: [{ matchPattern: eth0, minimumRecvInterval: 10ms, "
        + "minimumSendInterval: 50ms, idleSendInterval: 1s, multiplier: 3 }, { matchPattern: '*' }]")]
    [InlineData("IPPool", GoodPool)]
    [InlineData("IPPool", "cidr: 240.0.0.0/8, blockSize: 0")]
    [InlineData("IPPool", "cidr: 10.0.0.1, blockSize: 32")]
    [InlineData("IPPool", "cidr: 10.0.0.0/28, disabled: true")]
    [InlineData("IPPool", "cidr: 10.0.0.0/24, allowedUses: [LoadBalancer], nodeSelector: all()")]
    [InlineData("BGPConfiguration", "")]
    [InlineData("BGPConfiguration", "serviceClusterIPs: [{}, { cidr: 10.96.0.0/12 }], logSeverityScreen: warning")]
    [InlineData("BGPConfiguration", "communities: [{ name: a, value: 5663:12 }], "
        + "prefixAdvertisements: [{ cidr: 10.0.0.0/8, communities: [a, 1:2:3] }]")]
    public void These_are_good(string kind, string spec) => Assert.NotNull(Manifest.One<Resource>(kind, spec));

    [Theory]
    [InlineData(GoodPeer + ", node: a, nodeSelector: all()", "spec.node")]
    [InlineData(GoodPeer + ", peerSelector: all()", "spec.peerIP", "spec.asNumber")]
    [InlineData("peerSelector: all(), asNumber: 1", "spec.asNumber")]
    [InlineData("localWorkloadSelector: all()", "spec.asNumber")]
    [InlineData(GoodPeer + ", localWorkloadSelector: all()", "spec.peerIP")]
    [InlineData("peerSelector: all(), localWorkloadSelector: all()", "spec.peerSelector", "spec.asNumber")]
    [InlineData("peerIP: 192.0.2.256", "spec.peerIP")]
    [InlineData("peerIP: '192.0.2.1:0'", "spec.peerIP")]
    [InlineData("peerIP: '192.0.2.1:65536'", "spec.peerIP")]
    [InlineData("peerIP: '[192.0.2.1]:179'", "spec.peerIP")]
    [InlineData("peerIP: tor1.example", "spec.peerIP")]
    [InlineData("peerIP: [192.0.2.1]", "spec.peerIP")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 4294967296", "spec.asNumber")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 65536.1", "spec.asNumber")]
    [InlineData("peerIP: 192.0.2.1, asNumber: -1", "spec.asNumber")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 1.10", "spec.asNumber")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 4.2e+10", "spec.asNumber")]
    [InlineData("peerIP: 192.0.2.1, asNumber: '0xFDE9'", "spec.asNumber")]
    [InlineData(GoodPeer + ", localASNumber: x", "spec.localASNumber")]
    [InlineData(GoodPeer + ", nodeSelector: !has(rr)", "spec.nodeSelector")]
    [InlineData("asNumber: 65001, peerIP: !any 192.0.2.1", "spec.peerIP")]
    [InlineData(GoodPeer + ", keepOriginalNextHop: !a true", "spec.keepOriginalNextHop")]
    [InlineData(GoodPeer + ", filters: [!a b]", "spec.filters[0]")]
    [InlineData(GoodPeer + ", keepOriginalNextHop: true, nextHopMode: Auto", "spec.keepOriginalNextHop")]
    [InlineData(GoodPeer + ", keepOriginalNextHop: 'true'", "spec.keepOriginalNextHop")]
    [InlineData(GoodPeer + ", nextHopMode: self", "spec.nextHopMode")]
    [InlineData(GoodPeer + ", sourceAddress: Any", "spec.sourceAddress")]
    [InlineData(GoodPeer + ", reversePeering: auto", "spec.reversePeering")]
    [InlineData(GoodPeer + ", maxRestartTime: 10", "spec.maxRestartTime")]
    [InlineData(GoodPeer + ", keepaliveTime: 1x", "spec.keepaliveTime")]
    [InlineData(GoodPeer + ", numAllowedLocalASNumbers: -1", "spec.numAllowedLocalASNumbers")]
    [InlineData(GoodPeer + ", ttlSecurity: 256", "spec.ttlSecurity")]
    [InlineData(GoodPeer + ", reachableBy: '2001:db8::1'", "spec.reachableBy")]
    [InlineData("peerSelector: all(), reachableBy: 192.0.2.1", "spec.reachableBy")]
    [InlineData(GoodPeer + ", nodeSelector: 'rr =='", "spec.nodeSelector")]
    [InlineData(GoodPeer + ", password: { secretKeyRef: { name: a } }", "spec.password.secretKeyRef.key")]
    [InlineData(GoodPeer + ", password: { secretKeyRef: { key: a } }", "spec.password.secretKeyRef.name")]
    [InlineData(GoodPeer + ", filters: only", "spec.filters")]
    [InlineData(GoodPeer + ", externalNetwork: a, network: b", "spec.externalNetwork")]
    [InlineData(GoodPeer + ", restartMode: None", "spec.restartMode")]
    [InlineData(GoodPeer + ", asNumber: 1", "spec.asNumber")]
    public void A_peer_is_refused_for(string spec, params string[] fields) => Refused("BGPPeer", spec, fields);

    [Theory]
    [InlineData("natOutgoing: true", "spec.cidr")]
    [InlineData("cidr: 10.0.0.0/33", "spec.cidr")]
    [InlineData("cidr: 10.0.0.1/16", "spec.cidr")]
    [InlineData("cidr: 10.0.0.0/28", "spec.cidr")]
    [InlineData("cidr: 169.254.1.0/24", "spec.cidr")]
    [InlineData("cidr: 160.0.0.0/4", "spec.cidr")]
    [InlineData("cidr: fe80::/64", "spec.cidr")]
    [InlineData(GoodPool + ", ipipMode: always", "spec.ipipMode")]
    [InlineData(GoodPool + ", ipipMode: Always, vxlanMode: CrossSubnet", "spec.vxlanMode")]
    [InlineData("cidr: 'fd00::/64', ipipMode: Always", "spec.ipipMode")]
    [InlineData(GoodPool + ", blockSize: 19", "spec.blockSize")]
    [InlineData(GoodPool + ", blockSize: 33", "spec.blockSize")]
    [InlineData("cidr: 'fd00::/64', blockSize: 26", "spec.blockSize")]
    [InlineData(GoodPool + ", nodeSelector: global()", "spec.nodeSelector")]
    [InlineData(GoodPool + ", nodeSelector: a b", "spec.nodeSelector")]
    [InlineData(GoodPool + ", allowedUses: [Everything]", "spec.allowedUses[0]")]
    [InlineData(GoodPool + ", allowedUses: [None]", "spec.allowedUses[0]")]
    [InlineData(GoodPool + ", allowedUses: [Workload, LoadBalancer]", "spec.allowedUses")]
    [InlineData(GoodPool + ", allowedUses: [LoadBalancer], disableBGPExport: true", "spec.disableBGPExport")]
    [InlineData(GoodPool + ", allowedUses: [LoadBalancer], ipipMode: Always", "spec.ipipMode")]
    [InlineData(GoodPool + ", allowedUses: [LoadBalancer], nodeSelector: has(a)", "spec.nodeSelector")]
    [InlineData(GoodPool + ", assignmentMode: Never", "spec.assignmentMode")]
    [InlineData(GoodPool + ", ipip: { enabled: true, mode: sometimes }", "spec.ipip.mode")]
    public void A_pool_is_refused_for(string spec, params string[] fields) => Refused("IPPool", spec, fields);

    [Theory]
    [InlineData("cidr: 10.0.0.0/8, matchOperator: In", "spec.exportV4[0].action")]
    [InlineData("action: accept", "spec.exportV4[0].action")]
    [InlineData("action: Accept, cidr: 10.0.0.0/8", "spec.exportV4[0].cidr")]
    [InlineData("action: Accept, matchOperator: In", "spec.exportV4[0].matchOperator")]
    [InlineData("action: Accept, cidr: 'fd00::/8', matchOperator: In", "spec.exportV4[0].cidr")]
    [InlineData("action: Accept, cidr: 10.244.3.7/16, matchOperator: In", "spec.exportV4[0].cidr")]
    [InlineData(GoodRule + ", operations: []", "spec.exportV4[0].operations")]
    [InlineData("action: Reject, operations: []", "spec.exportV4[0].operations")]
    [InlineData("action: Accept, prefixLength: { min: 8 }", "spec.exportV4[0].prefixLength")]
    [InlineData(GoodRule + ", prefixLength: { max: 33 }", "spec.exportV4[0].prefixLength.max")]
    [InlineData(GoodRule + ", source: Peers", "spec.exportV4[0].source")]
    [InlineData(GoodRule + ", interface: much-too-long-name", "spec.exportV4[0].interface")]
    [InlineData(GoodRule + ", peerType: EBGP", "spec.exportV4[0].peerType")]
    [InlineData(GoodRule + ", communities: { values: [] }", "spec.exportV4[0].communities.values")]
    [InlineData(GoodRule + ", communities: { values: ['1:2', '3:4'] }", "spec.exportV4[0].communities.values")]
    [InlineData(GoodRule + ", communities: { values: ['65536:1'] }", "spec.exportV4[0].communities.values[0]")]
    [InlineData(GoodRule + ", asPathPrefix: [a]", "spec.exportV4[0].asPathPrefix[0]")]
    [InlineData(GoodRule + ", priority: 0", "spec.exportV4[0].priority")]
    [InlineData(GoodRule + ", priority: 2147483647", "spec.exportV4[0].priority")]
    [InlineData("action: Reject, operations: [{ setPriority: { value: 1 } }]", "spec.exportV4[0].operations")]
    [InlineData(GoodRule + ", operations: [{}]", "spec.exportV4[0].operations[0]")]
    [InlineData(GoodRule + ", operations: [{ setPriority: { value: 1 }, addCommunity: { value: '1:2' } }]",
        "spec.exportV4[0].operations[0]")]
    [InlineData(GoodRule + ", operations: [{ setPriority: {} }]", "spec.exportV4[0].operations[0].setPriority.value")]
    [InlineData(GoodRule + ", operations: [{ prependASPath: { prefix: [] } }]", "spec.exportV4[0].operations[0].prependASPath.prefix")]
    [InlineData(GoodRule + ", operations: [{ addCommunity: { value: x } }]", "spec.exportV4[0].operations[0].addCommunity.value")]
    public void A_filter_is_refused_for(string rule, params string[] fields) =>
        Refused("BGPFilter", $"exportV4: [{{ {rule} }}]", fields);

    [Theory]
    [InlineData("asNumber: x", "spec.asNumber")]
    [InlineData("listenPort: 0", "spec.listenPort")]
    [InlineData("listenPort: 65536", "spec.listenPort")]
    [InlineData("logSeverityScreen: loud", "spec.logSeverityScreen")]
    [InlineData("bindMode: Any", "spec.bindMode")]
    [InlineData("serviceClusterIPs: [{ cidr: x }]", "spec.serviceClusterIPs[0].cidr")]
    [InlineData("serviceClusterIPs: [{ cidr: 10.96.0.1/12 }]", "spec.serviceClusterIPs[0].cidr")]
    [InlineData("prefixAdvertisements: [{ cidr: '2001:db8::1/64', communities: ['1:2'] }]", "spec.prefixAdvertisements[0].cidr")]
    [InlineData("serviceLoadBalancerAggregation: enabled", "spec.serviceLoadBalancerAggregation")]
    [InlineData("communities: [{ name: a, value: '65536:1' }], prefixAdvertisements: [{ cidr: 10.0.0.0/8, communities: ['1:2'] }]",
        "spec.communities[0].value")]
    [InlineData("communities: [{ name: a, value: '1:2' }]", "spec.communities")]
    [InlineData("prefixAdvertisements: [{ cidr: 10.0.0.0/8, communities: [a] }]", "spec.prefixAdvertisements")]
    [InlineData("prefixAdvertisements: [{ communities: ['1:2'] }]", "spec.prefixAdvertisements[0].cidr")]
    [InlineData("prefixAdvertisements: [{ cidr: 10.0.0.0/8 }]", "spec.prefixAdvertisements[0].communities")]
    [InlineData("ignoredInterfaces: ['*']", "spec.ignoredInterfaces[0]")]
    [InlineData("ignoredInterfaces: ['eth 0']", "spec.ignoredInterfaces[0]")]
    [InlineData("localWorkloadPeeringIPV4: 'fd00::1'", "spec.localWorkloadPeeringIPV4")]
    [InlineData("localWorkloadPeeringIPV6: 169.254.0.1", "spec.localWorkloadPeeringIPV6")]
    [InlineData("ipv4NormalRoutePriority: 0", "spec.ipv4NormalRoutePriority")]
    [InlineData("nodeToNodeMeshEnabled: false, nodeMeshMaxRestartTime: 10s", "spec.nodeMeshMaxRestartTime")]
    [InlineData("nodeToNodeMeshEnabled: false, nodeMeshPassword: { secretKeyRef: { name: a, key: b } }", "spec.nodeMeshPassword")]
    public void A_configuration_is_refused_for(string spec, params string[] fields) => Refused("BGPConfiguration", spec, fields);

    [Theory]
    [InlineData("nodeToNodeMeshEnabled: true", "spec.nodeToNodeMeshEnabled")]
    [InlineData("asNumber: 1", "spec.asNumber")]
    [InlineData("serviceExternalIPs: [{ cidr: 10.0.0.0/8 }]", "spec.serviceExternalIPs")]
    public void A_nodes_configuration_is_refused_for(string spec, params string[] fields) =>
        Refused(Manifest.Calico("BGPConfiguration", spec, "node.a"), fields);

    [Theory]
    [InlineData("Node", "bgp: {}", "spec.bgp")]
    [InlineData("Node", "bgp: { ipv4Address: 'fd00::1/64' }", "spec.bgp.ipv4Address")]
    [InlineData("Node", "bgp: { ipv4Address: 10.0.0.1/33 }", "spec.bgp.ipv4Address")]
    [InlineData("Node", "bgp: { ipv4Address: 10.0.0.1, routeReflectorClusterID: x }", "spec.bgp.routeReflectorClusterID")]
    [InlineData("BlockAffinity", "node: a, cidr: 10.0.0.0/26, state: lost", "spec.state")]
    [InlineData("BlockAffinity", "cidr: 10.0.0.0/26", "spec.node")]
    [InlineData("BlockAffinity", "node: a, cidr: 10.0.0.0/26, type: guest", "spec.type")]
    [InlineData("IPAMBlock", "cidr: 10.0.0.0/26, affinity: somebody", "spec.affinity")]
    [InlineData("CalicoNodeStatus", "classes: [BGP]", "spec.node")]
    [InlineData("CalicoNodeStatus", "node: a, classes: [None]", "spec.classes[0]")]
    [InlineData("CalicoNodeStatus", "node: a, updatePeriodSeconds: 86401", "spec.updatePeriodSeconds")]
    [InlineData("FelixConfiguration", "natPortRange: '20:10'", "spec.natPortRange")]
    [InlineData("FelixConfiguration", "natPortRange: 0", "spec.natPortRange")]
    [InlineData("FelixConfiguration", "natOutgoingAddress: 10.0.0.9-10.0.0.1", "spec.natOutgoingAddress")]
    [InlineData("FelixConfiguration", "natOutgoingExclusions: Hosts", "spec.natOutgoingExclusions")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: abcdefghijklmnopqrs", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: abcdefghijklmno+", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: abcdefghijklmno*", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: 'eth 0'", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: eth/0", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: 'eth*0'", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: 'eth**'", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: '..'", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: '.'", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: \"eth0\\n\"", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "natOutgoingInterfaceFilter: ünü", "spec.natOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "iptablesNATOutgoingInterfaceFilter: abcdefghijklmnopqrs", "spec.iptablesNATOutgoingInterfaceFilter")]
    [InlineData("FelixConfiguration", "interfacePrefix: 'cali,abcdefghijklmnopqrs'", "spec.interfacePrefix")]
    [InlineData("FelixConfiguration", "interfacePrefix: 'cali*'", "spec.interfacePrefix")]
    [InlineData("BGPPeer", GoodPeer + ", keepaliveTime: 1ms", "spec.keepaliveTime")]
    [InlineData("BFDConfiguration", "nodeSelector: !has(a)(", "spec.nodeSelector")]
    [InlineData("BFDConfiguration", "interfaces: [{ multiplier: 3 }]", "spec.interfaces[0].matchPattern")]
    [InlineData("BFDConfiguration", "interfaces: [{ matchPattern: '*', multiplier: 0 }]", "spec.interfaces[0].multiplier")]
    [InlineData("BFDConfiguration", "interfaces: [{ matchPattern: '*', minimumRecvInterval: 9ms }]",
        "spec.interfaces[0].minimumRecvInterval")]
    [InlineData("BFDConfiguration", "interfaces: [{ matchPattern: '*', minimumSendInterval: 61s }]",
        "spec.interfaces[0].minimumSendInterval")]
    [InlineData("BFDConfiguration", "interfaces: [{ matchPattern: '*', idleSendInterval: 100ms }]", "spec.interfaces[0].idleSendInterval")]
    public void Others_are_refused_for(string kind, string spec, params string[] fields) => Refused(kind, spec, fields);

    [Theory]
    [InlineData("eth0")]
    [InlineData("eth+")]
    [InlineData("eth*")]
    [InlineData("+")]
    [InlineData("*")]
    [InlineData("bond0.100:1")]
    [InlineData("...")]
    [InlineData("abcdefghijklmno")]
    [InlineData("abcdefghijklmn+")]
    [InlineData("abcdefghijklmn*")]
    public void An_interface_filter_may_be(string name)
    {
        var yaml = Manifest.Calico("FelixConfiguration", $"natOutgoingInterfaceFilter: '{name}'");
        var definition = Assert.Single(Manifest.Read(yaml).Definitions);
        Assert.Empty(definition.Problems);
        Assert.Equal(name, Assert.IsType<FelixConfiguration>(definition.Value).NatOutgoingInterfaceFilter);
    }

    [Fact]
    public void More_addresses_than_a_connection_should_walk_past_are_refused()
    {
        static string Addresses(int count) =>
            $"natOutgoingAddress: '{string.Join(',', Enumerable.Range(0, count).Select(i => $"192.0.{i / 256}.{i % 256}"))}'";
        Refused("FelixConfiguration", Addresses(257), ["spec.natOutgoingAddress"]);
        Assert.NotNull(Assert.Single(Manifest.Read(Manifest.Calico("FelixConfiguration", Addresses(256))).Definitions).Value);
    }

    /// <summary>What the API server's YAML makes of a number without quotes.</summary>
    [Theory]
    [InlineData("65001", 65001u)]
    [InlineData("'65001'", 65001u)]
    [InlineData("4.200000001e+09", 4200000001u)]
    [InlineData("4.2e+09", 4200000000u)]
    [InlineData("0176751", 65001u)]
    [InlineData("0o176751", 65001u)]
    [InlineData("0xFDE9", 65001u)]
    [InlineData("0b11", 3u)]
    [InlineData("65_001", 65001u)]
    [InlineData("+65001", 65001u)]
    [InlineData("089", 89u)]
    [InlineData("65001.0", 65001u)]
    [InlineData("'1.10'", 65546u)]
    [InlineData("!!str 1.10", 65546u)]
    public void An_AS_number_may_be_written(string text, uint number) =>
        Assert.Equal(number, Manifest.One<BgpPeer>("BGPPeer", $"peerIP: 192.0.2.1, asNumber: {text}").AsNumber!.Value.Value);

    [Theory]
    [InlineData("1e+06", 1000000)]
    [InlineData("0x10", 16)]
    public void So_may_other_numbers(string text, int number) =>
        Assert.Equal(
            number, Manifest.One<BgpConfiguration>("BGPConfiguration", $"ipv4NormalRoutePriority: {text}").IPv4NormalRoutePriority);

    [Fact]
    public void On_a_nodes_configuration_an_empty_list_is_no_reason_to_lose_its_port()
    {
        var yaml = Manifest.Calico("BGPConfiguration", "listenPort: 1790, serviceClusterIPs: []", "node.n1");
        Assert.Equal(1790, Manifest.One<BgpConfiguration>(yaml).ListenPort);
    }

    [Theory]
    [InlineData("peerIP: 192.0.2.1, asnumber: 65001", "spec.asnumber", "is not known here and has no effect; did you mean \"asNumber\"?")]
    [InlineData("asNumber: 65001", "spec.peerIP",
        "expected this, peerSelector or localWorkloadSelector, got none: the object has no effect")]
    public void A_peer_is_warned_of(string spec, string field, string reason)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico("BGPPeer", spec)).Definitions);
        Assert.NotNull(definition.Value);
        var problem = Assert.Single(definition.Problems);
        Assert.Equal((ProblemSeverity.Warning, field, reason), (problem.Severity, problem.Field, problem.Reason));
    }

    [Fact]
    public void A_tag_says_to_quote_it()
    {
        var problem = Assert.Single(Assert.Single(Manifest.Read(Manifest.Calico("BGPPeer", "nodeSelector: !has(rr)")).Definitions).Problems,
            problem => problem.Severity == ProblemSeverity.Error);
        Assert.Equal("expected a word, got the YAML tag !has(rr): quote a value that begins with !", problem.Reason);
    }

    [Theory]
    [InlineData("Tor_1")]
    [InlineData("''")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a..b")]
    [InlineData("a.-b")]
    [InlineData("\"a\\n\"")]
    [InlineData("!a")]
    public void A_name_must_be_one(string name)
    {
        var reading = Manifest.Read(Manifest.Calico("BGPPeer", GoodPeer, name));
        Assert.Empty(reading.Definitions);
        Assert.Equal("metadata.name", Assert.Single(reading.Problems).Field);
    }

    [Fact]
    public void A_problem_names_file_line_field_and_reason()
    {
        var reading = Manifest.Read("""
            apiVersion: projectcalico.org/v3
            kind: BGPPeer
            metadata:
              name: tor1
            spec:
              peerIP: 192.0.2.1
              asNumber: many
            """);
        var problem = Assert.Single(Assert.Single(reading.Definitions).Problems);
        Assert.Equal(
            "test.yaml:7: BGPPeer/tor1: spec.asNumber: expected an AS number (0 to 4294967295, or in quotes two parts of 16 bits with a "
            + "dot), got \"many\"", problem.ToString());
    }

    [Theory]
    [InlineData("BGPPeer", GoodPeer + ", colour: blue", "spec.colour")]
    [InlineData("IPPool", GoodPool + ", natOutgoin: true", "spec.natOutgoin")]
    [InlineData("BGPPeer", GoodPeer + ", maxRestartTime: 2000000h", "spec.maxRestartTime")]
    [InlineData("BGPConfiguration", "nodeMeshMaxRestartTime: 2h", "spec.nodeMeshMaxRestartTime")]
    [InlineData("BGPConfiguration", "programClusterRoutes: Sometimes", "spec.programClusterRoutes")]
    [InlineData("BGPFilter", "exportV4: [{ " + GoodRule + ", weight: 1 }]", "spec.exportV4[0].weight")]
    public void What_a_newer_Calico_may_know_is_warned_of_and_the_object_counts(string kind, string spec, string field)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico(kind, spec)).Definitions);
        Assert.NotNull(definition.Value);
        var problem = Assert.Single(definition.Problems);
        Assert.Equal((field, ProblemSeverity.Warning), (problem.Field, problem.Severity));
    }

    private static void Refused(string kind, string spec, string[] fields) => Refused(Manifest.Calico(kind, spec), fields);

    private static void Refused(string yaml, string[] fields)
    {
        var definition = Assert.Single(Manifest.Read(yaml).Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(fields, definition.Problems.Where(problem => problem.Severity == ProblemSeverity.Error)
            .Select(problem => problem.Field));
    }
}
