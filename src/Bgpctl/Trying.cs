// bgpctl policy try: a file of objects is put into force for a while. On a terminal bgpctl stays, and Enter confirms: whoever has locked
// himself out cannot press it, and all is taken back.

using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl;

internal sealed class Trying(DaemonClient daemon, Screen screen, TimeProvider time, bool json)
{
    /// <param name="file"><c>-</c>: what is typed, or piped, in.</param>
    /// <param name="within">Seconds; null: as the daemon has it.</param>
    public async Task TryAsync(string file, double? within, CancellationToken stop)
    {
        var text = await ReadAsync(file, stop).ConfigureAwait(false);
        var seconds = within is { } said ? string.Create(CultureInfo.InvariantCulture, $"&within={said}") : "";
        var body = await daemon.PostAsync($"/v1/policy/try?file={Uri.EscapeDataString(file)}{seconds}", text, stop).ConfigureAwait(false);
        var tried = daemon.Read(body, AnswersJson.Default.TrialAnswer);
        if (json)
        {
            Write(body);
            return;
        }
        var left = (tried.Until ?? time.GetUtcNow()) - time.GetUtcNow();
        if (left < TimeSpan.Zero) left = TimeSpan.Zero;
        foreach (var one in tried.Objects) Write($"{one.Object}: in force");
        var whole = TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds));
        Write($"all is taken back in {Words.Span(whole)}, unless it is confirmed: `bgpctl policy confirm`"
            + (screen.Input == null ? "" : ", or Enter here") + "; `bgpctl policy lint` names traps");
        if (screen.Input != null && file != "-") await WaitAsync(screen.Input, left, stop).ConfigureAwait(false);
    }

    private async Task<string> ReadAsync(string file, CancellationToken stop)
    {
        try
        {
            return file == "-" ? await screen.Piped.ReadToEndAsync(stop).ConfigureAwait(false)
                : await File.ReadAllTextAsync(file, stop).ConfigureAwait(false);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"{file} cannot be read: {unreadable.Message}");
        }
    }

    private async Task WaitAsync(TextReader input, TimeSpan left, CancellationToken stop)
    {
        // The read of a terminal cannot be broken off: it is left to the process's end.
        var enter = input.ReadLineAsync(stop).AsTask();
        var patience = Task.Delay(left, time, stop);
        var first = await Task.WhenAny(enter, patience).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        if (first == enter && await enter.ConfigureAwait(false) != null) await ConfirmAsync(stop).ConfigureAwait(false);
        else if (first == patience) throw new Refusal("nobody has confirmed it: it is taken back");
    }

    public async Task ConfirmAsync(CancellationToken stop)
    {
        var body = await daemon.PostAsync("/v1/policy/confirm", stop).ConfigureAwait(false);
        var done = daemon.Read(body, AnswersJson.Default.TrialAnswer);
        if (json)
        {
            Write(body);
            return;
        }
        foreach (var one in done.Objects.Where(one => one.IsConfirmed))
            Write($"{one.Object}: stays" + (one.IsMasking ? ", though its source says something else since: that does not count now" : ""));
        var files = string.Join(" ", done.Objects.Select(one => one.File).Distinct());
        Write("until bgpd starts again, and on this node alone. To make it last, apply it where the sources have it "
            + $"(`kubectl apply -f {files}`, or the folder of manifests): what they say then counts again. `bgpctl policy revert` "
            + "takes it back");
    }

    public async Task RevertAsync(CancellationToken stop)
    {
        var body = await daemon.PostAsync("/v1/policy/revert", stop).ConfigureAwait(false);
        var done = daemon.Read(body, AnswersJson.Default.TrialAnswer);
        if (json) Write(body);
        else
            foreach (var one in done.Objects) Write($"{one.Object}: taken back");
    }

    private void Write(string line)
    {
        screen.Output.WriteLine(line);
        screen.Output.Flush();
    }
}
