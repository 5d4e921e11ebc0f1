using System.Globalization;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>
/// <c>configure [soft] ["FILE"] [timeout [SECONDS]]</c>, <c>check ["FILE"]</c>, <c>confirm</c>, <c>undo</c> and <c>status</c>. BIRD's soft
/// leaves the routes that are there to the old filters until somebody reloads them; here a filter always holds for all routes, so the word
/// changes nothing.
/// </summary>
internal sealed class Configure(string? file, TimeSpan? undoAfter) : Command
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(300);

    public override bool Changes => true;

    public static Command? Parse(Tokens tokens)
    {
        if (tokens.Accept("confirm")) return Ended(tokens, new ConfigureConfirm());
        if (tokens.Accept("undo")) return Ended(tokens, new ConfigureUndo());
        if (tokens.Accept("status")) return Ended(tokens, new ConfigureStatus());
        if (tokens.Accept("check")) return ParseCheck(tokens);
        var soft = tokens.Accept("soft");
        var named = tokens.AcceptText(out var file);
        TimeSpan? undoAfter = tokens.Accept("timeout") ? Timeout(tokens) : null;
        // All that "configure" may go on with is more than Bison lists.
        if (!tokens.AtEnd && undoAfter == null && !soft && !named) tokens.Unexpected();
        tokens.ExpectEnd(undoAfter != null ? ["NUM", "CF_SYM_KNOWN", "'('"] : named ? ["TIMEOUT"] : ["TEXT", "TIMEOUT"]);
        return new Configure(named ? file : null, undoAfter);
    }

    private static Command Ended(Tokens tokens, Command command)
    {
        tokens.ExpectEnd();
        return command;
    }

    private static ConfigureCheck ParseCheck(Tokens tokens)
    {
        var named = tokens.AcceptText(out var file);
        tokens.ExpectEnd(named ? [] : ["TEXT"]);
        return new ConfigureCheck(named ? file : null);
    }

    private static TimeSpan Timeout(Tokens tokens) =>
        tokens.AcceptNumber(out var seconds) && seconds > 0 ? TimeSpan.FromSeconds(seconds) : DefaultTimeout;

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        await ConfigureCheck.AnnounceAsync(file, with, stop).ConfigureAwait(false);
        var result = await with.Daemon.ConfigureAsync(file, undoAfter).ConfigureAwait(false);
        if (result.Problem is { } problem)
        {
            with.Reply.End(ReplyCode.ConfigurationBad, OneLine(problem));
            return;
        }
        with.Undo.Due = undoAfter is { } wait ? with.Clock.GetUtcNow() + wait : null;
        if (undoAfter is { TotalSeconds: var seconds })
            with.Reply.Line(ReplyCode.UndoScheduled, string.Create(CultureInfo.InvariantCulture, $"Undo scheduled in {seconds:0} s"));
        with.Reply.End(ReplyCode.Reconfigured, "Reconfigured");
    }

    /// <summary>A reply's last line is one line.</summary>
    public static string OneLine(string problem) =>
        string.Join("; ", problem.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}

/// <summary><c>configure check ["FILE"]</c>: what <c>configure</c> would say, and nothing else happens.</summary>
internal sealed class ConfigureCheck(string? file) : Command
{
    public override bool Changes => true;

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        await AnnounceAsync(file, with, stop).ConfigureAwait(false);
        var result = await with.Daemon.CheckAsync(file).ConfigureAwait(false);
        if (result.Problem is { } problem) with.Reply.End(ReplyCode.ConfigurationBad, Configure.OneLine(problem));
        else with.Reply.End(ReplyCode.ConfigurationGood, "Configuration OK");
    }

    /// <summary>Taking a configuration may last; the client sees at once that it has begun.</summary>
    public static ValueTask AnnounceAsync(string? file, Conversation with, CancellationToken stop)
    {
        with.Reply.Line(ReplyCode.ReadingConfiguration, $"Reading configuration from {file ?? with.Daemon.ConfigFile}");
        return with.Reply.FlushAsync(stop);
    }
}

/// <summary><c>configure confirm</c>: what was configured with a timeout stays.</summary>
internal sealed class ConfigureConfirm : Command
{
    public override bool Changes => true;

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Undo.Due = null;
        if (with.Daemon.Confirm()) with.Reply.End(ReplyCode.Confirmed, "Reconfiguration confirmed");
        else with.Reply.End(ReplyCode.NothingToDo, "Nothing to do");
        return default;
    }
}

/// <summary><c>configure undo</c>: back to the configuration before this one.</summary>
internal sealed class ConfigureUndo : Command
{
    public override bool Changes => true;

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Reply.Line(ReplyCode.UndoRequested, "Undo requested");
        with.Undo.Due = null;
        var result = await with.Daemon.UndoAsync().ConfigureAwait(false);
        if (result == null) with.Reply.End(ReplyCode.NothingToDo, "Nothing to do");
        else if (result.Problem is { } problem) with.Reply.End(ReplyCode.ConfigurationBad, Configure.OneLine(problem));
        else with.Reply.End(ReplyCode.Reconfigured, "Reconfigured");
    }
}

/// <summary><c>configure status</c>.</summary>
internal sealed class ConfigureStatus : Command
{
    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        if (with.Speaker.Router.ShuttingDown) with.Reply.Line(ReplyCode.ShuttingDown, "Shutdown in progress");
        else with.Reply.Line(ReplyCode.Reconfigured, "Daemon is up and running");
        var left = with.Undo.Due - with.Clock.GetUtcNow();
        if (left > TimeSpan.Zero)
            with.Reply.Line(ReplyCode.UndoScheduled, $"Configuration unconfirmed, undo in {Times.Seconds(left.Value)} s");
        with.Reply.End(ReplyCode.Ok);
        return default;
    }
}
