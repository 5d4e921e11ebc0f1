// The command line: which words there are, and which are refused before bgpd is asked (exit code 2).

using System.CommandLine;
using System.CommandLine.Parsing;
using Calico.Bgp.Bgpctl.Cnat;

namespace Calico.Bgp.Bgpctl;

internal static class Commands
{
    private const int Success = 0, Failed = 1, Misused = 2;
    /// <summary>128 and SIGINT, as a shell says it.</summary>
    private const int Interrupted = 130;
    private const string DefaultSocket = "/run/bgpd/bgpd.sock";

    private static readonly Option<string> Socket = new("--socket")
    {
        Description = "bgpd's Unix socket (control.http in bgpd.yaml); also by BGPCTL_SOCKET",
        HelpName = "PATH",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("BGPCTL_SOCKET") is { Length: > 0 } path ? path : DefaultSocket,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "the daemon's own JSON, for programs", Recursive = true };
    private static readonly Option<bool> Watch = new("--watch") { Description = "stay, and show each change", Recursive = true };

    public static async Task<int> RunAsync(string[] args, Screen screen, TimeProvider time, CancellationToken stop = default)
    {
        var parsed = Root(screen, time).Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await screen.Errors.WriteLineAsync($"bgpctl: {error.Message}").ConfigureAwait(false);
            await screen.Errors.WriteLineAsync("`bgpctl --help` shows what there is").ConfigureAwait(false);
            return Misused;
        }
        var settings = new InvocationConfiguration { Output = screen.Output, Error = screen.Errors, EnableDefaultExceptionHandler = false };
        try
        {
            var result = await parsed.InvokeAsync(settings, stop).ConfigureAwait(false);
            await screen.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return result;
        }
        // A full disk behind >, a terminal that is gone: whoever reads has half an answer, and the exit code says so.
        catch (IOException lost)
        {
            await screen.Errors.WriteLineAsync($"bgpctl: the answer cannot be written: {lost.Message}").ConfigureAwait(false);
            return Failed;
        }
    }

    private static RootCommand Root(Screen screen, TimeProvider time)
    {
        var root = new RootCommand("Looks into bgpd, and tells it what to do.") { Socket, Json, Watch };
        DaemonCommands Make(ParseResult parsed) =>
            new(new DaemonClient(parsed.GetValue(Socket)!), screen, time, parsed.GetValue(Json), parsed.GetValue(Watch));
        root.Subcommands.Add(Status(Make));
        root.Subcommands.Add(Peers(Make));
        root.Subcommands.Add(Do(
            new("bfd", "Neighbours that BFD watches"), Make, (daemon, _, stop) => daemon.BfdAsync(stop)));
        root.Subcommands.Add(Routes(Make));
        root.Subcommands.Add(Kernel(Make));
        root.Subcommands.Add(NatWords.Command(Make));
        root.Subcommands.Add(CnatWords.Command(Make));
        root.Subcommands.Add(Egress(Make));
        root.Subcommands.Add(PolicyWords.Command(Make, Json, screen, time));
        root.Subcommands.Add(DnsWords.Command(Make));
        root.Subcommands.Add(Reload(Make));
        root.Subcommands.Add(LeaseWords.Announce(Make));
        root.Subcommands.Add(LeaseWords.Withdraw(Make));
        root.Subcommands.Add(DrainWords.Drain(Make));
        root.Subcommands.Add(DrainWords.Undrain(Make));
        root.Subcommands.Add(UpgradeWords.Upgrade(Make));
        root.Subcommands.Add(Explain(Make));
        root.Subcommands.Add(Version(Make));
        root.Subcommands.Add(PlanWords.Command(Make, Json, screen, time));
        return root;
    }

    private static Command Version(Func<ParseResult, DaemonCommands> make) =>
        Do(new("version", "Which release this is, and which one answers"), make, (daemon, _, stop) => daemon.VersionAsync(stop));

    private static Command Status(Func<ParseResult, DaemonCommands> make)
    {
        var command = new Command("status", "Is it well, and if not, what is missing");
        return Do(command, make, (daemon, _, stop) => daemon.StatusAsync(stop));
    }

    private static Command Peers(Func<ParseResult, DaemonCommands> make)
    {
        var name = new Argument<string?>("NAME") { Description = "one peer, by its name or address", Arity = ArgumentArity.ZeroOrOne };
        var order = new Argument<string?>("ORDER") { Description = "what it shall do", Arity = ArgumentArity.ZeroOrOne };
        order.AcceptOnlyFromAmong("enable", "disable", "restart", "reload-in", "reload-out", "reload");
        var text = new Option<string?>("--text") { Description = "told to the peer with disable and restart (RFC 9003)" };
        var command = new Command("peers", "The neighbours, or one of them in detail, or an order to one") { name, order, text };
        return Do(command, make, (daemon, parsed, stop) => (parsed.GetValue(name), parsed.GetValue(order)) switch
        {
            (null, _) => daemon.PeersAsync(stop),
            (var peer, null) => daemon.PeerAsync(peer, stop),
            var (peer, word) => daemon.OrderAsync(peer, word, parsed.GetValue(text), stop),
        });
    }

    private static Command Routes(Func<ParseResult, DaemonCommands> make)
    {
        var words = new RouteWords();
        return Do(words.Command, make, (daemon, parsed, stop) => daemon.RoutesAsync(words.Read(parsed), stop));
    }

    private static Command Kernel(Func<ParseResult, DaemonCommands> make)
    {
        var routes = new Option<bool>("--routes") { Description = "each of our routes, as wanted and as installed" };
        var command = new Command("kernel", "What the kernel has of our routes, and what it refused") { routes };
        return Do(command, make, (daemon, parsed, stop) =>
            parsed.GetValue(routes) ? daemon.KernelRoutesAsync(stop) : daemon.KernelAsync(stop));
    }

    private static Command Egress(Func<ParseResult, DaemonCommands> make)
    {
        var name = new Argument<string?>("NAME") { Description = "one gateway, by [NAMESPACE/]NAME", Arity = ArgumentArity.ZeroOrOne };
        var pod = new Argument<string>("NAMESPACE/POD") { Description = "whose packets" };
        pod.Validators.Add(RequireNamespaced);
        var to = new Argument<string>("DST") { Description = "their destination, behind any service" };
        var explain = new Command("explain", "By which gateway a pod's packets leave, and why") { pod, to };
        Do(explain, make, (daemon, parsed, stop) => daemon.EgressExplainAsync(parsed.GetValue(pod)!, parsed.GetValue(to)!, stop));
        var command = new Command("egress", "Gateways out of the cluster, who leaves by which, and who by none") { name, explain };
        return Do(command, make, (daemon, parsed, stop) => daemon.EgressAsync(parsed.GetValue(name), stop));
    }

    private static Command Explain(Func<ParseResult, DaemonCommands> make)
    {
        var command = new Command("explain", "Why a route, a peer or a service is as it is");
        Add(
            "route", "PREFIX", "who brought it, which rule let it in, why which is best, who is told, what the kernel says",
            (daemon, of, stop) => daemon.ExplainRouteAsync(of, stop));
        Add(
            "peer", "NAME", "which object asks for it, and its chains rule by rule",
            (daemon, of, stop) => daemon.ExplainPeerAsync(of, stop));
        Add(
            "service", "NAMESPACE/NAME", "why this node announces each of its addresses, or does not",
            (daemon, of, stop) => daemon.ExplainServiceAsync(of, stop), RequireNamespaced);
        return command;

        void Add(
            string word, string of, string does, Func<DaemonCommands, string, CancellationToken, Task> action,
            Action<ArgumentResult>? require = null)
        {
            var argument = new Argument<string>(of) { Description = does };
            if (require != null) argument.Validators.Add(require);
            var each = new Command(word, does) { argument };
            command.Subcommands.Add(Do(each, make, (daemon, parsed, stop) => action(daemon, parsed.GetValue(argument)!, stop)));
        }
    }

    private static void RequireNamespaced(ArgumentResult result)
    {
        if (result.Tokens is [{ Value: var text }] && text.Split('/') is not [{ Length: > 0 }, { Length: > 0 }])
            result.AddError($"expected NAMESPACE/NAME, got \"{text}\"");
    }

    private static Command Reload(Func<ParseResult, DaemonCommands> make)
    {
        var check = new Option<bool>("--check") { Description = "only say what would change" };
        var command = new Command("reload", "Read bgpd.yaml again") { check };
        return Do(command, make, (daemon, parsed, stop) => daemon.ReloadAsync(parsed.GetValue(check), stop));
    }

    internal static Command Do(
        Command command, Func<ParseResult, DaemonCommands> make, Func<DaemonCommands, ParseResult, CancellationToken, Task> action) =>
        Judge(command, make, async (daemon, parsed, stop) =>
        {
            await action(daemon, parsed, stop).ConfigureAwait(false);
            return true;
        });

    /// <summary>A variable that the shell does not know leaves an empty name, which is no file's.</summary>
    internal static void NamesFile(ArgumentResult of)
    {
        if (of.Tokens is [{ Value: "" }]) of.AddError($"expected a file for {of.Argument.Name}, got \"\"");
    }

    /// <param name="action">False: what was asked about is wrong (exit code 2, as with <c>bgpd --check</c>).</param>
    internal static Command Judge(
        Command command, Func<ParseResult, DaemonCommands> make, Func<DaemonCommands, ParseResult, CancellationToken, Task<bool>> action)
    {
        command.SetAction(async (parsed, stop) =>
        {
            using var daemon = make(parsed);
            try
            {
                return await action(daemon, parsed, stop).ConfigureAwait(false) ? Success : Misused;
            }
            catch (Refusal refusal)
            {
                await daemon.Screen.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                await daemon.Screen.Errors.WriteLineAsync($"bgpctl: {refusal.Message}").ConfigureAwait(false);
                return refusal.IsMistake ? Misused : Failed;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return parsed.GetValue(Watch) ? Success : Interrupted;
            }
        });
        return command;
    }
}
