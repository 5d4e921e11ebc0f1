using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>Names of DNS policy: section 4.1 of calico-policy-nat.md, and NPEP-133 for network-policy-api's kinds.</summary>
public class DomainTests
{
    private const string Everywhere = "tier: Admin, priority: 7, subject: { namespaces: {} }";

    [Theory]
    [InlineData("example.org", "example.org")]
    [InlineData("example.org.", "example.org")]
    [InlineData("EXAMPLE.Org", "example.org")]
    [InlineData("intranet", "intranet")]
    [InlineData("_dmarc.a-b.example", "_dmarc.a-b.example")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("*.google.com", "*.google.com")]
    [InlineData("*.COM.", "*.com")]
    [InlineData("www.*.com", "www.*.com")]
    [InlineData("update.*.x.com", "update.*.x.com")]
    public void A_name_or_one_star_for_whole_labels_is_a_pattern_of_names(string text, string pattern)
    {
        Assert.True(DomainPattern.TryParse(text, out var read, out _));
        Assert.Equal(pattern, read.Text);
        Assert.True(DomainPattern.TryParse(read.Text.ToUpperInvariant() + ".", out var again, out _));
        Assert.Equal(read, again);
    }

    [Theory]
    [InlineData("", "1 to 253 characters")]
    [InlineData(".", "1 to 253 characters")]
    [InlineData("a..b", "labels of 1 to 63 characters")]
    [InlineData(".a", "labels of 1 to 63 characters")]
    [InlineData("a.b..", "labels of 1 to 63 characters")]
    [InlineData("*", "a label after the *")]
    [InlineData("www.*", "a label after the *")]
    [InlineData("www.*.", "a label after the *")]
    [InlineData("*.*.com", "one * at most")]
    [InlineData("*.a.*.com", "one * at most")]
    [InlineData("w*.example.org", "* to stand for whole labels")]
    [InlineData("*w.example.org", "* to stand for whole labels")]
    [InlineData("**.example.org", "one * at most")]
    [InlineData("bücher.example", "as xn--...")]
    [InlineData("a b.example", "letters, digits, - and _")]
    [InlineData("http://example.org", "letters, digits, - and _")]
    [InlineData("192.0.2.1", "which nets can say")]
    [InlineData("2001:db8::1", "which nets can say")]
    public void Anything_else_is_refused_with_the_reason(string text, string reason)
    {
        Assert.False(DomainPattern.TryParse(text, out var pattern, out var error));
        Assert.Null(pattern);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.Contains($"\"{text}\"", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_and_labels_are_as_long_as_the_DNS_allows()
    {
        var label = new string('a', 63);
        Assert.True(DomainPattern.TryParse($"{label}.org", out _, out _));
        Assert.False(DomainPattern.TryParse($"{label}a.org", out _, out _));
        var name = $"{label}.{label}.{label}.{new string('b', 61)}";
        Assert.True(DomainPattern.TryParse(name, out _, out _));
        Assert.False(DomainPattern.TryParse($"{name}b", out _, out _));
    }

    [Theory]
    [InlineData("NetworkPolicy")]
    [InlineData("GlobalNetworkPolicy")]
    [InlineData("StagedNetworkPolicy")]
    [InlineData("StagedGlobalNetworkPolicy")]
    public void An_egress_rule_that_allows_may_name_its_destination(string kind)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico(kind, "egress: [{ action: Allow, protocol: TCP, destination: "
            + "{ domains: ['*.Example.org', example.org., EXAMPLE.org], ports: [443], notNets: [169.254.169.254/32] } }]")).Definitions);
        Assert.Empty(definition.Problems);
        var rule = Assert.Single(((AnyNetworkPolicy)definition.Value!).Spec.Egress);
        Assert.Equal("[*.example.org, example.org]", rule.Destination.Domains.ToString());
        Assert.Equal("Allow proto 6 to <!all()> to not [169.254.169.254/32] to ports [443]", RuleText.Of(rule));
    }

    [Theory]
    [InlineData("egress: [{ action: Deny, destination: { domains: [a.example] } }]", "spec.egress[0].destination.domains")]
    [InlineData("egress: [{ action: Pass, destination: { domains: [a.example] } }]", "spec.egress[0].destination.domains")]
    [InlineData("egress: [{ action: Log, destination: { domains: [a.example] } }]", "spec.egress[0].destination.domains")]
    [InlineData("egress: [{ action: Allow, source: { domains: [a.example] } }]", "spec.egress[0].source.domains")]
    [InlineData("ingress: [{ action: Allow, destination: { domains: [a.example] } }]", "spec.ingress[0].destination.domains")]
    [InlineData("ingress: [{ action: Allow, source: { domains: [a.example] } }]", "spec.ingress[0].source.domains")]
    [InlineData("egress: [{ action: Allow, destination: { domains: a.example } }]", "spec.egress[0].destination.domains")]
    [InlineData("egress: [{ action: Allow, destination: { domains: ['a.*', a.example, '', null] } }]",
        "spec.egress[0].destination.domains[0]", "spec.egress[0].destination.domains[2]", "spec.egress[0].destination.domains[3]")]
    [InlineData("egress: [{ action: Allow, destination: { domains: [a.example], nets: [192.0.2.0/24] } }]",
        "spec.egress[0].destination.nets")]
    [InlineData("egress: [{ action: Allow, destination: { domains: [a.example], selector: has(a) } }]",
        "spec.egress[0].destination.selector")]
    [InlineData("egress: [{ action: Allow, destination: { domains: [a.example], notSelector: has(a) } }]",
        "spec.egress[0].destination.notSelector")]
    [InlineData("egress: [{ action: Allow, destination: { domains: [a.example], namespaceSelector: has(a) } }]",
        "spec.egress[0].destination.namespaceSelector")]
    [InlineData("egress: [{ action: Allow, destination: { domains: [a.example], serviceAccounts: { names: [a] } } }]",
        "spec.egress[0].destination.serviceAccounts")]
    [InlineData("egress: [{ action: Allow, destination: { domains: [a.example], services: { name: a, namespace: b } } }]",
        "spec.egress[0].destination.services")]
    [InlineData("egress: [{ action: Allow, protocol: TCP, destination: { domains: [a.example], ports: [http] } }]",
        "spec.egress[0].destination.ports")]
    public void Names_are_refused_where_they_would_mean_nothing_or_something_else(string spec, params string[] fields)
    {
        Refusals.Refused("NetworkPolicy", spec, fields);
        Refusals.Refused("GlobalNetworkPolicy", spec, fields);
    }

    [Fact]
    public void A_profile_has_no_names() =>
        Refusals.Refused("Profile", "egress: [{ action: Allow, destination: { domains: [a.example] } }]",
            "spec.egress[0].destination.domains");

    [Fact]
    public void What_names_must_not_do_is_said_with_the_reason()
    {
        string Reason(string rules) => Refusals.Reason("GlobalNetworkPolicy", rules);
        Assert.Equal("expected the action Allow beside them, got Deny",
            Reason("egress: [{ action: Deny, destination: { domains: [a.example] } }]"));
        Assert.Equal("can stand in the destination of an egress rule alone",
            Reason("ingress: [{ action: Allow, source: { domains: [a.example] } }]"));
        Assert.Equal("cannot stand beside domains",
            Reason("egress: [{ action: Allow, destination: { domains: [a.example], selector: has(a) } }]"));
        Assert.Equal("expected a label after the *, got \"www.*\"",
            Reason("egress: [{ action: Allow, destination: { domains: ['www.*'] } }]"));
    }

    [Theory]
    [InlineData("kubernetes.default.svc")]
    [InlineData("kube-dns.kube-system.svc.cluster.local.")]
    [InlineData("*.CLUSTER.local")]
    public void A_name_of_the_cluster_counts_and_is_warned_of(string name)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico("GlobalNetworkPolicy",
            $"egress: [{{ action: Allow, destination: {{ domains: ['{name}'] }} }}]")).Definitions);
        Assert.Equal(1, ((GlobalNetworkPolicy)definition.Value!).Spec.Egress[0].Destination.Domains.Count);
        var problem = Assert.Single(definition.Problems);
        Assert.Equal((ProblemSeverity.Warning, "spec.egress[0].destination.domains[0]"), (problem.Severity, problem.Field));
        Assert.Contains("name of the cluster's own", problem.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mysvc")]
    [InlineData("a.notcluster.local")]
    public void A_name_that_only_looks_like_one_of_the_cluster_is_not_warned_of(string name) =>
        Assert.Empty(Assert.Single(Manifest.Read(Manifest.Calico("GlobalNetworkSet", $"allowedEgressDomains: ['{name}']")).Definitions)
            .Problems);

    [Fact]
    public void Sets_of_networks_have_names_beside_networks()
    {
        var set = Manifest.One<NetworkSet>("NetworkSet", "nets: [192.0.2.0/24], allowedEgressDomains: [DB.com, '*.db.com', db.com.]");
        Assert.Equal("[192.0.2.0/24] [db.com, *.db.com]", $"{set.Nets} {set.Domains}");
        var global = Manifest.One<GlobalNetworkSet>("GlobalNetworkSet", "allowedEgressDomains: ['www.*.com']");
        Assert.Equal("[] [www.*.com]", $"{global.Nets} {global.Domains}");
    }

    [Theory]
    [InlineData("ClusterNetworkPolicy", "v1alpha2", "Accept", "tier: Admin, priority: 7, ")]
    [InlineData("AdminNetworkPolicy", "v1alpha1", "Allow", "priority: 7, ")]
    public void An_egress_peer_of_network_policy_api_is_names(string kind, string version, string accept, string before)
    {
        var policy = (AnyNetworkPolicy)Read($"{before}subject: {{ namespaces: {{}} }}, "
            + $"egress: [{{ action: {accept}, to: [{{ domainNames: ['*.Example.org', example.org] }}] }}]", kind, version).Value!;
        var destination = Assert.Single(policy.Spec.Egress).Destination;
        Assert.Equal("[*.example.org, example.org] !all()", $"{destination.Domains} {destination.In}");
    }

    [Theory]
    [InlineData("egress", "to: [{ domainNames: ['www.*.org'] }]", "expected * in front alone, got \"www.*.org\"")]
    [InlineData("egress", "to: [{ domainNames: [] }]", "expected one at least, got none")]
    [InlineData("egress", "to: [{ domainNames: [a.example], networks: [192.0.2.0/24] }]",
        "expected one of namespaces, pods, networks and domainNames")]
    [InlineData("egress", "to: [{ domainNames: [a.example] }], protocols: [{ destinationNamedPort: web }]",
        "expected ports by number beside domainNames: ports by name are those of pods, which no name leads to")]
    [InlineData("ingress", "from: [{ domainNames: [a.example], namespaces: {} }]",
        "is not known here, and without it this would mean something else")]
    public void A_rule_whose_names_cannot_count_accepts_nothing(string direction, string rule, string reason)
    {
        var definition = Read($"{Everywhere}, {direction}: [{{ action: Accept, {rule} }}]");
        var spec = ((AnyNetworkPolicy)definition.Value!).Spec;
        Assert.Empty(spec.Egress.Concat(spec.Ingress));
        Assert.Equal($"{reason}: the rule accepts nothing", Assert.Single(definition.Problems).Reason);
    }

    [Fact]
    public void The_baseline_knows_no_names()
    {
        var definition = Read("subject: { namespaces: {} }, egress: [{ action: Allow, to: [{ domainNames: [a.example], pods: "
            + "{ namespaceSelector: {}, podSelector: {} } }] }]", "BaselineAdminNetworkPolicy", "v1alpha1");
        Assert.Empty(((AnyNetworkPolicy)definition.Value!).Spec.Egress);
        Assert.Equal("spec.egress[0].to[0].domainNames", Assert.Single(definition.Problems).Field);
    }

    [Fact]
    public void Whoever_does_not_look_at_names_lets_nothing_through_for_them()
    {
        Assert.False(RuleEntity.Nobody.Matches(new Dictionary<string, string>()));
        Assert.False(RuleEntity.Nobody.Matches(new Dictionary<string, string> { ["a"] = "b" }));
    }

    private static ResourceDefinition Read(string spec, string kind = "ClusterNetworkPolicy", string version = "v1alpha2") =>
        Assert.Single(Manifest.Read($"{{ apiVersion: policy.networking.k8s.io/{version}, kind: {kind}, metadata: {{ name: default }}, "
            + $"spec: {{ {spec} }} }}").Definitions);

    [Theory]
    [InlineData("10.96.0.10", "10.96.0.10:53")]
    [InlineData("10.96.0.10:5353", "10.96.0.10:5353")]
    [InlineData("2001:db8::53", "[2001:db8::53]:53")]
    [InlineData("[2001:db8::53]", "[2001:db8::53]:53")]
    [InlineData("[2001:db8::53]:5353", "[2001:db8::53]:5353")]
    [InlineData("k8s-service:kube-dns", "k8s-service:kube-system/kube-dns:53")]
    [InlineData("k8s-service:dns/resolver", "k8s-service:dns/resolver:53")]
    [InlineData("k8s-service:resolver:5353", "k8s-service:kube-system/resolver:5353")]
    [InlineData("k8s-service:dns/resolver:5353", "k8s-service:dns/resolver:5353")]
    public void A_trusted_server_is_an_address_or_a_service(string text, string server)
    {
        var felix = Manifest.One<FelixConfiguration>("FelixConfiguration", $"dnsTrustedServers: ['{text}']");
        Assert.Equal(server, Assert.Single(felix.DnsTrustedServers!.Value).ToString());
    }

    [Theory]
    [InlineData("dnsTrustedServers: ['10.96.0.10:0']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['10.96.0.10:65536']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['[10.96.0.10]:53']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['10.96.0.0/24']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: [dns.google]", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['k8s-service:']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['k8s-service:/a']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['k8s-service:a/b/c']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: ['k8s-service:a:dns']", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: [null]", "spec.dnsTrustedServers[0]")]
    [InlineData("dnsTrustedServers: 10.96.0.10", "spec.dnsTrustedServers")]
    [InlineData("dnsExtraTTL: 10", "spec.dnsExtraTTL")]
    [InlineData("dnsExtraTTL: -1s", "spec.dnsExtraTTL")]
    [InlineData("dnsCacheFile: cache.txt", "spec.dnsCacheFile")]
    [InlineData("dnsCacheSaveInterval: 1ms", "spec.dnsCacheSaveInterval")]
    [InlineData("dnsCacheEpoch: -1", "spec.dnsCacheEpoch")]
    [InlineData("nftablesDNSPolicyMode: Inline", "spec.nftablesDNSPolicyMode")]
    public void FelixConfiguration_is_refused_for(string spec, params string[] fields) =>
        Refusals.Refused("FelixConfiguration", spec, fields);

    [Fact]
    public void Of_settings_for_names_a_nodes_own_come_before_everybodys()
    {
        var global = Manifest.One<FelixConfiguration>("FelixConfiguration", "dnsTrustedServers: [10.0.0.1], dnsExtraTTL: 10s, "
            + "dnsCacheFile: /var/lib/dns.json, dnsCacheSaveInterval: 30s, dnsCacheEpoch: 1, nftablesDNSPolicyMode: NoDelay");
        var node = Manifest.One<FelixConfiguration>("FelixConfiguration", "dnsTrustedServers: [], dnsCacheEpoch: 2");
        var effective = FelixConfiguration.Effective(global, node);
        Assert.Equal(0, effective.DnsTrustedServers!.Value.Count);
        Assert.Equal((TimeSpan.FromSeconds(10), "/var/lib/dns.json", TimeSpan.FromSeconds(30), 2, DnsPolicyMode.NoDelay),
            (effective.DnsExtraTtl, effective.DnsCacheFile, effective.DnsCacheSaveInterval, effective.DnsCacheEpoch,
                effective.DnsPolicyMode));
        Assert.Null(FelixConfiguration.Effective(null, null).DnsTrustedServers);
        Assert.Equal("[k8s-service:kube-system/kube-dns:53]", DnsServer.Default.ToString());
    }
}
