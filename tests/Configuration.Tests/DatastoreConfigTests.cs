using Calico.Bgp.Sources;

namespace Calico.Bgp.Configuration.Tests;

/// <summary>Calico's variables, by which calico-node finds its datastore, and bgpd.yaml beside them.</summary>
public class DatastoreConfigTests
{
    private static readonly EtcdEnvironment Etcd = new() { Endpoints = ["http://e:2379"] };

    private static ConfigResult Parse(CalicoEnvironment environment, string text = "log: {}") =>
        DaemonConfig.Parse(text, "/etc/bgpd/bgpd.yaml", HostFacts.None with { NodeName = "n1", Calico = environment });

    private static string Sources(CalicoEnvironment environment, string text = "log: {}")
    {
        var result = Parse(environment, text);
        Assert.Empty(result.Errors);
        return string.Join(' ', result.Config!.Sources.Select(source => source.GetType().Name));
    }

    [Theory]
    [InlineData(null, true, "")]
    [InlineData("kubernetes", false, "KubernetesSource")]
    [InlineData("etcdv3", false, "EtcdSource")]
    [InlineData("etcdv3", true, "EtcdSource KubernetesSource")]
    public void Without_sources_the_datastores_type_names_them(string? type, bool isInCluster, string expected) =>
        Assert.Equal(expected, Sources(new() { Datastore = type, IsInCluster = isInCluster, Etcd = Etcd }));

    [Theory]
    [InlineData("sources: [{ files: /r }]", "FileSource")]
    [InlineData("sources: []", "")]
    public void What_the_file_says_of_sources_counts_alone(string text, string expected) =>
        Assert.Equal(expected, Sources(new() { Datastore = "kubernetes" }, text));

    [Fact]
    public void Where_the_API_server_is_and_who_we_are_there_is_heard()
    {
        var environment = new CalicoEnvironment
        {
            Datastore = "kubernetes",
            KubeConfig = "/kubeconfig",
            ApiEndpoint = "https://10.0.0.1:6443",
            Api = new() { Token = new Secreted(null, "token"), Authorities = new Secreted("/ca.pem", null), SkipsVerification = true },
        };
        var settings = Assert.IsType<KubernetesSource>(Assert.Single(Parse(environment).Config!.Sources)).Settings;
        Assert.Equal(("/kubeconfig", "n1"), (settings.KubeConfig, settings.Node));
        Assert.Equal(environment.Api with { Server = new("https://10.0.0.1:6443") }, settings.Instead);
        Assert.DoesNotContain("token\"", settings.ToString(), StringComparison.Ordinal);
        var said = Assert.IsType<KubernetesSource>(
            Assert.Single(Parse(environment, "sources: [{ kubernetes: { kubeconfig: mine } }]").Config!.Sources)).Settings;
        Assert.Equal("/etc/bgpd/mine", said.KubeConfig);
    }

    [Theory]
    [InlineData("etcd", null, "DATASTORE_TYPE: expected kubernetes or etcdv3, got \"etcd\"")]
    [InlineData("kubernetes", "10.0.0.1", "K8S_API_ENDPOINT: expected a URL such as https://10.0.0.1:6443, got \"10.0.0.1\"")]
    public void What_cannot_be_is_an_error(string type, string? endpoint, string expected) =>
        Assert.Equal(expected, Assert.Single(Parse(new() { Datastore = type, ApiEndpoint = endpoint }).Errors).Text);
}
