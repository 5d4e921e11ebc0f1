using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// The API server as one who reads, and writes a status now and then: questions go out under our name, all over one connection where the
/// server speaks HTTP/2. While it is away one of those who ask knocks, and the others wait for him: whoever asks gets his answer when there
/// is one.
///
/// Not KubernetesClient.Aot, though it compiles natively: for a kubeconfig and a GET alone it made the smallest program 13 MB larger (6.9
/// to 20.0) and its resident memory 16 MB (9.8 to 25.9), it keeps a token for a minute that was refused, and it decodes lists whole.
/// </summary>
internal sealed class ApiServer : IDisposable
{
    /// <summary>Until the head of an answer; a list that is made from etcd takes its time.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KnockTime = TimeSpan.FromSeconds(5);
    /// <summary>A peer that is gone without a word is noticed after twice this.</summary>
    private static readonly TimeSpan Ping = TimeSpan.FromSeconds(10);

    private readonly Func<ClusterAccess> read;
    private readonly TimeProvider time;
    private readonly Action tell;
    private readonly HttpClient client;
    private readonly SemaphoreSlim knocker = new(1);
    private readonly SemaphoreSlim asking = new(1);
    private ClusterAccess? access;
    private PluginCredential? credential;
    private volatile string? away;
    /// <summary>Why its certificate was not believed; null: it was.</summary>
    private volatile string? doubt;

