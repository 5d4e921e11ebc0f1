namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary><c>bgpctl cnat</c> without a line: lines are read until there are no more. One that is wrong does not end it.</summary>
internal sealed class CnatConversation(CnatCommands commands, Screen screen)
{
    public const string Help = "help";

    private const string Prompt = "cnat> ";
    private static readonly string[] OwnWords = [Help, "quit", "exit"];

    /// <exception cref="Refusal">Nobody typed them, and not all of them were done.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        var (lines, failed) = (0, 0);
        var editor = screen.Keyboard is { } keys ? new LineEditor(keys.Next, screen.Output, keys.Width, Prompt, Expected) : null;
        while (await ReadAsync(editor, stop).ConfigureAwait(false) is { } line)
        {
            var words = line.Trim();
            if (words is "quit" or "exit") break;
            if (words.Length == 0 || words.StartsWith('#')) continue;
            lines++;
            if (!await DoAsync(words, stop).ConfigureAwait(false)) failed++;
        }
        if (failed > 0 && editor == null) throw new Refusal($"{failed} of {Words.Count(lines, "line")} failed");
    }

    private async Task<string?> ReadAsync(LineEditor? editor, CancellationToken stop)
    {
        if (editor == null) return await screen.Piped.ReadLineAsync(stop).ConfigureAwait(false);
        return screen.Keyboard!.Typing(editor.Read);
    }

    private static IReadOnlyList<string> Expected(string said) =>
        [.. CnatGrammar.Expected(said), .. string.IsNullOrWhiteSpace(said) ? OwnWords : []];

    private async Task<bool> DoAsync(string line, CancellationToken stop)
    {
        try
        {
            if (line == Help) screen.Output.WriteLine(CnatWords.Lines);
            else await commands.RunAsync(line, stop).ConfigureAwait(false);
            return true;
        }
        catch (Exception wrong) when (wrong is CnatMistake or Refusal)
        {
            await screen.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            await screen.Errors.WriteLineAsync($"bgpctl: {wrong.Message}").ConfigureAwait(false);
            return false;
        }
    }
}
