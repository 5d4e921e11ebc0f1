using Calico.Bgp.Dataplane.Services;
using static Calico.Bgp.Bgpctl.Cnat.CnatTerms;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>What cnat has to look after by itself, and Linux does in its own way: the lines are known, and told where to look.</summary>
internal static class CnatElsewhere
{
    private static readonly CnatCommand Clients = new CnatCommand.NotHere(
        "clients are not made by hand here: `show client` lists the addresses of translations; the kernel knows whose answers are whose");

    /// <summary>show [cnat] feature-hooks</summary>
    public static CnatCommand Show(CnatLine line)
    {
        return line.Is("feature-hooks")
            ? new CnatCommand.NotHere("there are no hooks here: rules of nftables translate, and `nft list table inet bgpd` lists them")
            : throw line.Mistake();
    }

    /// <summary>client add PREFIX [fib N] [fwd-fib N] [return] [snat] [exclusive] [no-client]</summary>
    public static CnatCommand Client(CnatLine line)
    {
        if (!line.Is("add") || line.Text("PREFIX", Network) == null) throw line.Mistake();
        while (true)
        {
            if (line.Is("fib") || line.Is("fwd-fib")) Number(line, "NUMBER");
            else if (!line.Is("return") && !line.Is("snat") && !line.Is("exclusive") && !line.Is("no-client")) return Clients;
        }
    }

    /// <summary>log [enable|disable] [ip X]</summary>
    public static CnatCommand Log(CnatLine line)
    {
        if (!line.Is("enable")) line.Is("disable");
        if (line.Is("ip") && line.Text("ADDRESS", Address) == null) throw line.Mistake();
        return new CnatCommand.NotHere("sessions are not traced here: `conntrack -E --dst-nat` tells of each that comes or goes");
    }

    /// <summary>scanner on|off, as VPP's configuration has it, too.</summary>
    public static CnatCommand Scanner(CnatLine line) => line.Is("on") || line.Is("off")
        ? new CnatCommand.NotHere("there is no scanner here: the kernel forgets sessions by itself when their time is over")
        : throw line.Mistake();

    /// <summary>test [cnat] scanner on|off | test [cnat] log … | test [cnat] maglev tests N backends N len N</summary>
    public static CnatCommand Test(CnatLine line)
    {
        line.Is("cnat");
        if (line.Is("scanner")) return Scanner(line);
        if (line.Is("log")) return Log(line);
        return line.Is("maglev") ? Maglev(line) : throw line.Mistake();
    }

    private static CnatCommand.TestMaglev Maglev(CnatLine line)
    {
        var test = new CnatCommand.TestMaglev(Tests: 10, Backends: 10, ServiceSettings.DefaultMaglevSize);
        while (true)
            if (line.Is("tests")) test = test with { Tests = Number(line, "NUMBER") };
            else if (line.Is("backends"))
                test = test with { Backends = line.Reads("1-10000", Some, out var some) ? some : throw line.Mistake() };
            else if (line.Is("len"))
                test = test with { Length = line.Reads("PRIME (251 to 65537)", Prime, out var size) ? size : throw line.Mistake() };
            else return test;
    }

    private static int? Some(string text) => Int(text) is > 0 and <= 10_000 and var some ? some : null;

    private static int? Prime(string text) => MaglevTrial.IsSize(Int(text) ?? 0) ? Int(text) : null;
}
