using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>How one cluster is reached: its server, whom to believe, who we are. What stands in files is read each time that it is used, so
/// that certificates and tokens may be renewed under us.</summary>
internal sealed record ClusterAccess(Uri Server)
{
    private const string HostVariable = "KUBERNETES_SERVICE_HOST";

    /// <summary>Null: the machine's.</summary>
    public Secreted? Authorities { get; init; }
    public bool SkipsVerification { get; init; }
    /// <summary>The name that the server's certificate must be for; null: the one that it is asked by.</summary>
    public string? ServerName { get; init; }
    public Uri? Proxy { get; init; }
    public Secreted? Token { get; init; }
    public Secreted? Certificate { get; init; }
    public Secreted? Key { get; init; }
    public CredentialPlugin? Plugin { get; init; }

    /// <exception cref="IOException">It cannot be had; the message says what was expected where.</exception>
    public static ClusterAccess Read(KubernetesSettings settings)
    {
        var said = settings.Instead;
        var access = settings.KubeConfig is { } file ? KubeConfig.Read(file, settings.Context)
            : said.Server != null && Environment.GetEnvironmentVariable(HostVariable) is null or "" ? new(said.Server) : InCluster();
        return access with
        {
            Server = said.Server ?? access.Server,
            Authorities = said.Authorities ?? access.Authorities,
            SkipsVerification = said.SkipsVerification || access.SkipsVerification,
            Token = said.Token ?? access.Token,
            Certificate = said.Certificate ?? access.Certificate,
            Key = said.Key ?? access.Key,
        };
    }

    /// <summary>As client libraries find it: two variables, and the account's folder.</summary>
    private static ClusterAccess InCluster()
    {
        var (host, port) = (Variable(HostVariable), Variable("KUBERNETES_SERVICE_PORT"));
        if (host.Contains(':', StringComparison.Ordinal)) host = $"[{host}]";
        return new(new Uri($"https://{host}:{port}"))
        {
            Authorities = new(Account.Authorities, null),
            Token = new(Account.Token, null),
        };
    }

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value
        : throw new IOException($"expected ${name}, as it is set in a cluster's pods, got nothing; elsewhere a kubeconfig is needed");

    /// <returns>Null: there is none.</returns>
    /// <exception cref="IOException">Its file cannot be read, or is empty.</exception>
    public string? ReadToken() => Token == null ? null
        : Token.Text().Trim() is { Length: > 0 } token ? token
        : throw new IOException($"{Place(Token)}: expected a token, got an empty file");

    /// <exception cref="IOException">A file of it cannot be read, or holds no certificates.</exception>
    public X509Certificate2Collection ReadAuthorities()
    {
        var certificates = new X509Certificate2Collection();
        var text = Authorities!.Text();
        try { certificates.ImportFromPem(text); }
        catch (CryptographicException wrong)
        {
            throw new IOException($"{Place(Authorities)}: expected certificates: {wrong.Message}", wrong);
        }
        return certificates.Count > 0 ? certificates : throw new IOException($"{Place(Authorities)}: expected certificates, found none");
    }

    /// <summary>Null: there is none.</summary>
    /// <exception cref="IOException">A file of it cannot be read, or is not what it should be.</exception>
    public X509Certificate2? ReadCertificate() =>
        Certificate == null || Key == null ? null : Pair(Certificate.Text(), Key.Text(), Place(Certificate));

    private static string Place(Secreted of) => of.File ?? "kubeconfig";

    public static X509Certificate2 Pair(string certificate, string key, string place)
    {
        try { return X509Certificate2.CreateFromPem(certificate, key); }
        catch (CryptographicException wrong)
        {
            throw new IOException($"{place}: expected a certificate and its key: {wrong.Message}", wrong);
        }
    }
}

/// <summary>What is mounted into each pod for its account.</summary>
public static class Account
{
    private const string Folder = "/var/run/secrets/kubernetes.io/serviceaccount";

    internal const string Authorities = $"{Folder}/ca.crt", Token = $"{Folder}/token";

    /// <summary>The pod's; null: this is none.</summary>
    public static string? Namespace()
    {
        try { return File.ReadAllText($"{Folder}/namespace").Trim() is { Length: > 0 } name ? name : null; }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException) { return null; }
    }
}