    /// <param name="read">How it is reached, as of now.</param>
    /// <param name="tell"><see cref="Away"/> is another one now; it must not wait.</param>
    public ApiServer(Func<ClusterAccess> read, TimeProvider time, Action tell)
    {
        (this.read, this.time, this.tell) = (read, time, tell);
        client = new(Handler(), disposeHandler: true)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("bgpd");
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    /// <summary>Why it is away, as that was found out last; null: it is not.</summary>
    public string? Away => away;

    /// <summary>It names what there is as a watch's first events.</summary>
    public bool Streams { get; set; }

    private SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = true,
        Proxy = new AccessProxy(this),
        ConnectTimeout = KnockTime,
        KeepAlivePingDelay = Ping,
        KeepAlivePingTimeout = Ping,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        // A watch is silent for minutes, and over HTTP/1.1 nothing but the system notices that nobody is there.
        ConnectCallback = ConnectAsync,
        SslOptions = new()
        {
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors),
            LocalCertificateSelectionCallback = (_, _, _, _, _) => (credential?.Certificate ?? access?.ReadCertificate())!,
        },
    };

    /// <summary>The answer's head; its body is still to be read. Waits while the server is away.</summary>
    /// <exception cref="ApiRefusal">It says no.</exception>
    /// <exception cref="ApiLost">The connection broke.</exception>
    public Task<HttpResponseMessage> GetAsync(string path, CancellationToken stop) => AskAsync(path, null, stop);

    /// <summary>A merge patch (RFC 7386). Waits while the server is away.</summary>
    /// <exception cref="ApiRefusal">It says no.</exception>
    /// <exception cref="ApiLost">The connection broke: nobody knows whether it was heard.</exception>
    public async Task PatchAsync(string path, byte[] patch, CancellationToken stop)
    {
        using var answer = await AskAsync(path, patch, stop).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> AskAsync(string path, byte[]? patch, CancellationToken stop)
    {
        await BackAsync(stop).ConfigureAwait(false);
        try
        {
            var answer = await SendAsync(path, patch, AnswerTime, stop).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? answer : throw await StatusObject.RefusalAsync(answer, time, stop).ConfigureAwait(false);
        }
        catch (ApiLost lost)
        {
            NoteAway(lost.Message);
            throw;
        }
    }

    /// <summary>Ends when the server answers, whatever it says.</summary>
    private async Task BackAsync(CancellationToken stop)
    {
        for (var pause = Pause.Short(); away != null || access == null;)
        {
            await knocker.WaitAsync(stop).ConfigureAwait(false);
            try
            {
                if (access != null && away == null) return;
                if (away != null) await Task.Delay(pause.Next(), time, stop).ConfigureAwait(false);
                await KnockAsync(stop).ConfigureAwait(false);
            }
            catch (ApiLost lost) { NoteAway(lost.Message); }
            finally { knocker.Release(); }
        }
    }

    private async Task KnockAsync(CancellationToken stop)
    {
        Read();
        using var answer = await SendAsync("/version", null, KnockTime, stop).ConfigureAwait(false);
        using var end = new CancellationTokenSource(KnockTime, time);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(end.Token, stop);
        Streams = answer.IsSuccessStatusCode && await ServerVersion.StreamsListsAsync(answer, enough.Token).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref away, null) != null) tell();
    }

    private void NoteAway(string reason)
    {
        if (Interlocked.Exchange(ref away, reason) != reason) tell();
    }

    /// <summary>How it is reached may have been written anew.</summary>
    private void Read()
    {
        try { access = read(); }
        catch (IOException wrong) { throw new ApiLost(wrong.Message, wrong); }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, byte[]? patch, TimeSpan patience, CancellationToken stop)
    {
        var answer = await SendOnceAsync(path, patch, patience, refused: false, stop).ConfigureAwait(false);
        if (answer.StatusCode != HttpStatusCode.Unauthorized) return answer;
        // Tokens are renewed in their files before they expire, and kubeconfigs are written anew: at once with what stands there now.
        answer.Dispose();
        Read();
        return await SendOnceAsync(path, patch, patience, refused: true, stop).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendOnceAsync(
        string path, byte[]? patch, TimeSpan patience, bool refused, CancellationToken stop)
    {
        using var end = new CancellationTokenSource(patience, time);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(end.Token, stop);
        try
        {
            using var question = new HttpRequestMessage(patch == null ? HttpMethod.Get : HttpMethod.Patch, new Uri(access!.Server, path))
            {
                Content = patch == null ? null : Merge(patch),
                Version = client.DefaultRequestVersion,
                VersionPolicy = client.DefaultVersionPolicy,
            };
            if (await TokenAsync(refused, stop).ConfigureAwait(false) is { } token)
                question.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return await client.SendAsync(question, HttpCompletionOption.ResponseHeadersRead, enough.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new ApiLost($"{access!.Server.Authority}: expected an answer within {patience.TotalSeconds:0} s, got none");
        }
        catch (Exception broken) when (IsBroken(broken))
        {
            var words = broken.InnerException is AuthenticationException && doubt is { } distrust ? distrust : Words(broken);
            throw new ApiLost($"{access!.Server.Authority}: {words}", broken);
        }
    }

    private static ByteArrayContent Merge(byte[] patch) =>
        new(patch) { Headers = { ContentType = new MediaTypeHeaderValue("application/merge-patch+json") } };

    /// <summary>What reading from a connection throws that has ended, or was never there.</summary>
    public static bool IsBroken(Exception exception) =>
        exception is HttpRequestException or IOException or SocketException or AuthenticationException;

    /// <summary>The cause says it; what lies above are the framework's words for that there was one.</summary>
    public static string Words(Exception broken)
    {
        for (var at = broken; at != null; at = at.InnerException)
        {
            if (at is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }) return "no such host (DNS)";
            // "Resource temporarily unavailable" in the system's words, which mean something else.
            if (at is SocketException { SocketErrorCode: SocketError.TryAgain }) return "nobody can be asked for its address now (DNS)";
            if (at is SocketException or AuthenticationException { InnerException: null }) return at.Message;
            if (at is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }) return "it hung up in the middle of an answer";
        }
        return broken.InnerException is AuthenticationException or IOException ? broken.InnerException.Message : broken.Message;
    }

    private async Task<string?> TokenAsync(bool refused, CancellationToken stop)
    {
        if (access!.Plugin is not { } plugin) return access.ReadToken();
        await asking.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (refused || credential == null || credential.Expires <= time.GetUtcNow())
                credential = await plugin.AskAsync(stop).ConfigureAwait(false);
            return credential.Token;
        }
        finally { asking.Release(); }
    }

    private bool IsTrusted(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var sent = chain?.ChainElements.Select(element => element.Certificate) ?? [];
        doubt = ServerTrust.Doubt(access!, certificate as X509Certificate2, sent, errors, time.GetUtcNow());
        return doubt == null;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)Ping.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 3);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>kubeconfig's proxy-url; without it none, whatever the environment says: nodes reach their API server directly.</summary>
    private sealed class AccessProxy(ApiServer server) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }
        public Uri? GetProxy(Uri destination) => server.access?.Proxy;
        public bool IsBypassed(Uri host) => server.access?.Proxy == null;
    }

    public void Dispose()
    {
        client.Dispose();
        knocker.Dispose();
        asking.Dispose();
    }
}
