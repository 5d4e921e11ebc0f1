using Calico.Bgp.Control.Tests.Http;
using Spectre.Console;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>bgpctl in this process, against the real HTTP server with a made-up speaker behind it; the clock stands still.</summary>
public sealed class BgpctlLab : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public FakeSpeaker Speaker => lab.Speaker;
    public FakeDaemon Daemon => lab.Daemon;
    public FakeDataplane Dataplane => lab.Dataplane;
    public string Socket => lab.Socket;
    public string SavedIn => lab.SavedIn;
    internal StringWriter Output { get; } = new() { NewLine = "\n" };
    internal StringWriter Errors { get; } = new() { NewLine = "\n" };

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();
    public Task StopServerAsync() => lab.Server.DisposeAsync().AsTask();

    public Task<int> RunAsync(params string[] args) => RunAsync(args, default);

    public Task<int> RunAsync(string[] args, CancellationToken stop) =>
        Commands.RunAsync([.. args, "--socket", Socket], new Screen(Output, Errors, null), new ManualTimeProvider(FakeSpeaker.Now), stop);

    /// <summary>What is piped in, where nobody types.</summary>
    public Task<int> PipeAsync(string text, params string[] args) => RunOnAsync(
        new(Output, Errors, null) { Piped = new StringReader(text) }, args);

    /// <summary>With the output in a file.</summary>
    public Task<int> RedirectAsync(string file, params string[] args) => RunOnAsync(new(Output, Errors, null) { File = file }, args);

    /// <summary>Keys, one after the other.</summary>
    internal Task<int> TypeAsync(IEnumerable<ConsoleKeyInfo> keys, params string[] args)
    {
        var typed = keys.GetEnumerator();
        return RunOnAsync(new(Output, Errors, null)
        {
            Keyboard = new(() => typed.MoveNext() ? typed.Current : throw new InvalidOperationException("nobody types any more"), () => 80),
        }, args);
    }

    private Task<int> RunOnAsync(Screen screen, string[] args) =>
        Commands.RunAsync([.. args, "--socket", Socket], screen, new ManualTimeProvider(FakeSpeaker.Now));

    public Task<int> RunOnTerminalAsync(string[] args, int width = 200) =>
        Commands.RunAsync([.. args, "--socket", Socket], Terminal(Output, width), new ManualTimeProvider(FakeSpeaker.Now));

    internal Screen Terminal(TextWriter output, int width = 200)
    {
        var settings = new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
            Enrichment = { UseDefaultEnrichers = false },
            Out = new AnsiConsoleOutput(output),
        };
        var console = AnsiConsole.Create(settings);
        // Not what the terminal of whoever runs the tests says: TERM=dumb says a height of -1, and a live page of no line.
        (console.Profile.Width, console.Profile.Height) = (width, 50);
        return new(output, Errors, console);
    }
}
