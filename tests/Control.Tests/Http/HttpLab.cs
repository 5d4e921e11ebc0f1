using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Calico.Bgp.Control.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>The real server on a Unix socket in a folder of its own and on a free port, in front of the fake speaker.</summary>
public sealed class HttpLab : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bgp-http-");

    public FakeSpeaker Speaker { get; } = new();
    public FakeDaemon Daemon { get; } = new();
    public FakeDataplane Dataplane { get; } = new();
    public string Socket => Path.Combine(folder.FullName, "bgpd.sock");
    /// <summary>Where translations are saved; not there at first.</summary>
    public string SavedIn => Path.Combine(folder.FullName, "translations.json");
    /// <summary>Whose defect nobody minds: what health says of it is what is asked.</summary>
    public Net.Loops Loops { get; } = new(TimeProvider.System, NullLogger<Net.Loops>.Instance, (_, _) => { });
    public HttpControl Server { get; private set; } = null!;
    public HttpClient Unix { get; private set; } = null!;
    public HttpClient Tcp { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = new([$"unix:{Socket}", "127.0.0.1:0"], Speaker, Daemon, Loops, TimeProvider.System, NullLoggerFactory.Instance)
        {
            Dataplane = Dataplane,
            Saved = new(SavedIn, NullLogger<SavedTranslations>.Instance),
            Hosts = ["bgpd.lab.example"],
        };
        await Server.StartAsync();
        Unix = Client(Socket);
        Tcp = new() { BaseAddress = new(Server.Addresses.Single(address => !address.Contains("unix:"))) };
    }

    public async Task DisposeAsync()
    {
        Unix.Dispose();
        Tcp.Dispose();
        await Server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    public static HttpClient Client(string socket)
    {
        var handler = new SocketsHttpHandler { ConnectCallback = (_, stop) => ConnectAsync(socket, stop) };
        return new(handler) { BaseAddress = new("http://bgpd") };
    }

    public async Task<JsonNode> JsonAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await Unix.GetAsync(path);
        Assert.Equal(expected, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }

    private static async ValueTask<Stream> ConnectAsync(string socket, CancellationToken stop)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
        return new NetworkStream(connection, ownsSocket: true);
    }
}