/// <summary>
/// A kubeconfig: clusters, users, and contexts that join one of each (k8s.io/client-go/tools/clientcmd/api/v1). It is YAML or JSON; paths
/// in it start in its folder. What is not read: <c>auth-provider</c> (client-go has none any more) and <c>username</c> (no server
/// takes it).
/// </summary>
internal sealed class KubeConfig
{
    private const long Largest = 16 << 20;
    private static readonly YamlLimits Limits = new(Depth: 32, Size: 200_000);

    private readonly string file;
    private readonly DocumentNode root;

    private KubeConfig(string file, DocumentNode root) => (this.file, this.root) = (file, root);

    /// <exception cref="IOException">It cannot be read, or lacks something; the message says what was expected.</exception>
    public static ClusterAccess Read(string file, string? context)
    {
        string text;
        try { text = System.Text.Encoding.UTF8.GetString(RegularFile.Read(file, Largest)); }
        catch (IOException wrong) { throw new IOException($"{file}: {wrong.Message}", wrong); }
        var root = YamlTree.Read(text, 1, Limits, out var mistake);
        if (mistake != null) throw new IOException($"{file}:{mistake.Line}: {mistake.Text}");
        return new KubeConfig(file, root ?? throw new IOException($"{file}: expected a kubeconfig, got an empty file")).Access(context);
    }

    private ClusterAccess Access(string? wanted)
    {
        var name = wanted ?? Text(root, "current-context") ?? throw Missing("current-context, or the key context in bgpd.yaml");
        var context = Named("contexts", name, "context");
        var cluster = Named("clusters", Text(context, "cluster") ?? throw Missing($"cluster in context {name}"), "cluster");
        var user = Text(context, "user") is { } who ? Named("users", who, "user") : null;
        var server = Text(cluster, "server") ?? throw Missing($"server of context {name}'s cluster");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            throw new IOException($"{file}: expected an URL such as https://10.0.0.1:6443 for server, got \"{server}\"");
        return new(uri)
        {
            Authorities = Secret(cluster, "certificate-authority"),
            SkipsVerification = Text(cluster, "insecure-skip-tls-verify") == "true",
            ServerName = Text(cluster, "tls-server-name"),
            Proxy = Text(cluster, "proxy-url") is { } proxy ? new Uri(proxy) : null,
            Token = Token(user),
            Certificate = Secret(user, "client-certificate"),
            Key = Secret(user, "client-key"),
            Plugin = Child(user, "exec") is { } exec ? Plugin(exec) : null,
        };
    }

    private Secreted? Token(DocumentNode? user) =>
        Text(user, "tokenFile") is { } path ? new(Resolve(path), null) : Text(user, "token") is { } token ? new(null, token) : null;

    /// <summary><c>NAME</c> is a file, <c>NAME-data</c> is base64 and counts before it.</summary>
    private Secreted? Secret(DocumentNode? of, string name)
    {
        if (Text(of, $"{name}-data") is { } data)
        {
            try { return new(null, System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data))); }
            catch (FormatException) { throw new IOException($"{file}: expected base64 for {name}-data, got something else"); }
        }
        return Text(of, name) is { } path ? new(Resolve(path), null) : null;
    }

    private CredentialPlugin Plugin(DocumentNode exec)
    {
        var command = Text(exec, "command") ?? throw Missing("command under exec");
        return new(
            command.Contains('/', StringComparison.Ordinal) ? Resolve(command) : command,
            [.. Items(exec, "args").OfType<ScalarNode>().Select(word => word.Text)],
            [.. Items(exec, "env").Select(item => KeyValuePair.Create(Text(item, "name") ?? "", Text(item, "value") ?? ""))],
            Text(exec, "apiVersion") ?? throw Missing("apiVersion under exec"));
    }

    private string Resolve(string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, path);

    private DocumentNode Named(string list, string name, string one) =>
        Child(Items(root, list).FirstOrDefault(item => Text(item, "name") == name), one)
        ?? throw Missing($"{one} {name} under {list}");

    private IOException Missing(string what) => new($"{file}: expected {what}, found none");

    private static IEnumerable<DocumentNode> Items(DocumentNode? of, string key) =>
        Child(of, key) is SequenceNode sequence ? sequence.Items : [];

    private static string? Text(DocumentNode? of, string key) =>
        Child(of, key) is ScalarNode { IsNull: false, Text: { Length: > 0 } text } ? text : null;

    private static DocumentNode? Child(DocumentNode? of, string key) =>
        (of as MappingNode)?.Entries.FirstOrDefault(entry => entry.Key.Text == key).Value;
}
