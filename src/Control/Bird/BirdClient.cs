using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Control.Bird.Commands;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// One client: reads a command, answers it, reads the next. Nothing is read ahead, so a client that floods or does not read its
/// answers waits in its own socket; one that leaves makes the next write fail, which ends its query.
/// </summary>
internal sealed class BirdClient : IAsyncDisposable
{
    private readonly NetworkStream stream;
    private readonly ILogger log;
    private readonly RequestReader requests;
    private readonly Reply reply;
    private readonly Conversation with;
    private readonly EchoLines echoes;
    private readonly SemaphoreSlim writing = new(1, 1);
    private Task? echoing;

    public BirdClient(Socket socket, ISpeaker speaker, IDaemon daemon, TimeProvider clock, UndoTimer undo, ILogger log)
    {
        this.log = log;
        stream = new(socket, ownsSocket: true);
        requests = new(stream);
        reply = new(SendAsync);
        with = new(speaker, daemon, clock, undo, reply);
        echoes = new(with);
    }

    public Action<LogLevel, string> Listener => echoes.Offer;

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        // It beats at each command and rests again at once: what it waits for then is whom it asks, and its client.
        loop.Rest();
        try
        {
            reply.End(ReplyCode.Welcome, $"BIRD {with.Speaker.Router.Version} ready.");
            await reply.FlushAsync(stop).ConfigureAwait(false);
            while (await requests.ReadAsync(stop).ConfigureAwait(false) is { } request)
            {
                loop.Beat();
                loop.Rest();
                await AnswerAsync(request.Line, stop).ConfigureAwait(false);
                await reply.FlushAsync(stop).ConfigureAwait(false);
                if (with.Echo != EchoClasses.None) echoing ??= EchoAsync(stop);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client left, or the daemon is ending: nobody reads an answer any more.
        }
    }

    private async ValueTask AnswerAsync(string? line, CancellationToken stop)
    {
        if (line == null)
        {
            reply.End(ReplyCode.TooLong, "Command too long");
            return;
        }
        var tokens = new Tokens(line, new Symbols(with.Speaker));
        var command = Verbs.Parse(tokens);
        if (command == null) reply.End(ReplyCode.SyntaxError, tokens.Error!);
        else if (command.Changes && with.Restricted) reply.End(ReplyCode.AccessDenied, "Access denied");
        else await RunAsync(command, line, stop).ConfigureAwait(false);
    }

    private async ValueTask RunAsync(Command command, string line, CancellationToken stop)
    {
        if (command.Changes) BirdLog.Changing(log, line);
        try
        {
            await command.RunAsync(with, stop).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            // A mistake of ours. Half an answer may have left already, so the client cannot be told; the others go on.
            BirdLog.Failed(log, line, problem);
            throw new IOException("no answer", problem);
        }
    }

    /// <summary>Log lines go out between the pieces of answers, which end with whole lines.</summary>
    private async Task EchoAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var line in echoes.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                await SendAsync(Encoding.UTF8.GetBytes(line), stop).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The reading side notices the same and ends the client.
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken stop)
    {
        await writing.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            await stream.WriteAsync(octets, stop).ConfigureAwait(false);
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync().ConfigureAwait(false);
        echoes.End();
        if (echoing != null) await echoing.ConfigureAwait(false);
        writing.Dispose();
    }
}
