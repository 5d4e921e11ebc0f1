// The words of `bgpctl routes`, and what they ask for. A malformed prefix, or two tables at once, is refused here.

using System.CommandLine;
using System.CommandLine.Parsing;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl;

internal sealed class RouteWords
{
    private readonly Argument<string?> prefix = new("PREFIX")
    {
        Description = "a prefix, or an address for its longest match",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> inside = new("--in") { Description = "the prefix and all inside it" };

    private readonly Option<string?> peer = new("--peer")
    {
        Description = "routes from this peer, or with --received or --advertised its table",
        HelpName = "P",
    };

    private readonly Option<string?> family = new("--family") { Description = "ipv4 or ipv6" };
    private readonly Option<bool> received = new("--received") { Description = "what the peer sent, before the import filter" };
    private readonly Option<bool> advertised = new("--advertised") { Description = "what the peer is sent, as it leaves" };
    private readonly Option<bool> filtered = new("--filtered") { Description = "what the import filter rejected" };
    private readonly Option<bool> best = new("--best") { Description = "best routes only" };

    public RouteWords()
    {
        prefix.Validators.Add(RequirePrefix);
        family.AcceptOnlyFromAmong("ipv4", "ipv6");
        Command = new("routes", "The routing table") { prefix, inside, peer, family, received, advertised, filtered, best };
        Command.Validators.Add(RequireOneTable);
    }

    public Command Command { get; }

    public RouteQuery Read(ParseResult parsed) => new()
    {
        Prefix = parsed.GetValue(prefix),
        Inside = parsed.GetValue(inside),
        Peer = parsed.GetValue(peer),
        Family = parsed.GetValue(family),
        Selection = Tables.FirstOrDefault(table => parsed.GetValue(table))?.Name[2..],
    };

    private Option<bool>[] Tables => [received, advertised, filtered, best];

    private static void RequirePrefix(ArgumentResult result)
    {
        if (result.Tokens.Count == 0) return;
        var text = result.Tokens[0].Value;
        if (Prefix.TryParse(text, out var prefix))
        {
            if (Prefix.HasHostBits(text))
                result.AddError($"expected no host bits in a prefix ({prefix}), or an address alone, got \"{text}\"");
            return;
        }
        if (Address.TryParse(text, out _)) return;
        result.AddError($"expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, or an address, got \"{text}\"");
    }

    private void RequireOneTable(CommandResult result)
    {
        var chosen = Tables.Where(table => result.GetValue(table)).Select(table => table.Name).ToArray();
        if (chosen.Length > 1)
        {
            result.AddError($"expected one of --received, --advertised, --filtered and --best, got {string.Join(" and ", chosen)}");
        }
        else if (chosen is ["--received" or "--advertised"] && result.GetValue(peer) == null)
        {
            result.AddError($"expected --peer P beside {chosen[0]}, got none");
        }
    }
}
