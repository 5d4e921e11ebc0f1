using System.CommandLine;

namespace Calico.Bgp.Bgpctl;

/// <summary><c>bgpctl dns cache [NAME] | watch</c>.</summary>
internal static class DnsWords
{
    public static Command Command(Func<ParseResult, DaemonCommands> make)
    {
        var name = new Argument<string?>("NAME") { Description = "one name alone", Arity = ArgumentArity.ZeroOrOne };
        return new("dns", "Rules by names: what is known of names, and what is heard")
        {
            Commands.Do(new("cache", "What endpoints with rules by names have been answered, and how long it counts yet") { name }, make,
                (daemon, parsed, stop) => daemon.DnsCacheAsync(parsed.GetValue(name), stop)),
            Commands.Do(new("watch", "Stay, and show each response that endpoints with rules by names get, and what it opens"), make,
                (daemon, _, stop) => daemon.DnsWatchAsync(stop)),
        };
    }
}
