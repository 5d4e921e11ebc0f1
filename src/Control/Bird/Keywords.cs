using System.Collections.Frozen;

namespace Calico.Bgp.Control.Bird;

/// <summary>Words of BIRD's language, for its complaints: a misplaced keyword is named, other words are undefined symbols.</summary>
internal static class Keywords
{
    private static readonly FrozenSet<string> Words = FrozenSet.ToFrozenSet([
        "all", "accept", "as", "attribute", "attributes", "bfd", "bgp", "bgp_path", "case", "check", "commands", "configure",
        "confirm", "count", "debug", "define", "defined", "description", "dest", "device", "direct", "disable", "down", "dump",
        "echo", "else", "enable", "eval", "export", "exported", "false", "filter", "filtered", "for", "from", "function",
        "graceful", "gw", "help", "if", "ifindex", "ifname", "import", "in", "interface", "interfaces", "kernel", "len", "limit",
        "log", "memory", "mrtdump", "net", "noexport", "off", "ospf", "preexport", "preference", "primary", "print", "proto",
        "protocol", "protocols", "reject", "reload", "restart", "restrict", "return", "roa", "route", "router", "routes", "scope",
        "sessions", "show", "soft", "source", "static", "stats", "status", "summary", "symbols", "table", "template", "then", "timeout",
        "true", "undo", "weight", "where",
    ]);

    private static readonly FrozenDictionary<string, string> Signs = new Dictionary<string, string>
    {
        ["&&"] = "AND",
        ["||"] = "OR",
        ["!="] = "NEQ",
        ["<="] = "LEQ",
        [">="] = "GEQ",
        ["!~"] = "NMA",
        [".."] = "DDOT",
        ["[="] = "PO",
        ["=]"] = "PC",
    }.ToFrozenDictionary();

    public static bool Has(string word) => Words.Contains(word);

    public static string NameOfSign(string sign) => Signs.TryGetValue(sign, out var name) ? name : $"'{sign}'";
}
