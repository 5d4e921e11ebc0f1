using Calico.Bgp.Sources.Etcd;

namespace Calico.Bgp.Configuration.Tests;

public class EtcdConfigTests
{
    private static EtcdEnvironment Environment(params (string Name, string Value)[] variables) =>
        EtcdEnvironment.Read(name => variables.FirstOrDefault(one => one.Name == name).Value);

    private static ConfigResult Parse(string etcd, EtcdEnvironment? environment = null) => DaemonConfig.Parse(
        $"sources: [{{ etcd: {etcd} }}]\n", "/etc/bgpd/bgpd.yaml",
        HostFacts.None with { Calico = new() { Etcd = environment ?? EtcdEnvironment.None } });

    private static EtcdSettings Good(string etcd, EtcdEnvironment? environment = null)
    {
        var result = Parse(etcd, environment);
        Assert.Empty(result.Errors);
        return Assert.IsType<EtcdSource>(Assert.Single(result.Config!.Sources)).Settings;
    }

    [Fact]
    public void Where_etcd_is_and_who_we_are_there_is_read_with_paths_from_the_files_folder()
    {
        var settings = Good("""
            { endpoints: ["https://10.0.0.1:2379", "https://[fd00::1]:2379"], caFile: ca.pem, certFile: /c.pem, keyFile: /k.pem,
                usernameFile: u, passwordFile: p }
            """);
        Assert.Equal(
            new EtcdSettings(["https://10.0.0.1:2379", "https://[fd00::1]:2379"])
            {
                Authority = new("/etc/bgpd/ca.pem", null),
                Certificate = new("/c.pem", null),
                Key = new("/k.pem", null),
                Username = new("/etc/bgpd/u", null),
                Password = new("/etc/bgpd/p", null),
            },
            settings);
    }

    [Fact]
    public void What_is_not_said_Calicos_variables_say()
    {
        var environment = Environment(
            ("ETCD_ENDPOINTS", "http://10.0.0.1:2379, http://10.0.0.2:2379"), ("ETCD_CA_CERT_FILE", "/ca.pem"), ("ETCD_CA_CERT", "pem"),
            ("ETCD_CERT", "certificate"), ("ETCD_KEY", "key"), ("ETCD_USERNAME", "calico"), ("ETCD_PASSWORD", "secret"));
        var all = Good("{}", environment);
        Assert.Equal(
            new EtcdSettings(["http://10.0.0.1:2379", "http://10.0.0.2:2379"])
            {
                Authority = new("/ca.pem", "pem"),
                Certificate = new(null, "certificate"),
                Key = new(null, "key"),
                Username = new(null, "calico"),
                Password = new(null, "secret"),
            },
            all);
        var endpoint = Good("{ endpoints: [http://127.0.0.1:2379], caFile: /mine.pem }", environment);
        Assert.Equal(all with { Endpoints = ["http://127.0.0.1:2379"], Authority = new("/mine.pem", null) }, endpoint);
        Assert.Equal(
            ["https://e:2379"], Environment(("ETCD_SCHEME", "https"), ("ETCD_AUTHORITY", "e:2379")).Endpoints);
    }

    [Fact]
    public void A_password_of_the_environment_is_shown_nowhere() =>
        Assert.DoesNotContain("secret", Good("{}", Environment(
            ("ETCD_ENDPOINTS", "http://e:1"), ("ETCD_USERNAME", "calico"), ("ETCD_PASSWORD", "secret"))).ToString());

    [Theory]
    [InlineData("{}", "expected the key endpoints with at least one URL, or ETCD_ENDPOINTS, got none")]
    [InlineData("{ endpoints: [127.0.0.1] }", "expected a URL such as http://127.0.0.1:2379, got \"127.0.0.1\"")]
    [InlineData("{ endpoints: [http://e], certFile: /c }", "expected both or none of certFile and keyFile")]
    [InlineData("{ endpoints: [http://e], passwordFile: /p }", "expected both or none of usernameFile and passwordFile")]
    [InlineData("{ endpoints: [http://e], keyfile: /p }",
        "expected a key that sources[0].etcd knows, got \"keyfile\"; did you mean \"keyFile\"?")]
    public void What_cannot_work_is_an_error(string etcd, string expected) =>
        Assert.Equal(expected, Assert.Single(Parse(etcd).Errors).Text);

    [Fact]
    public void A_discovery_domain_is_not_followed_and_that_is_said() => Assert.Equal(
        "expected the key endpoints or ETCD_ENDPOINTS, got ETCD_DISCOVERY_SRV=example.com: names are not asked for etcd",
        Assert.Single(Parse("{}", Environment(("ETCD_DISCOVERY_SRV", "example.com"))).Errors).Text);
}
