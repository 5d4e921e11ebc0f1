// /live and /ready, for a node's probes. Live: no loop is dead or hangs, and those that own the tables still answer questions.
// Ready: the peers' first tables have been taken and sent, so that traffic may be drawn to this node.

using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class Health(ISpeaker speaker, Loops loops, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // The default route alone: any question costs the RIB's owner one turn of its loop.
    private static readonly RouteQuery Question = new(RouteSelection.Primary, IpFamily.IPv4, Prefix.DefaultIPv4);

    public async Task LiveAsync(HttpContext http)
    {
        var reason = await NotLiveBecauseAsync(http.RequestAborted).ConfigureAwait(false);
        await Answer.JsonAsync(http, new(reason == null, reason), Answer.Json.LiveAnswer, reason == null ? 200 : 503).ConfigureAwait(false);
    }

    /// <summary>Null: live.</summary>
    public async Task<string?> NotLiveBecauseAsync(CancellationToken stop) =>
        loops.NotLiveBecause is { } reason ? reason : await SilentLoopAsync(stop).ConfigureAwait(false) is { } silent
            ? $"the {silent} loop has not answered for {Patience.TotalSeconds:0} s" : null;

    public Task ReadyAsync(HttpContext http)
    {
        var reason = NotReadyBecause(speaker);
        return Answer.JsonAsync(http, new(reason == null, reason), Answer.Json.ReadyAnswer, reason == null ? 200 : 503);
    }

    /// <summary>Null: ready.</summary>
    public static string? NotReadyBecause(ISpeaker speaker)
    {
        if (speaker.Router.ShuttingDown) return "shutting down";
        if (speaker.Ready) return null;
        var awaited = speaker.Awaited;
        var waiting =
            from protocol in speaker.Protocols
            where protocol is { Enabled: true, Session: not null }
            let phase = protocol.Session!.Phase
            where (phase != Phase.Established && protocol.Range == null) || awaited.Contains(protocol.Name)
            select $"{protocol.Name} ({(phase == Phase.Established ? "its first table" : StatusAnswers.Word(phase))})";
        var addresses = speaker.Router.ListenWaits.Select(address => $"{address} (router.listen: this host does not have it)");
        var names = string.Join(", ", addresses.Concat(waiting));
        var waits = names.Length == 0 ? "waiting for the peers' first tables" : $"waiting for {names}";
        return speaker.Router.Recovery == null ? waits : $"{waits}; restarting: peers' routes are taken together";
    }

    private async Task<string?> SilentLoopAsync(CancellationToken left)
    {
        if (!await AnswersAsync(stop => speaker.Routes(Question, stop), left).ConfigureAwait(false)) return "routing";
        return await AnswersAsync(speaker.KernelRoutes, left).ConfigureAwait(false) ? null : "kernel";
    }

    private async Task<bool> AnswersAsync<T>(Func<CancellationToken, IAsyncEnumerable<T>> ask, CancellationToken left)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, left);
        try
        {
            // A hung loop may not honour the token either, so the wait itself is bounded too.
            await FirstAsync(ask, either.Token).WaitAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !left.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task FirstAsync<T>(Func<CancellationToken, IAsyncEnumerable<T>> ask, CancellationToken stop)
    {
        await using var answers = ask(stop).GetAsyncEnumerator(stop);
        await answers.MoveNextAsync().ConfigureAwait(false);
    }
}
