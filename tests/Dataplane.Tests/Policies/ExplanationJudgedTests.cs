using Calico.Bgp.Conformance.Policy;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>
/// Explanations beside the judge of conformance/policy, which has a reading of its own of the objects and knows no rules: of worlds by
/// chance, and of edits of them, both say the same of the same packets. Whether the packets do, too, conformance/policy asks.
/// </summary>
public sealed class ExplanationJudgedTests : IDisposable
{
    private const int Worlds = 40, Edits = 4, Asked = 60;

    private static readonly PodPlace[] Pods =
    [
        new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "d"), new("red", "e", 2), new("blue", "f", 2),
    ];

    private readonly Town town = new(Pods);
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("judged");

    public ExplanationJudgedTests() => town.Services.AddRange(
    [
        new("near", "10.96.0.10", "fd96::10", 80, town["red/a"], 80), new("far", "10.96.0.11", "fd96::11", 80, town["blue/f"], 81),
        new("host", "10.96.0.12", "fd96::12", 80, town["node1"], 443),
        new("local", "10.96.0.13", "fd96::13", 80, town["blue/c"], 80) { IsLocal = true },
    ]);

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>The first node, as the town has it.</summary>
    private sealed class Node1(Town town) : IPolicyHost
    {
        public bool? IsLocal(Address address) => Place.Links.Values.Any(own => own.Contains(address.ToString()));

        public bool? IsLocalOn(Address address, string link) => Place.Links.GetValueOrDefault(link, []).Contains(address.ToString());

        public bool? ComesBackBy(Address source, uint mark, string link) => LinkTo(source) == link;

        public IReadOnlyCollection<string>? Links => null;

        public string? LinkTo(Address address) => town.At(System.Net.IPAddress.Parse(address.ToString())).Link;

        public Address? Masqueraded(string link, Address towards) => null;
    }

    /// <summary>What the town's services are to those that follow objects, as kube-proxy does.</summary>
    private string Services => string.Concat(town.Services.Select(service => $$"""
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: {{service.Name}}, namespace: red }
        spec:
          clusterIP: {{service.IPv4}}
          clusterIPs: [{{service.IPv4}}, "{{service.IPv6}}"]
          ports: [{ name: t, protocol: TCP, port: {{service.Port}} }, { name: u, protocol: UDP, port: {{service.Port}} }]

        """ + Slice(service, false) + Slice(service, true)));

    private static string Slice(Conformance.Policy.Service service, bool isIPv6) => $$"""
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: {{service.Name}}-{{(isIPv6 ? 6 : 4)}}, namespace: red, labels: { kubernetes.io/service-name: {{service.Name}} } }
        addressType: {{(isIPv6 ? "IPv6" : "IPv4")}}
        ports: [{ name: t, protocol: TCP, port: {{service.TargetPort}} }, { name: u, protocol: UDP, port: {{service.TargetPort}} }]
        endpoints: [{ addresses: ["{{service.Behind.Address(isIPv6)}}"], conditions: { ready: true } }]

        """;

    private ResourceSnapshot Read(string objects)
    {
        File.WriteAllText(Path.Combine(folder.FullName, "all.yaml"), objects + Services);
        var snapshot = YamlFiles.Load(folder.FullName);
        Assert.Equal([], snapshot.Problems.Where(problem => problem.Severity == ProblemSeverity.Error).Select(one => one.ToString()));
        return snapshot;
    }

    private static PolicyQuestion Question(Probe probe)
    {
        var hasPorts = probe.Protocol is not (Protocols.Icmp or Protocols.IcmpV6);
        return new(probe.Source.ToString(), probe.To.ToString(), (IpProtocol)probe.Protocol, hasPorts ? (ushort)probe.Port : null, null)
        {
            SourcePort = hasPorts ? (ushort)probe.SourcePorts.First : null,
            FromInterface = probe.From.Link,
        };
    }

    [Fact]
    public void What_is_explained_is_what_the_judge_says()
    {
        var (verdicts, wrong, settings) = (new Dictionary<string, int>(), new List<string>(), new DataplaneSettings("node1",
            Policy: new() { Enabled = true }));
        for (var seed = 1; seed <= Worlds; seed++)
        {
            var world = new RandomWorld(seed, town);
            for (var edit = 0; edit <= Edits; edit++)
            {
                if (edit > 0) world.Edit();
                var policy = new OfflinePolicy(settings, Read(world.Objects).Begin());
                var judge = new Judge(new(world.Objects), "node1", Place.Links);
                foreach (var probe in world.Probes(Asked))
                {
                    var expected = judge.Ask(town.PacketOf(probe)!);
                    var told = policy.Explain(Question(probe), new Node1(town));
                    verdicts[told.Verdict] = verdicts.GetValueOrDefault(told.Verdict) + 1;
                    if (told.Verdict == (expected.Passes ? "allow" : "deny")) continue;
                    wrong.Add($"world {seed}.{edit}: {probe}: the judge: {expected}\n  explained: {told.Verdict} "
                        + string.Join("; ", told.Programs.Select(one => $"{one.Program} of {one.Endpoint}: {one.Verdict} {one.Reason}"))
                        + $" {told.Problem} {string.Join("; ", told.DependsOn)}");
                }
            }
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {verdicts.Values.Sum()}:\n{string.Join("\n", wrong.Take(5))}");
        Assert.True(verdicts["allow"] > 3000 && verdicts["deny"] > 2000, string.Join(", ", verdicts));
    }
}
