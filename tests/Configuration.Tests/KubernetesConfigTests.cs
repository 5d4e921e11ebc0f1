using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Configuration.Tests;

public sealed class KubernetesConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kubernetes").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static DaemonConfig Good(string kubernetes, CalicoEnvironment? environment = null)
    {
        var result = DaemonConfig.Parse(
            $"{{ node: n1, sources: [{{ kubernetes: {kubernetes} }}] }}\n", "/etc/bgpd/bgpd.yaml",
            HostFacts.None with { Calico = environment ?? CalicoEnvironment.None });
        Assert.Empty(result.Errors);
        return result.Config!;
    }

    private static KubernetesSettings Settings(DaemonConfig config) =>
        Assert.IsType<KubernetesSource>(Assert.Single(config.Sources)).Settings;

    [Fact]
    public void A_kubeconfig_lies_beside_the_file_and_all_keys_are_heard()
    {
        var settings = Settings(Good("{ kubeconfig: admin.conf, context: c, namespace: net, cachedLists: true }"));
        Assert.Equal(("/etc/bgpd/admin.conf", "c", "net", true, "n1"),
            (settings.KubeConfig, settings.Context, settings.Namespace, settings.CachedLists, settings.Node));
    }

    [Theory]
    [InlineData("{}", null, null, "kube-system")]
    [InlineData("{}", null, "calico-system", "calico-system")]
    [InlineData("{}", "said", "calico-system", "said")]
    [InlineData("{ kubeconfig: x }", null, "calico-system", "kube-system")]
    [InlineData("{ kubeconfig: x }", "said", null, "said")]
    [InlineData("{ namespace: key }", "said", "calico-system", "key")]
    public void Secrets_are_in_one_namespace_for_who_reads_and_for_who_looks_for_them(
        string kubernetes, string? said, string? pod, string expected)
    {
        var config = Good(kubernetes, new() { Namespace = said, PodNamespace = pod });
        Assert.Equal((expected, expected), (Settings(config).Namespace, config.Plan.SecretNamespace));
    }

    [Fact]
    public async Task Who_only_looks_does_not_wait_for_a_server_that_is_not_there()
    {
        var file = Path.Combine(folder, "bgpd.yaml");
        await File.WriteAllTextAsync(file, "{ node: n1, sources: [{ kubernetes: { kubeconfig: none } }] }");
        var config = DaemonConfig.Load(file, HostFacts.None).Config!;
        var lost = await Assert.ThrowsAsync<IOException>(() => ResourceSources.ReadOnceAsync(config, TimeProvider.System, default));
        Assert.Equal($"sources: kubernetes {folder}/none cannot be read: {folder}/none: it is not there", lost.Message);
    }
}
