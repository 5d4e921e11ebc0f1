// The command line: which words there are, and which are refused before bgpd is asked (exit code 2).

using System.CommandLine;
using System.CommandLine.Parsing;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl;

internal static class Commands
{
    private const int Success = 0, Failed = 1, Misused = 2;

    private static readonly Option<string> Socket = new("--socket")
    {
        Description = "bgpd's Unix socket (control.http in bgpd.yaml); also by BGPCTL_SOCKET",
        HelpName = "PATH",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("BGPCTL_SOCKET") is { Length: > 0 } path ? path : "/run/bgpd/bgpd.sock",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "the daemon's own JSON, for programs", Recursive = true };
    private static readonly Option<bool> Watch = new("--watch") { Description = "stay, and show each change", Recursive = true };

    public static async Task<int> RunAsync(string[] args, Screen screen, TimeProvider time, CancellationToken stop = default)
    {
        var parsed = Root(screen, time).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await screen.Errors.WriteLineAsync($"bgpctl: {error.Message}").ConfigureAwait(false);
            await screen.Errors.WriteLineAsync("`bgpctl --help` shows what there is").ConfigureAwait(false);
            return Misused;
        }
        var settings = new InvocationConfiguration { Output = screen.Output, Error = screen.Errors, EnableDefaultExceptionHandler = false };
        var result = await parsed.InvokeAsync(settings, stop).ConfigureAwait(false);
        await screen.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        return result;
    }

    private static RootCommand Root(Screen screen, TimeProvider time)
    {
        var root = new RootCommand("Looks into bgpd, and tells it what to do.") { Socket, Json, Watch };
        var make = (ParseResult parsed) => new Session(new Daemon(parsed.GetValue(Socket)!), screen, time, parsed.GetValue(Json), parsed.GetValue(Watch));
        root.Subcommands.Add(Status(make));
        root.Subcommands.Add(Peers(make));
        root.Subcommands.Add(Routes(make));
        root.Subcommands.Add(Kernel(make));
        root.Subcommands.Add(Reload(make));
        return root;
    }

    private static Command Status(Func<ParseResult, Session> make)
    {
        var command = new Command("status", "Is it well, and if not, what is missing");
        return Do(command, make, (session, _, stop) => session.StatusAsync(stop));
    }

    private static Command Peers(Func<ParseResult, Session> make)
    {
        var name = new Argument<string?>("NAME") { Description = "one peer, by its name or address", Arity = ArgumentArity.ZeroOrOne };
        var order = new Argument<string?>("ORDER") { Description = "what it shall do", Arity = ArgumentArity.ZeroOrOne };
        order.AcceptOnlyFromAmong("enable", "disable", "restart", "reload-in", "reload-out", "reload");
        var text = new Option<string?>("--text") { Description = "told to the peer with disable and restart (RFC 9003)" };
        var command = new Command("peers", "The neighbours, or one of them in detail, or an order to one") { name, order, text };
        return Do(command, make, (session, parsed, stop) => (parsed.GetValue(name), parsed.GetValue(order)) switch
        {
            (null, _) => session.PeersAsync(stop),
            (var peer, null) => session.PeerAsync(peer, stop),
            var (peer, word) => session.OrderAsync(peer, word, parsed.GetValue(text), stop),
        });
    }

    private static Command Routes(Func<ParseResult, Session> make)
    {
        var prefix = new Argument<string?>("PREFIX") { Description = "a prefix, or an address for its longest match", Arity = ArgumentArity.ZeroOrOne };
        prefix.Validators.Add(RequirePrefix);
        var inside = new Option<bool>("--in") { Description = "the prefix and all inside it" };
        var peer = new Option<string?>("--peer") { Description = "routes from this peer, or with --received or --advertised its table", HelpName = "P" };
        var family = new Option<string?>("--family") { Description = "ipv4 or ipv6" };
        family.AcceptOnlyFromAmong("ipv4", "ipv6");
        var received = new Option<bool>("--received") { Description = "what the peer sent, before the import filter" };
        var advertised = new Option<bool>("--advertised") { Description = "what the peer is sent, as it leaves" };
        var filtered = new Option<bool>("--filtered") { Description = "what the import filter rejected" };
        var best = new Option<bool>("--best") { Description = "best routes only" };
        var command = new Command("routes", "The routing table") { prefix, inside, peer, family, received, advertised, filtered, best };
        command.Validators.Add(result => RequireOneView(result, peer, received, advertised, filtered, best));
        return Do(command, make, (session, parsed, stop) => session.RoutesAsync(new()
        {
            Prefix = parsed.GetValue(prefix),
            Inside = parsed.GetValue(inside),
            Peer = parsed.GetValue(peer),
            Family = parsed.GetValue(family),
            Selection = (parsed.GetValue(received), parsed.GetValue(advertised), parsed.GetValue(filtered), parsed.GetValue(best)) switch
            {
                (true, _, _, _) => "received",
                (_, true, _, _) => "advertised",
                (_, _, true, _) => "filtered",
                (_, _, _, true) => "best",
                _ => null,
            },
        }, stop));
    }

    private static Command Kernel(Func<ParseResult, Session> make)
    {
        var routes = new Option<bool>("--routes") { Description = "each of our routes, as wanted and as installed" };
        var command = new Command("kernel", "What the kernel has of our routes, and what it refused") { routes };
        return Do(command, make, (session, parsed, stop) => parsed.GetValue(routes) ? session.KernelRoutesAsync(stop) : session.KernelAsync(stop));
    }

    private static Command Reload(Func<ParseResult, Session> make)
    {
        var check = new Option<bool>("--check") { Description = "only say what would change" };
        var soft = new Option<bool>("--soft") { Description = "new filters touch new routes only" };
        var command = new Command("reload", "Read bgpd.yaml again") { check, soft };
        return Do(command, make, (session, parsed, stop) => session.ReloadAsync(parsed.GetValue(check), parsed.GetValue(soft), stop));
    }

    private static Command Do(Command command, Func<ParseResult, Session> make, Func<Session, ParseResult, CancellationToken, Task> action)
    {
        command.SetAction(async (parsed, stop) =>
        {
            using var session = make(parsed);
            try
            {
                await action(session, parsed, stop).ConfigureAwait(false);
                return Success;
            }
            catch (Refusal refusal)
            {
                await session.Screen.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                await session.Screen.Errors.WriteLineAsync($"bgpctl: {refusal.Message}").ConfigureAwait(false);
                return Failed;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return Success;
            }
        });
        return command;
    }

    private static void RequirePrefix(ArgumentResult result)
    {
        if (result.Tokens.Count == 0) return;
        var text = result.Tokens[0].Value;
        if (Prefix.TryParse(text, out _) || Address.TryParse(text, out _)) return;
        result.AddError($"expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, or an address, got \"{text}\"");
    }

    private static void RequireOneView(CommandResult result, Option<string?> peer, Option<bool> received, Option<bool> advertised, params Option<bool>[] others)
    {
        var chosen = others.Append(received).Append(advertised).Where(option => result.GetValue(option)).Select(option => option.Name).ToArray();
        if (chosen.Length > 1) result.AddError($"expected one of --received, --advertised, --filtered and --best, got {string.Join(" and ", chosen)}");
        else if (chosen is ["--received" or "--advertised"] && result.GetValue(peer) == null) result.AddError($"expected --peer P beside {chosen[0]}, got none");
    }
}
