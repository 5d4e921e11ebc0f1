// bgpctl policy try: a file of objects is put into force for a while. On a terminal bgpctl stays, and Enter confirms: whoever has locked
// himself out cannot press it, and all is taken back. Who types no means no.

using System.Globalization;
using System.Text;
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
            + (screen.Input == null ? "" : ", or Enter here (no takes it back at once)") + "; `bgpctl policy lint` names traps");
        if (screen.Input != null && file != "-") await WaitAsync(screen.Input, left, stop).ConfigureAwait(false);
    }

    private async Task<string> ReadAsync(string file, CancellationToken stop)
    {
        if (Directory.Exists(file)) throw new Refusal($"{file} is a folder: expected a file of objects");
        try
        {
            var text = file == "-" ? await screen.Piped.ReadToEndAsync(stop).ConfigureAwait(false)
                : await File.ReadAllTextAsync(file, stop).ConfigureAwait(false);
            // The daemon would close the connection, and could not say why to who is still sending.
            if (Encoding.UTF8.GetByteCount(text) > TrialAnswer.LongestFile)
                throw new Refusal($"{file} is too long: expected {TrialAnswer.LongestFile >> 20} MiB of objects at most");
            return text;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"{file} cannot be read: {unreadable.Message}");
        }
    }

    private async Task WaitAsync(TextReader input, TimeSpan left, CancellationToken stop)
    {
        for (var patience = Task.Delay(left, time, stop); ; Write("Enter, or yes, keeps it; no takes it back at once"))
        {
            // The read of a terminal cannot be broken off: it is left to the process's end.
            var typed = input.ReadLineAsync(stop).AsTask();
            var first = await Task.WhenAny(typed, patience).ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            if (first == patience) throw new Refusal("nobody has confirmed it: it is taken back");
            switch ((await typed.ConfigureAwait(false))?.Trim().ToUpperInvariant())
            {
                case null: return;
                case "" or "Y" or "YES": await ConfirmAsync(stop).ConfigureAwait(false); return;
                case "N" or "NO": await RevertAsync(stop).ConfigureAwait(false); return;
            }
        }
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
