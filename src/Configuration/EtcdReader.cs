using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources;
using Calico.Bgp.Sources.Etcd;

namespace Calico.Bgp.Configuration;

/// <summary><c>etcd: { endpoints, caFile, certFile, keyFile, usernameFile, passwordFile }</c>; what is not said there, Calico's variables
/// say.</summary>
internal sealed class EtcdReader(EtcdEnvironment environment, Folder folder)
{
    private const int LongestPath = 4096;

    /// <param name="etcd">Null: nothing is said of it.</param>
    public EtcdSettings Read(Section? etcd, Problems problems, DocumentNode at)
    {
        var settings = new EtcdSettings([.. Endpoints(etcd, problems, at)])
        {
            Authority = File(etcd, "caFile") ?? environment.Authority,
            Certificate = File(etcd, "certFile") ?? environment.Certificate,
            Key = File(etcd, "keyFile") ?? environment.Key,
            Username = File(etcd, "usernameFile") ?? environment.Username,
            Password = File(etcd, "passwordFile") ?? environment.Password,
        };
        if (settings.Certificate == null != (settings.Key == null)) problems.Error(at, "expected both or none of certFile and keyFile");
        if (settings.Username == null != (settings.Password == null))
            problems.Error(at, "expected both or none of usernameFile and passwordFile");
        etcd?.Close();
        return settings;
    }

    private Secreted? File(Section? etcd, string key) =>
        etcd?.Text(key, LongestPath) is { } path ? new(folder.Resolve(path), null) : null;

    private IEnumerable<string> Endpoints(Section? etcd, Problems problems, DocumentNode at)
    {
        var endpoints = etcd?.List("endpoints") ?? [];
        foreach (var endpoint in endpoints)
        {
            if (endpoint is ScalarNode url && IsUrl(url.Text)) yield return url.Text;
            else problems.Error(endpoint, $"expected a URL such as http://127.0.0.1:2379, got {endpoint.Kind}");
        }
        if (endpoints.Count > 0) yield break;
        foreach (var url in environment.Endpoints)
        {
            if (IsUrl(url)) yield return url;
            else problems.Error(at, $"ETCD_ENDPOINTS: expected URLs such as http://127.0.0.1:2379, separated by commas, got \"{url}\"");
        }
        if (environment.Endpoints.Count > 0) yield break;
        problems.Error(at, environment.DiscoveryDomain is { } domain
            ? $"expected the key endpoints or ETCD_ENDPOINTS, got ETCD_DISCOVERY_SRV={domain}: names are not asked for etcd"
            : "expected the key endpoints with at least one URL, or ETCD_ENDPOINTS, got none");
    }

    private static bool IsUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}

/// <summary>The variables by which Calico's programs find etcd.</summary>
public sealed record EtcdEnvironment
{
    public static readonly EtcdEnvironment None = new();

    /// <summary>ETCD_ENDPOINTS, and the older ETCD_SCHEME and ETCD_AUTHORITY.</summary>
    public ListOf<string> Endpoints { get; init; }
    /// <summary>ETCD_DISCOVERY_SRV, which is not followed.</summary>
    public string? DiscoveryDomain { get; init; }
    /// <summary>ETCD_CA_CERT_FILE, or ETCD_CA_CERT itself; so are the others.</summary>
    public Secreted? Authority { get; init; }
    public Secreted? Certificate { get; init; }
    public Secreted? Key { get; init; }
    public Secreted? Username { get; init; }
    public Secreted? Password { get; init; }

    /// <param name="of">A variable's value; null where it is not set, or empty.</param>
    public static EtcdEnvironment Read(Func<string, string?> of) => new()
    {
        Endpoints =
        [
            .. of("ETCD_ENDPOINTS")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                ?? (of("ETCD_AUTHORITY") is { } host ? [$"{of("ETCD_SCHEME") ?? "http"}://{host}"] : []),
        ],
        DiscoveryDomain = of("ETCD_DISCOVERY_SRV"),
        Authority = FileOrText(of, "ETCD_CA_CERT"),
        Certificate = FileOrText(of, "ETCD_CERT"),
        Key = FileOrText(of, "ETCD_KEY"),
        Username = of("ETCD_USERNAME") is { } username ? new(null, username) : null,
        Password = of("ETCD_PASSWORD") is { } password ? new(null, password) : null,
    };

    private static Secreted? FileOrText(Func<string, string?> of, string name) =>
        (of($"{name}_FILE"), of(name)) is not (null, null) and var (file, text) ? new(file, text) : null;
}
