using static Calico.Bgp.Bgpctl.Cnat.CnatTerms;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>cnat's source NAT: its lines are known, and bgpd has no such NAT yet.</summary>
internal static class CnatSourceNat
{
    public static readonly CnatCommand Missing = new CnatCommand.NotHere(
        "bgpd has no source NAT of services yet; what leaves pods is translated by IPPools' natOutgoing (`bgpctl nat`)");

    /// <summary>snat with PLACE | snat exclude [del] PREFIX</summary>
    public static CnatCommand Snat(CnatLine line)
    {
        if (line.Is("with")) return Place(line) == null ? throw line.Mistake() : Missing;
        if (!line.Is("exclude")) throw line.Mistake();
        line.Is("del");
        if (line.Text("PREFIX", Network) == null) throw line.Mistake();
        return line.IsNext("ex_ctl")
            ? throw line.Mistake("the end of the line (ex_ctl is a word of the tool that made cnat's documentation)") : Missing;
    }

    /// <summary>set [cnat] snat-policy … | set [cnat] feature IF [enable|disable]
    /// | set interface feature IF ARC-FEATURE arc ARC</summary>
    public static CnatCommand Set(CnatLine line)
    {
        line.Is("cnat");
        if (line.Is("snat-policy")) return Policy(line);
        if (line.Is("feature"))
        {
            Interface(line);
            if (!line.Is("enable")) line.Is("disable");
            return Missing;
        }
        if (!line.Is("interface") || !line.Is("feature")) throw line.Mistake();
        Interface(line);
        if ((!line.Is("ip4-cnat-snat") && !line.Is("ip6-cnat-snat")) || !line.Is("arc")) throw line.Mistake();
        return line.Is("ip4-unicast") || line.Is("ip6-unicast") ? Missing : throw line.Mistake();
    }

    private static CnatCommand Policy(CnatLine line)
    {
        if (line.Is("addr"))
            while (Number(line, "fib") || Number(line, "rfib") || Place(line) != null) { }
        else if (line.Is("if"))
        {
            line.Is("del");
            if (line.Is("table") && !line.Is("include-v4") && !line.Is("include-v6") && !line.Is("k8s") && !line.Is("host"))
                throw line.Mistake();
            Interface(line);
        }
        else if (line.Is("prefix"))
        {
            line.Is("del");
            line.Is("src");
            if (line.Text("PREFIX", Network) == null) throw line.Mistake();
            Number(line, "fib");
            if ((line.Is("rw") || line.Is("dst-rw")) && line.Text("ADDRESS", Address) == null) throw line.Mistake();
        }
        else if (line.Is("none") || line.Is("if-pfx") || line.Is("k8s") || line.Is("dnat") || line.Is("dnat-only")) Number(line, "fib");
        else throw line.Mistake();
        return Missing;
    }

    /// <summary>Whether the word comes, and a number behind it.</summary>
    private static bool Number(CnatLine line, string word)
    {
        if (!line.Is(word)) return false;
        CnatTerms.Number(line, "NUMBER");
        return true;
    }
}
