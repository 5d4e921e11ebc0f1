using System.Globalization;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>What is explained of connections that translations of ours send to a pod: its programs are asked, as its packets are.</summary>
public sealed class ExplainedTranslationTests : IDisposable
{
    private const string Objects = """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: node1 }
        spec: { bgp: { ipv4Address: 172.20.0.1/24 } }
        ---
        apiVersion: v1
        kind: Namespace
        metadata: { name: shop }
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: client, namespace: shop, labels: { app: client } }
        spec: { nodeName: node1 }
        status: { phase: Running, podIP: 192.168.1.2, podIPs: [{ ip: 192.168.1.2 }] }
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: web, namespace: shop, labels: { app: web } }
        spec: { nodeName: node1 }
        status: { phase: Running, podIP: 192.168.1.3, podIPs: [{ ip: 192.168.1.3 }] }
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: open, namespace: shop, labels: { app: open } }
        spec: { nodeName: node1 }
        status: { phase: Running, podIP: 192.168.1.4, podIPs: [{ ip: 192.168.1.4 }] }
        ---
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: { name: web, namespace: shop }
        spec: { selector: app == 'web', types: [Ingress], ingress: [{ action: Deny }] }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: thief, namespace: shop }
        spec: { clusterIP: 10.96.0.9, externalIPs: [172.20.0.1], ports: [{ name: t, protocol: TCP, port: 22 }] }
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: thief-1, namespace: shop, labels: { kubernetes.io/service-name: thief } }
        addressType: IPv4
        ports: [{ name: t, protocol: TCP, port: 2222 }]
        endpoints: [{ addresses: [192.168.1.4], conditions: { ready: true } }]
        """;

    private string objects = Objects;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("translated");

    public void Dispose() => folder.Delete(recursive: true);

    private OfflinePolicy Policy(params string[] backends)
    {
        File.WriteAllText(Path.Combine(folder.FullName, "all.yaml"), objects);
        var snapshot = YamlFiles.Load(folder.FullName);
        Assert.Equal([], snapshot.Problems.Select(one => one.ToString()));
        var translation = new Translation("", TranslationKind.Vip,
            new(TranslationPlace.Of(Address.Parse("30.0.0.5")), IpProtocol.Tcp, 80),
            [.. backends.Select(one => new Backend(new(null, null), new(Place(one), 8080)) { Weight = 1 })]);
        var services = new ServiceSettings { Enabled = true, Translations = backends.Length == 0 ? [] : [translation] };
        return new(new("node1", Policy: new() { Enabled = true }, Services: services), snapshot.Begin());
    }

    private static TranslationPlace Place(string text) => text.Contains('.', StringComparison.Ordinal)
        ? TranslationPlace.Of(Address.Parse(text)) : TranslationPlace.OfInterface(text, IpFamily.IPv4);

    private static PolicyExplanation Ask(OfflinePolicy policy, string source, int port = 80)
    {
        Assert.Null(PolicyQuestion.Read(source, "30.0.0.5", string.Create(CultureInfo.InvariantCulture, $"tcp:{port}"), null,
            out var question));
        return policy.Explain(question!);
    }

    private static string Told(PolicyExplanation told) => $"{told.Verdict}: "
        + string.Join(", ", told.Programs.Select(one => $"{one.Program} {one.Endpoint} {one.Policy}: {one.Verdict}"));

    [Theory]
    [InlineData("shop/client", "deny: pod egress shop/client kns.shop: allow, pod ingress shop/web web: deny")]
    [InlineData("198.51.100.1", "deny: pod ingress shop/web web: deny")]
    public void The_backends_own_program_is_asked(string source, string told)
    {
        var explanation = Ask(Policy("192.168.1.3"), source);
        Assert.Equal((told, "this daemon translates the destination to one endpoint"), (Told(explanation), explanation.Why));
    }

    [Fact]
    public void What_a_virtual_address_does_not_translate_is_dropped() =>
        Assert.Equal("deny", Ask(Policy("192.168.1.4"), "198.51.100.1", 81).Verdict);

