using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Control.Bird;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>A control socket in a folder of its own, and raw clients of it.</summary>
internal sealed class SocketFixture : IAsyncDisposable
{
    private readonly Scratch folder = new();
    private readonly BirdSocket socket;
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SocketFixture(FakeSpeaker speaker, FakeDaemon? daemon = null, BirdLogEcho? echo = null)
    {
        Path = folder.PathOf("bgpd.ctl");
        var clock = new ManualTimeProvider(FakeSpeaker.At(10, 0, 0));
        Loops = new(TimeProvider.System, NullLogger<Net.Loops>.Instance, (loop, _) => ended.SetResult(loop.Name));
        socket = new(Path, speaker, daemon ?? new(), Loops, clock, NullLogger<BirdSocket>.Instance) { LogEcho = echo };
        socket.Start();
    }

    public string Path { get; }
    public Net.Loops Loops { get; }
    /// <summary>The first loop whose defect ends the process.</summary>
    public Task<string> Ended => ended.Task;

    public RawClient Connect() => new(Path);

    /// <summary>One command, its raw answer.</summary>
    public string Ask(string command)
    {
        using var client = Connect();
        client.ReadReply();
        return client.Ask(command);
    }

    public async ValueTask DisposeAsync()
    {
        await socket.DisposeAsync();
        folder.Dispose();
    }
}

/// <summary>A client that sees the octets: of our daemon or of BIRD.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StringBuilder received = new();
    private readonly byte[] buffer = new byte[65536];

    public RawClient(string path)
    {
        socket.Connect(new UnixDomainSocketEndPoint(path));
        socket.ReceiveTimeout = 20_000;
    }

    public Socket Socket => socket;

    public void Send(string text) => socket.Send(Encoding.UTF8.GetBytes(text));

    public string Ask(string command)
    {
        Send(command + "\n");
        return ReadReply();
    }

    /// <summary>Reads up to and including the next line whose code is followed by a space.</summary>
    public string ReadReply() => Read(line => line.Length >= 5 && line[..4].All(char.IsAsciiDigit) && line[4] == ' ');

    public string ReadLine() => Read(_ => true);

    private string Read(Func<string, bool> last)
    {
        var taken = 0;
        while (true)
        {
            var text = received.ToString();
            for (int end; (end = text.IndexOf('\n', taken)) >= 0; taken = end + 1)
            {
                if (!last(text[taken..end])) continue;
                received.Remove(0, end + 1);
                return text[..(end + 1)];
            }
            var count = socket.Receive(buffer);
            if (count == 0) throw new IOException($"closed after: {text}");
            received.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
    }

    public void Dispose() => socket.Dispose();
}
