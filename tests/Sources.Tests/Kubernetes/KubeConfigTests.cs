using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class KubeConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kubeconfig").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ClusterAccess Read(string text, string? context = null)
    {
        var file = Path.Combine(folder, "config");
        File.WriteAllText(file, text);
        return ClusterAccess.Read(new() { KubeConfig = file, Context = context });
    }

    private const string Whole = """
        apiVersion: v1
        kind: Config
        current-context: a
        clusters:
        - name: one
          cluster: { server: "https://10.0.0.1:6443", certificate-authority: pki/ca.crt, tls-server-name: kubernetes }
        - name: two
          cluster: { server: "https://10.0.0.2:6443", insecure-skip-tls-verify: true, proxy-url: "http://10.0.0.9:3128" }
        users:
        - name: by-token
          user: { token: sesame }
        - name: by-file
          user: { tokenFile: token, token: old }
        - name: by-certificate
          user: { client-certificate-data: Y2VydA==, client-key: /etc/key }
        - name: by-program
          user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./who, args: [am, i], env: [{ name: A, value: b }] } }
        contexts:
        - { name: a, context: { cluster: one, user: by-token } }
        - { name: b, context: { cluster: two, user: by-file } }
        - { name: c, context: { cluster: one, user: by-certificate } }
        - { name: d, context: { cluster: one, user: by-program } }
        """;

    [Fact]
    public void The_current_context_says_where_and_as_whom()
    {
        var access = Read(Whole);
        Assert.Equal("https://10.0.0.1:6443/", access.Server.ToString());
        var authorities = Path.Combine(folder, "pki/ca.crt");
        Assert.Equal((authorities, "kubernetes", "sesame"), (access.Authorities!.File, access.ServerName, access.Token!.Text()));
        Assert.False(access.SkipsVerification);
    }

    [Fact]
    public void What_Calicos_variables_say_counts_before_it()
    {
        var file = Path.Combine(folder, "config");
        File.WriteAllText(file, Whole);
        var access = ClusterAccess.Read(new()
        {
            KubeConfig = file,
            Instead = new() { Server = new("https://10.0.0.7:443"), Token = new(null, "other"), SkipsVerification = true },
        });
        Assert.Equal(("https://10.0.0.7/", "other", true), (access.Server.ToString(), access.Token!.Text(), access.SkipsVerification));
        Assert.Equal((Path.Combine(folder, "pki/ca.crt"), "kubernetes"), (access.Authorities!.File, access.ServerName));
    }

    [Fact]
    public void Without_a_kubeconfig_they_suffice_outside_a_cluster() => Assert.Equal(
        "http://10.0.0.7:8080/", ClusterAccess.Read(new() { Instead = new() { Server = new("http://10.0.0.7:8080") } }).Server.ToString());

    [Fact]
    public void Another_context_may_be_named_and_a_tokens_file_counts_before_a_token()
    {
        File.WriteAllText(Path.Combine(folder, "token"), "first");
        var access = Read(Whole, "b");
        Assert.Equal((true, "http://10.0.0.9:3128/", "first"), (access.SkipsVerification, access.Proxy!.ToString(), access.Token!.Text()));
        File.WriteAllText(Path.Combine(folder, "token"), "second");
        Assert.Equal("second", access.Token!.Text());
    }

    [Fact]
    public void Certificates_stand_in_files_or_in_base64()
    {
        var access = Read(Whole, "c");
        Assert.Equal(("cert", "/etc/key", null), (access.Certificate!.Text(), access.Key!.File, access.Token));
        Assert.DoesNotContain("cert", access.Certificate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plugins_command_is_found_beside_the_file()
    {
        var plugin = Read(Whole, "d").Plugin!;
        Assert.Equal(Path.Combine(folder, "./who"), plugin.Command);
        Assert.Equal(("am i", "A=b"), (string.Join(' ', plugin.Arguments), $"{plugin.Environment[0].Key}={plugin.Environment[0].Value}"));
    }

    [Theory]
    [InlineData("", "expected a kubeconfig, got an empty file")]
    [InlineData("a: [", "this is not YAML")]
    [InlineData("clusters: []", "expected current-context, or the key context in bgpd.yaml, found none")]
    [InlineData("current-context: x", "expected context x under contexts, found none")]
    [InlineData("{ current-context: x, contexts: [{ name: x, context: { cluster: y } }] }",
        "expected cluster y under clusters, found none")]
    [InlineData("{ current-context: x, contexts: [{ name: x, context: { cluster: y } }], "
        + "clusters: [{ name: y, cluster: { server: nowhere } }] }",
        "expected an URL such as https://10.0.0.1:6443 for server, got \"nowhere\"")]
    public void What_is_missing_is_named(string text, string words) =>
        Assert.Contains(words, Assert.Throws<IOException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_plugin_gives_a_token_until_it_expires()
    {
        var program = Path.Combine(folder, "who");
        File.WriteAllText(program, """
            #!/bin/sh
            echo "$KUBERNETES_EXEC_INFO" | grep -q '"kind":"ExecCredential"' || exit 3
            echo '{ "kind": "ExecCredential", "status": { "token": "'$A'", "expirationTimestamp": "2030-01-02T03:04:05Z" } }'
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var credential = await Read(Whole, "d").Plugin!.AskAsync(default);
        Assert.Equal(("b", new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero)), (credential.Token, credential.Expires));
    }

    [Theory]
    [InlineData("exit 4", "expected code 0, got 4")]
    [InlineData("echo '{}'", "expected an ExecCredential")]
    [InlineData("echo no", "expected an ExecCredential")]
    public async Task A_plugin_that_fails_is_named(string script, string words)
    {
        var plugin = new CredentialPlugin("/bin/sh", ["-c", script], [], "client.authentication.k8s.io/v1");
        var failure = await Assert.ThrowsAsync<IOException>(() => plugin.AskAsync(default));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Contains("/bin/sh", failure.Message, StringComparison.Ordinal);
    }
}
