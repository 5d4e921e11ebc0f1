// One folder of the golden data: what the cluster holds, how the node under test was started, and what Calico's confd made of it.
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

internal sealed record GoldenCase(string Name)
{
    /// <summary>A test that uses them says that it <see cref="Needs.Shared"/> them.</summary>
    public const string Data = "data/calico-golden";

    private static string Results => Path.Combine(SharedData.Get(Data), "compiled_templates");

    /// <summary>A row for each. xunit asks for the rows also where they are to be skipped, and a test without any would fail.</summary>
    public static TheoryData<string> Names => Needs.Missing(Needs.Shared + Data) != null ? ["none"] : [.. All.Select(one => one.Name)];

    public static IEnumerable<GoldenCase> All =>
        Directory.EnumerateFiles(Results, "bird.cfg", SearchOption.AllDirectories).Select(file =>
            new GoldenCase(Path.GetRelativePath(Results, Path.GetDirectoryName(file)!)))
            .OrderBy(one => one.Name, StringComparer.Ordinal);

    public string Node => Name.Split('/')[0] is "sourceaddr_gracefulrestart" or "password" or "idle_peers" or "node_deletion" ? "node1"
        : Name.StartsWith("password-deadlock", StringComparison.Ordinal) ? "dl-node1" : "kube-master";

    public IReadOnlyDictionary<string, string> Environment => Name switch
    {
        "mesh/hash" => new Dictionary<string, string> { ["CALICO_ROUTER_ID"] = "hash" },
        "mesh/static-routes-no-ipv4-address" => new Dictionary<string, string> { ["CALICO_ROUTER_ID"] = "10.10.10.10" },
        _ => new Dictionary<string, string>(),
    };

    public IReadOnlyDictionary<string, string> EndpointStatuses =>
        Name.EndsWith("/local_bgp_peer", StringComparison.Ordinal) ? WorkloadPeers.EndpointStatuses : new Dictionary<string, string>();

    /// <summary>All that is said about the case, by the resources and by the result.</summary>
    public IEnumerable<string> Words => Cluster().Objects.Select(one => one.Text)
        .Concat(Directory.EnumerateFiles(Path.Combine(Results, Name), "*.cfg").Order(StringComparer.Ordinal).Select(File.ReadAllText));

    public BirdConfig IPv4 => BirdConfig.Load(Path.Combine(Results, Name, "bird.cfg"));
    public BirdConfig IPv6 => BirdConfig.Load(Path.Combine(Results, Name, "bird6.cfg"));

    /// <summary>The inputs from the outermost folder to the case's own, and then what the test's code did.</summary>
    public Cluster Cluster()
    {
        var inputs = Inputs().ToArray();
        var step = Steps.Of(Name);
        if (!inputs.Any(file => Path.GetDirectoryName(file) == Folder(Name)) && step == null)
            throw new InvalidDataException($"{Name}: it has no input of its own, and Steps does not say how it was made");
        var cluster = new Cluster().Apply(inputs.SelectMany(Manifest.Load)).Apply(Affinities.For(Name));
        return step?.Invoke(cluster) ?? cluster;
    }

    private IEnumerable<string> Inputs()
    {
        var parts = Name.Split('/');
        return from depth in Enumerable.Range(1, parts.Length)
               from file in new[] { "input.yaml", "kubectl-input.yaml" }
               let path = Path.Combine(Folder(string.Join('/', parts[..depth])), file)
               where File.Exists(path)
               select path;
    }

    private static string Folder(string name) => Path.Combine(SharedData.Get(Data), "mock_data", "calicoctl", name);
}
