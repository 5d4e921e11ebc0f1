// Lines of cnat's command line → what they ask for: VPP's grammar of today, and that of 2020, which its texts still print.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane.Services;
using static Calico.Bgp.Bgpctl.Cnat.CnatTerms;

namespace Calico.Bgp.Bgpctl.Cnat;

internal static class CnatGrammar
{
    /// <exception cref="CnatMistake">It is no such line.</exception>
    public static CnatCommand Parse(CnatLine line)
    {
        line.Is("cnat");
        var command = Command(line);
        line.End();
        return command;
    }

    /// <summary>What may stand behind these words.</summary>
    public static IReadOnlyList<string> Expected(string said)
    {
        var line = new CnatLine(said);
        try
        {
            Parse(line);
        }
        catch (CnatMistake)
        {
            // Where the words end too early, the line knows what was looked for there.
        }
        return line.Expected;
    }

    private static CnatCommand Command(CnatLine line)
    {
        if (line.IsNext("cant")) throw line.Mistake("cnat (cant is a slip of cnat's documentation)");
        if (line.IsNext(Relic)) throw line.Mistake($"a command ({OfRelic})");
        if (line.Is("translation")) return Translation(line);
        if (line.Is("session")) return Session(line);
        if (line.Is("show")) return Show(line);
        if (line.Is("explain")) return Explain(line);
        if (line.Is("purge")) return new CnatCommand.Purge();
        if (line.Is("snat")) return CnatSourceNat.Snat(line);
        if (line.Is("set")) return CnatSourceNat.Set(line);
        if (line.Is("client")) return CnatElsewhere.Client(line);
        if (line.Is("log")) return CnatElsewhere.Log(line);
        if (line.Is("scanner")) return CnatElsewhere.Scanner(line);
        return line.Is("test") ? CnatElsewhere.Test(line) : throw line.Mistake();
    }

    /// <summary>translation [add|del ID] proto P vip|real EP [noclient] [default|maglev] [flow-hash FIELD,…] to TUPLE [to TUPLE]…
    /// [--save] [--force]</summary>
    private static CnatCommand Translation(CnatLine line)
    {
        if (line.Is("del"))
        {
            var id = Number(line, "ID");
            line.Is("--save"); // What goes is saved no more, whether that is said or not.
            return new CnatCommand.Remove(id);
        }
        line.Is("add");
        if (!line.Is("proto")) throw line.Mistake();
        var protocol = Protocol(line);
        var isReal = line.Is("real");
        if (!isReal && !line.Is("vip")) throw line.Mistake();
        var place = Place(line) ?? throw line.Mistake();
        var port = line.Reads("PORT", Port, out var said) ? said
            : protocol is "icmp" or "any" ? (ushort)0 : throw line.Mistake("PORT (0: all)");
        // There is no client to be made of a real address, and of a vip everything else is dropped.
        if (isReal) line.Is("noclient");
        var isMaglev = !line.Is("default") && line.Is("maglev");
        var fields = line.Is("flow-hash") ? Fields(line) : null;
        var backends = new List<BackendBody>();
        while (line.Is("to")) backends.Add(Tuple(line, place, isReal));
        if (backends.Count == 0) throw line.Mistake();
        var (save, force) = (false, false);
        while (line.Is("--save") ? save = true : line.Is("--force") && (force = true)) { }
        return new CnatCommand.Add(
            new(protocol, port, backends, isReal ? null : place, isReal ? place : null, isMaglev ? "maglev" : null, fields), save, force);
    }

    private static string[] Fields(CnatLine line)
    {
        static string? Read(string text)
        {
            string?[] words = [.. text.Split(',').Select(one =>
                TranslationWords.FlowHashFields.FirstOrDefault(word => word.Equals(one, StringComparison.OrdinalIgnoreCase)))];
            return words.Contains(null) ? null : string.Join(',', words);
        }

        var what = $"one or more of {TranslationWords.FlowHashWords}, with commas between them";
        return (line.Text(what, Read) ?? throw line.Mistake()).Split(',');
    }

