namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>A folder with a bgpd.yaml and the manifests that it names, and bgpctl on them: there is no daemon.</summary>
internal sealed class OfflineLab : IDisposable
{
    /// <summary>A node, and a pod of it.</summary>
    public const string Shop = """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: a }
        spec: { bgp: { ipv4Address: 10.0.0.1/24 } }
        ---
        apiVersion: v1
        kind: Namespace
        metadata: { name: shop }
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: web, namespace: shop, labels: { role: web } }
        spec: { nodeName: a, containers: [] }
        status: { podIPs: [{ ip: 192.168.1.2 }] }
        ---

        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bgpctl-offline");

    public StringWriter Output { get; } = new() { NewLine = "\n" };
    public StringWriter Errors { get; } = new() { NewLine = "\n" };

    public string In(string name) => Path.Combine(folder.FullName, name);

    /// <summary>bgpd.yaml and its resources, or others beside them.</summary>
    /// <param name="resources"></param>
    /// <param name="more">Keys of bgpd.yaml.</param>
    /// <param name="name">Of the others.</param>
    /// <returns>The configuration's path.</returns>
    public string Write(string resources, string more = "", string name = "")
    {
        Directory.CreateDirectory(In($"r{name}"));
        File.WriteAllText(In($"r{name}/all.yaml"), resources);
        File.WriteAllText(In($"bgpd{name}.yaml"), $"node: a\nsources: [{{ files: ./r{name} }}]\n{more}");
        return In($"bgpd{name}.yaml");
    }

    /// <summary>With <c>--config</c> behind the words.</summary>
    public Task<int> RunAsync(params string[] words) =>
        Commands.RunAsync([.. words, "--config", In("bgpd.yaml")], new Screen(Output, Errors, null), TimeProvider.System);

    public void Dispose() => folder.Delete(recursive: true);
}
