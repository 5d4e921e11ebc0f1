using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using static Calico.Bgp.Bgpctl.Cnat.CnatTerms;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>cnat's source NAT, in the grammar of today and of 2020: each line edits what bgpd.yaml says of it.</summary>
internal static class CnatSourceNat
{
    /// <summary>Of a prefix that goes: excluded or rewritten, as it is.</summary>
    public const string EitherWay = "prefix";

    private static CnatCommand.EditSourceNat Edit(CnatLine line, params IReadOnlyList<SourceNatEditBody> edits) =>
        new(edits, line.Is("--save"));

    /// <summary>snat with PLACE | snat exclude [del] PREFIX [cut]</summary>
    public static CnatCommand.EditSourceNat Snat(CnatLine line)
    {
        if (line.Is("with")) return Edit(line, Address(line) ?? throw line.Mistake());
        if (!line.Is("exclude")) throw line.Mistake();
        var isGone = line.Is("del");
        var prefix = line.Text("PREFIX", Network) ?? throw line.Mistake();
        return line.IsNext(Relic) ? throw line.Mistake($"the end of the line ({OfRelic})")
            : Edit(line, new SourceNatEditBody("exclude", prefix, Remove: isGone, Cut: !isGone && line.Is("cut")));
    }

    /// <summary>An address, a prefix, or an interface and perhaps <c>v6</c>; null: there is none.</summary>
    private static SourceNatEditBody? Address(CnatLine line)
    {
        static string? Read(string text) => Port(text) == null && text != "--save" && SourceNatWords.Place(text) != null ? text : null;
        if (line.Text("ADDRESS, PREFIX or INTERFACE [v6]", Read) is not { } text) return null;
        var place = SourceNatWords.Place(text)!;
        return new("address", place.Interface != null && line.Is("v6") ? $"{text} v6" : place.ToString());
    }

    /// <summary>set [cnat] snat-policy … | set [cnat] feature IF [enable|disable]
    /// | set interface feature IF ARC-FEATURE arc ARC [disable]</summary>
    public static CnatCommand.EditSourceNat Set(CnatLine line)
    {
        line.Is("cnat");
        if (line.Is("snat-policy")) return Policy(line);
        if (line.Is("feature"))
        {
            var name = Links(line);
            return Edit(line, new SourceNatEditBody("include", name, Remove: !line.Is("enable") && line.Is("disable")));
        }
        if (!line.Is("interface") || !line.Is("feature")) throw line.Mistake();
        var link = Links(line);
        var isFour = line.Is("ip4-cnat-snat");
        if ((!isFour && !line.Is("ip6-cnat-snat")) || !line.Is("arc")) throw line.Mistake();
        if (!line.Is(isFour ? "ip4-unicast" : "ip6-unicast")) throw line.Mistake();
        return Edit(line, new SourceNatEditBody("include", link, Remove: line.Is("disable")));
    }

    private static CnatCommand.EditSourceNat Policy(CnatLine line)
    {
        if (line.Is("addr")) return Addresses(line);
        if (line.Is("if")) return Interface(line);
        if (line.Is("prefix")) return PrefixOf(line);
        foreach (var (word, _) in SourceNatWords.Policies)
            if (line.Is(word)) return Policy(line, word);
        return line.Is("dnat-only") ? Policy(line, "dnat") : throw line.Mistake();
    }

    private static CnatCommand.EditSourceNat Policy(CnatLine line, string word)
    {
        Table(line, "fib");
        return Edit(line, new SourceNatEditBody("policy", word));
    }

    /// <summary>addr [PLACE]… [fib 0] [rfib 0]: without a place none.</summary>
    private static CnatCommand.EditSourceNat Addresses(CnatLine line)
    {
        var edits = new List<SourceNatEditBody>();
        while (true)
            if (Table(line, "fib") || Table(line, "rfib")) continue;
            else if (Address(line) is { } edit) edits.Add(edit);
            else break;
        if (edits.Count == 0) edits.AddRange([new("address", "0.0.0.0", Remove: true), new("address", "::", Remove: true)]);
        return Edit(line, edits);
    }

    /// <summary>if [del] [table include-v4|include-v6|k8s|host] IF: names of both families are one here.</summary>
    private static CnatCommand.EditSourceNat Interface(CnatLine line)
    {
        var isGone = line.Is("del");
        var among = "include";
        if (line.Is("table") && !line.Is("include-v4") && !line.Is("include-v6"))
            among = line.Is("k8s") ? "pod" : line.Is("host") ? "host" : throw line.Mistake();
        return Edit(line, new SourceNatEditBody(among, Links(line), Remove: isGone));
    }

    /// <summary>prefix [del] [src] PREFIX [fib 0] [rw ADDRESS]: the prefix sees the old source, or gets another in its place.</summary>
    private static CnatCommand.EditSourceNat PrefixOf(CnatLine line)
    {
        var isGone = line.Is("del");
        var isSource = line.Is("src");
        var prefix = line.Text("PREFIX", Network) ?? throw line.Mistake();
        Table(line, "fib");
        if (line.Is("rw") || line.Is("dst-rw"))
        {
            var to = line.Text("ADDRESS", CnatTerms.Address) ?? throw line.Mistake();
            return Edit(line, new SourceNatEditBody("rewrite", prefix, Of(prefix, to), isGone));
        }
        return Edit(line, new SourceNatEditBody(
            isSource ? "rewrite" : isGone ? EitherWay : "exclude", prefix, Remove: isSource || isGone));
    }

    /// <summary>As long as the one that it takes the place of.</summary>
    private static string Of(string prefix, string address)
    {
        var (from, to) = (Prefix.Parse(prefix), Net.Address.Parse(address));
        return to.Family == from.Family ? new Prefix(to, from.Length).ToString() : address;
    }

    private static string Links(CnatLine line) =>
        line.Text("INTERFACE", text => SourceNatWords.IsLink(text) ? text : null) ?? throw line.Mistake();
}
