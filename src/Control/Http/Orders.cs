// Orders that change what the daemon does: a new configuration, and a peer's life.

using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Calico.Bgp.Control.Http;

internal sealed class Orders(ISpeaker speaker, IDaemon daemon)
{
    /// <summary>POST /v1/reload[?check=true]: the file in use is read again, or only judged.</summary>
    public async Task ReloadAsync(HttpContext http)
    {
        var query = http.Request.Query;
        if (OrderQuery.Problem(query, "check") is { } error)
        {
            await Answer.ErrorAsync(http, error).ConfigureAwait(false);
            return;
        }
        var result = query["check"] == "true"
            ? await daemon.CheckAsync(null).ConfigureAwait(false)
            : await daemon.ConfigureAsync(null, null).ConfigureAwait(false);
        await (result.Problem is { } problem
            ? Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.ConfigurationRefused, problem, result.Problems[0].Where))
            : Answer.JsonAsync(http, new(result.Changes), Answer.Json.ReloadAnswer)).ConfigureAwait(false);
    }

    /// <summary>POST /v1/peers/NAME/ORDER[?text=…]; the text is told to the peer (RFC 9003).</summary>
    public Task PeerAsync(HttpContext http, string name, string order)
    {
        if (OrderQuery.Unknown(http.Request.Query, "text") is { } error) return Answer.ErrorAsync(http, error);
        if (PeerNames.Find(speaker, name) is not { } peer)
            return Answer.ErrorAsync(http, AnswerCode.UnknownPeer, PeerNames.Unknown(speaker, name));
        var text = http.Request.Query["text"].FirstOrDefault();
        if (peer.Drain is { Stage: DrainStage.Down } && order is "enable" or "restart")
            return Answer.ErrorAsync(
                http, AnswerCode.PeerDrained, $"expected undrain: {peer.Name} is drained, and stays down until then, got {order}");
        return Obey(peer.Name, order, text)
            ? Answer.JsonAsync(http, new(peer.Name, order), Answer.Json.OrderAnswer)
            : Answer.ErrorAsync(
                http, AnswerCode.UnknownOrder, $"expected enable, disable, restart, reload-in, reload-out or reload, got \"{order}\"");
    }

    /// <summary>POST /v1/drain[?peer=NAME][&amp;wait=TIME][&amp;text=…]; without a peer all, and who comes later.</summary>
    public async Task DrainAsync(HttpContext http)
    {
        if (DrainQuery.Read(http.Request.Query, speaker, out var asked) is { } error)
        {
            await Answer.ErrorAsync(http, error).ConfigureAwait(false);
            return;
        }
        var drained = await speaker.DrainAsync(asked.Peer, asked.Wait, asked.Reason).ConfigureAwait(false);
        await Answer.JsonAsync(http, new(drained), Answer.Json.DrainedAnswer).ConfigureAwait(false);
    }

    /// <summary>POST /v1/undrain[?peer=NAME].</summary>
    public async Task UndrainAsync(HttpContext http)
    {
        if (DrainQuery.Read(http.Request.Query, speaker, out var asked, isEnd: true) is { } error)
        {
            await Answer.ErrorAsync(http, error).ConfigureAwait(false);
            return;
        }
        var ended = await speaker.UndrainAsync(asked.Peer).ConfigureAwait(false);
        await Answer.JsonAsync(http, new(ended), Answer.Json.DrainedAnswer).ConfigureAwait(false);
    }

    /// <summary>POST /v1/upgrade[?binary=FILE][&amp;within=TIME].</summary>
    public async Task UpgradeAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var said = query["within"].FirstOrDefault();
        var within = said == null ? UpgradeResult.DefaultTime : Durations.Parse(said);
        var problem = OrderQuery.Unknown(query, "binary", "within")
            ?? (within is { } some && some > TimeSpan.Zero && some <= TimeSpan.FromHours(1)
                ? null : new(AnswerCode.BadQuery, $"expected a time of at most an hour for within, such as 60s, got \"{said}\"", "within"));
        if (problem != null)
        {
            await Answer.ErrorAsync(http, problem).ConfigureAwait(false);
            return;
        }
        var result = await daemon.UpgradeAsync(query["binary"].FirstOrDefault(), within!.Value).ConfigureAwait(false);
        if (result.Problem is { } words)
        {
            await Answer.ErrorAsync(http, AnswerCode.NotUpgraded, words).ConfigureAwait(false);
            return;
        }
        // When the response is complete it may not have been sent yet; when the connection that ends with it has been closed, it has.
        http.Response.Headers.Connection = "close";
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connection = http.Features.GetRequiredFeature<IConnectionLifetimeFeature>();
        connection.ConnectionClosed.Register(answered.SetResult);
        daemon.GiveWay(answered.Task);
        var answer = new UpgradeAnswer(result.Process, result.Release, result.Sessions, result.Took.TotalSeconds);
        await Answer.JsonAsync(http, answer, Answer.Json.UpgradeAnswer).ConfigureAwait(false);
    }

    private bool Obey(string peer, string order, string? text)
    {
        switch (order)
        {
            case "enable": speaker.Enable(peer); return true;
            case "disable": speaker.Disable(peer, text); return true;
            case "restart": speaker.Restart(peer, text); return true;
            case "reload-in": speaker.Reload(peer, ReloadDirection.In); return true;
            case "reload-out": speaker.Reload(peer, ReloadDirection.Out); return true;
            case "reload": speaker.Reload(peer, ReloadDirection.Both); return true;
            default: return false;
        }
    }
}

/// <summary>The query of an order. A word that is not known is an error: <c>?chek=true</c> must not become the order itself.</summary>
internal static class OrderQuery
{
    /// <summary>All of these keys are switches.</summary>
    public static ErrorAnswer? Problem(IQueryCollection query, params string[] switches)
    {
        if (Unknown(query, switches) is { } unknown) return unknown;
        var (key, value) = query.FirstOrDefault(word => word.Value.ToString() is not ("true" or "false"));
        return key == null ? null : new(AnswerCode.BadQuery, $"expected true or false for {key}, got \"{value}\"", key);
    }

    public static ErrorAnswer? Unknown(IQueryCollection query, params string[] keys)
    {
        var unknown = query.Keys.FirstOrDefault(key => !keys.Contains(key));
        return unknown == null ? null : new(AnswerCode.BadQuery, $"expected one of {string.Join(", ", keys)}, got \"{unknown}\"", unknown);
    }
}