    [Fact]
    public void Of_two_backends_that_differ_the_first_is_shown_and_both_are_told_of()
    {
        var explanation = Ask(Policy("192.168.1.3", "192.168.1.4"), "198.51.100.1");
        Assert.Equal("unknown: pod ingress shop/web web: deny", Told(explanation));
        Assert.Equal("192.168.1.3:8080", explanation.Destination);
        Assert.Equal("this daemon translates the destination to one of 2 endpoints, of which the first is shown", explanation.Why);
        Assert.Equal(["deny", "allow"], explanation.DependsOn.Select(one => one[(one.LastIndexOf(' ') + 1)..]));
        Assert.StartsWith("to 192.168.1.3, the source port, which chooses one of 2 ", explanation.DependsOn[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Backends_that_are_let_in_alike_depend_on_nothing()
    {
        var explanation = Ask(Policy("192.168.1.4", "192.168.1.9"), "198.51.100.1");
        Assert.Equal(("allow", 0), (explanation.Verdict, explanation.DependsOn.Length));
        Assert.EndsWith("to one of 2 endpoints, of which the first is shown", explanation.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_of_many_backends_is_asked_about()
    {
        string[] open = [.. Enumerable.Range(0, 150).Select(one => $"198.51.101.{one}")];
        var alike = Ask(Policy(open), "198.51.100.1");
        Assert.Equal(("allow", "this daemon translates the destination to one of 150 endpoints, of which the first is shown"),
            (alike.Verdict, alike.Why));
        var differ = Ask(Policy([.. open, "192.168.1.3"]), "198.51.100.1");
        Assert.Equal("unknown", differ.Verdict);
        Assert.Equal(["deny", .. Enumerable.Repeat("allow", 9)], differ.DependsOn.Select(one => one[(one.LastIndexOf(' ') + 1)..]));
        Assert.StartsWith("to 192.168.1.3, ", differ.DependsOn[0], StringComparison.Ordinal);
        Assert.Equal("142 more ways: allow", differ.DependsOn[9]);
    }

    [Fact]
    public void Of_more_backends_than_are_asked_about_it_is_said_for_how_many_the_answer_holds()
    {
        var told = Ask(Policy([.. Enumerable.Range(0, PolicyAnswers.MostAsked + 3).Select(one => $"198.51.{one >> 8}.{one & 255}")]),
            "203.0.113.1");
        Assert.Equal(("allow", "this daemon translates the destination to one of 259 endpoints, of which the first is shown"),
            (told.Verdict, told.Why));
        Assert.Contains(
            "it may get any of 259 endpoints, of which the first 256 were asked about: what is said holds for these", told.Notes);
    }

    private const string DeniesThief = """

        ---
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: { name: closed, namespace: shop }
        spec: { selector: app == 'open', types: [Ingress], ingress: [{ action: Deny }] }
        """;

    /// <summary>Who looks for the mistake has to know both: the policy that denies, and the service that brings the packet to it.</summary>
    [Fact]
    public async Task A_backend_that_denies_an_SSH_session_is_told_with_the_service_that_leads_there()
    {
        objects += DeniesThief;
        var policy = Policy();
        var found = await PolicyLint.OfSshAsync(SshConnection.Parse("198.51.100.1 51234 172.20.0.1 22")!,
            question => Task.FromResult<PolicyExplanation?>(policy.Explain(question)));
        var (trap, of, reason) = Assert.Single(found);
        Assert.Equal((PolicyTrap.LocksOut, "closed"), (trap, of));
        Assert.Contains("NetworkPolicy shop/closed", reason, StringComparison.Ordinal);
        Assert.Contains("Service/shop/thief sends it to 192.168.1.4:2222", reason, StringComparison.Ordinal);
    }

    /// <summary>sshd writes link-local addresses with their link.</summary>
    [Fact]
    public void An_SSH_session_over_link_local_addresses_is_one() =>
        Assert.Equal("fe80::1 51234 fe80::2 22", SshConnection.Parse("fe80::1%eth0 51234 fe80::2%eth0 22")?.ToString());

    [Fact]
    public async Task A_service_that_takes_the_address_and_port_of_an_SSH_session_is_named()
    {
        var policy = Policy();
        var found = await PolicyLint.OfSshAsync(SshConnection.Parse("198.51.100.1 51234 172.20.0.1 22")!,
            question => Task.FromResult<PolicyExplanation?>(policy.Explain(question)));
        var (trap, of, reason) = Assert.Single(found);
        Assert.Equal((PolicyTrap.LocksOut, "Service/shop/thief"), (trap, of));
        Assert.Contains("it is sent to 192.168.1.4:2222: service shop/thief leads to one endpoint", reason, StringComparison.Ordinal);
        Assert.Empty(await PolicyLint.OfSshAsync(SshConnection.Parse("198.51.100.1 51234 172.20.0.1 2200")!,
            question => Task.FromResult<PolicyExplanation?>(policy.Explain(question))));
    }
}
