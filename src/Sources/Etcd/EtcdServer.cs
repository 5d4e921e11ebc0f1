using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Etcdserverpb;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Mvccpb;

namespace Calico.Bgp.Sources.Etcd;

/// <summary>
/// One endpoint of etcd, spoken to in the messages of the package dotnet-etcd over a channel of our own: the package's own client chooses
/// endpoints, tries again and renews watches by itself, and then nobody knows which revision an answer is of.
/// </summary>
internal sealed class EtcdServer : IDisposable
{
    private const int Page = 250;
    /// <summary>Of a page: etcd takes values of 1.5 MiB at most (--max-request-bytes).</summary>
    private const int LargestAnswer = 512 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly EtcdSettings settings;
    private readonly TimeProvider time;
    private readonly GrpcChannel channel;
    private Metadata? token;

    /// <exception cref="IOException">A file of the settings cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A certificate or key is none.</exception>
    public EtcdServer(EtcdSettings settings, string endpoint, TimeProvider time)
    {
        (this.settings, this.time) = (settings, time);
        var http = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(3),
            EnableMultipleHttp2Connections = true,
            // Not more often: etcd closes a connection that pings every 5 s (--grpc-keepalive-min-time).
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        if (endpoint.StartsWith("https:", StringComparison.Ordinal)) http.SslOptions = Tls();
        channel = GrpcChannel.ForAddress(endpoint, new()
        {
            HttpHandler = http,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = LargestAnswer,
            ThrowOperationCanceledOnCancellation = true,
        });
    }

    private SslClientAuthenticationOptions Tls()
    {
        var tls = new SslClientAuthenticationOptions();
        if (settings.Authority is { } authority)
        {
            tls.CertificateChainPolicy = new()
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authority.Text());
        }
        if (settings is { Certificate: { } certificate, Key: { } key })
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate.Text());
            tls.ClientCertificateContext =
                SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(certificate.Text(), key.Text()), chain, offline: true);
        }
        return tls;
    }

    /// <summary>For those who have a name. An etcd that asks for none takes everybody.</summary>
    public async Task LogInAsync(CancellationToken stop)
    {
        if (settings is not { Username: { } username, Password: { } password }) return;
        var request = new AuthenticateRequest { Name = Line(username), Password = Line(password) };
        try
        {
            var answer = await new Auth.AuthClient(channel).AuthenticateAsync(request, deadline: Deadline, cancellationToken: stop)
                .ConfigureAwait(false);
            token = new() { { "token", answer.Token } };
        }
        catch (RpcException refused) when (AsksForNoName(refused))
        {
            token = null;
        }
    }

    private static bool AsksForNoName(RpcException refused) =>
        refused.StatusCode == StatusCode.FailedPrecondition && refused.Status.Detail.Contains("not enabled", StringComparison.Ordinal);

    private static string Line(Secreted text) => text.Text().TrimEnd('\r', '\n');

    private DateTime Deadline => time.GetUtcNow().UtcDateTime + Patience;

    /// <summary>All pairs whose keys begin so, in pages.</summary>
    /// <param name="revision">0: the newest, which is then asked for by its number.</param>
    /// <returns>Of which cluster and revision they are.</returns>
    /// <exception cref="EtcdCompactedException">That revision is not kept any more.</exception>
    public async Task<(ulong Cluster, long Revision)> ListAsync(string prefix, long revision, List<KeyValue> into, CancellationToken stop)
    {
        var kv = new KV.KVClient(channel);
        var (from, end) = (ByteString.CopyFromUtf8(prefix), End(prefix));
        while (true)
        {
            var request = new RangeRequest { Key = from, RangeEnd = end, Limit = Page, Revision = revision };
            RangeResponse page;
            try
            {
                page = await kv.RangeAsync(request, token, Deadline, stop).ConfigureAwait(false);
            }
            catch (RpcException gone) when (gone.StatusCode == StatusCode.OutOfRange)
            {
                throw new EtcdCompactedException(gone.Status.Detail);
            }
            if (revision == 0) revision = page.Header.Revision;
            into.AddRange(page.Kvs);
            if (!page.More) return (page.Header.ClusterId, revision);
            // The next key there can be.
            from = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }
    }

    /// <summary>At this revision this key was changed, and that is still known here.</summary>
    public async Task<bool> RemembersAsync(string key, long revision, CancellationToken stop)
    {
        var request = new RangeRequest { Key = ByteString.CopyFromUtf8(key), Revision = revision, KeysOnly = true };
        try
        {
            var answer = await new KV.KVClient(channel).RangeAsync(request, token, Deadline, stop).ConfigureAwait(false);
            return answer.Kvs is [{ ModRevision: var at }] && at == revision;
        }
        // Compacted, or a revision that has not come yet.
        catch (RpcException not) when (not.StatusCode == StatusCode.OutOfRange) { return false; }
    }

    /// <summary>A stream for watches, which a member without a leader ends: it would hear of nothing.</summary>
    public AsyncDuplexStreamingCall<WatchRequest, WatchResponse> Watch(CancellationToken stop)
    {
        var headers = new Metadata { { "hasleader", "true" } };
        foreach (var one in token ?? []) headers.Add(one);
        return new Watch.WatchClient(channel).Watch(headers, cancellationToken: stop);
    }

    public static WatchRequest WatchFrom(string prefix, long revision) => new()
    {
        CreateRequest = new() { Key = ByteString.CopyFromUtf8(prefix), RangeEnd = End(prefix), StartRevision = revision, Fragment = true },
    };

    /// <summary>Behind all keys that begin so: none of ours ends with the highest octet.</summary>
    private static ByteString End(string prefix)
    {
        var end = System.Text.Encoding.UTF8.GetBytes(prefix);
        end[^1]++;
        return ByteString.CopyFrom(end);
    }

    public void Dispose() => channel.Dispose();
}