    /// <summary>[EP]->EP [weight N]; where EP is a port alone, the address stays.</summary>
    private static BackendBody Tuple(CnatLine line, string place, bool isReal)
    {
        if (line.IsArrowCut) throw line.Mistake("'[EP]->EP' in quotes: a shell takes > for the name of a file to write to");
        if (line.IsNextReading(Port))
            throw line.Mistake("ADDRESS or INTERFACE [v6] (the kernel chooses the port of a client that keeps its address) or ->");
        var from = line.IsNext(CnatLine.Arrow) ? null : End(line);
        if (!line.Is(CnatLine.Arrow)) throw line.Mistake();
        var to = isReal ? PortThere(line, place) ?? End(line) : End(line);
        if (to == null && line.IsNextReading(Port))
            throw line.Mistake("ADDRESS or INTERFACE [v6] (a vip is nobody's, so that none of its ports leads anywhere)");
        if (line.IsNextEnding(":nonat")) throw line.Mistake("a backend without :nonat (packets go to backends translated, or not at all)");
        if (to == null) throw line.Mistake();
        return new(to, from, line.Is("weight") ? Number(line, "NUMBER") : null);
    }

    /// <summary>Of the address that the packets are sent to; null: there is none.</summary>
    private static string? PortThere(CnatLine line, string place) => line.Reads("PORT", Port, out var port)
        ? (TranslationWords.End(place)!.Value with { Port = port == 0 ? null : port }).ToString() : null;

    /// <summary>session purge [all|ID|FILTER]</summary>
    private static CnatCommand.EndSessions Session(CnatLine line)
    {
        if (!line.Is("purge")) throw line.Mistake();
        if (line.Is("all")) return new CnatCommand.EndSessions(new());
        if (line.Reads("ID", Long, out var id)) return new CnatCommand.EndSessions(new() { Id = id });
        var which = new SessionQuery();
        while (Filters(line, ref which)) { }
        return new CnatCommand.EndSessions(which);
    }

    /// <summary>explain SRC[:PORT] DST PROTO[:PORT] [in IF] [out IF]</summary>
    private static CnatCommand.Explain Explain(CnatLine line)
    {
        var (source, sourcePort) = AddressAndPort(line, "SOURCE[:PORT]");
        var destination = line.Text("DESTINATION", Address) ?? throw line.Mistake();
        if (!line.Reads("PROTOCOL:PORT", ProtocolAndPort, out var asked)) throw line.Mistake();
        var packet = new SaidPacket(source, sourcePort, destination, asked.Protocol, asked.Port);
        while (true)
            if (line.Is("in")) packet = packet with { In = Interface(line) };
            else if (line.Is("out")) packet = packet with { Out = Interface(line) };
            else return new(packet);
    }

    private static CnatCommand Show(CnatLine line)
    {
        line.Is("cnat");
        if (line.Is("translation")) return new CnatCommand.ShowTranslations(line.Reads("ID", Int, out var id) ? id : null);
        if (line.Is("session")) return Sessions(line);
        if (line.Is("client")) return new CnatCommand.ShowClients(line.Reads("ID", Int, out var client) ? client : null);
        if (line.Is("timestamp")) return new CnatCommand.ShowSessions(new(), new(Verbose: Verbose(line) || true, Return: false, null));
        if (line.Is("snat") || line.Is("snat-policy")) return new CnatCommand.ShowSourceNat();
        return CnatElsewhere.Show(line);
    }

    /// <summary>session [verbose [N]] [return] [ip X] [port N] [proto P] [fib 0] [translation ID] [max N], in whichever
    /// order.</summary>
    private static CnatCommand.ShowSessions Sessions(CnatLine line)
    {
        var (which, look) = (new SessionQuery(), new SessionLook(false, false, null));
        while (true)
        {
            if (Verbose(line)) look = look with { Verbose = true };
            else if (line.Is("return")) look = look with { Return = true };
            else if (line.Is("max")) look = look with { Most = Number(line, "NUMBER") };
            else if (!Filters(line, ref which)) return new(which, look);
        }
    }

    private static bool Verbose(CnatLine line)
    {
        if (!line.Is("verbose")) return false;
        line.Reads("NUMBER", Int, out _);
        return true;
    }

    private static bool Filters(CnatLine line, ref SessionQuery which)
    {
        if (line.IsNext("ref"))
            throw line.Mistake(
                "ip, port, proto, translation or max (the kernel has one entry for both directions, and counts no references)");
        if (Table(line, "fib")) return true;
        if (line.Is("ip")) which = which with { Ip = line.Text("ADDRESS", Address) ?? throw line.Mistake() };
        else if (line.Is("port")) which = which with { Port = line.Reads("PORT", Port, out var port) ? port : throw line.Mistake() };
        else if (line.Is("proto")) which = which with { Protocol = Protocol(line) };
        else if (line.Is("translation")) which = which with { Translation = Number(line, "ID") };
        else return false;
        return true;
    }
}
