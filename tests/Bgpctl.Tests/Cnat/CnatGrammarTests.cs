using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Cnat;

namespace Calico.Bgp.Bgpctl.Tests.Cnat;

public sealed class CnatGrammarTests
{
    private static CnatCommand Parse(string line) => CnatGrammar.Parse(new(line));

    private static string Added(string line) =>
        JsonSerializer.Serialize(((CnatCommand.Add)Parse(line)).Translation, AnswersJson.Legible.TranslationBody)
            .Replace("null", "-", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal);

    [Theory]
    [InlineData("cnat translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080",
        "{protocol:tcp,port:80,backends:[{to:20.0.0.1:8080,from:-,weight:-}],vip:30.0.0.2,real:-,balance:-,flowHash:-,affinity:-}")]
    [InlineData("cnat translation add proto TCP real 30.0.0.2 80 to 1.2.3.4->20.0.0.1 8080",
        "{protocol:tcp,port:80,backends:[{to:20.0.0.1:8080,from:1.2.3.4,weight:-}],vip:-,real:30.0.0.2,balance:-,flowHash:-,affinity:-}")]
    [InlineData("translation proto udp vip eth0 v6 53 default to 2001:db8::1 1024 -> 2001:db8::2 to->2001:db8::3 53",
        "{protocol:udp,port:53,backends:[{to:2001:db8::2,from:[2001:db8::1]:1024,weight:-},{to:[2001:db8::3]:53,from:-,weight:-}],"
        + "vip:eth0 v6,real:-,balance:-,flowHash:-,affinity:-}")]
    [InlineData("translation add proto SCTP real 30.0.0.2 7 noclient maglev flow-hash Source,DESTINATION to eth0->20.0.0.1:9 weight 3",
        "{protocol:sctp,port:7,backends:[{to:20.0.0.1:9,from:eth0,weight:3}],vip:-,real:30.0.0.2,balance:maglev,"
        + "flowHash:[source,destination],affinity:-}")]
    [InlineData("translation add proto tcp real 30.0.0.2 80 to ->8080 to 1.2.3.4->30.0.0.2 81",
        "{protocol:tcp,port:80,backends:[{to:30.0.0.2:8080,from:-,weight:-},{to:30.0.0.2:81,from:1.2.3.4,weight:-}],"
        + "vip:-,real:30.0.0.2,balance:-,flowHash:-,affinity:-}")]
    [InlineData("translation add proto udp real eth0 v6 53 to 2001:db8::1 -> 5353 weight 2",
        "{protocol:udp,port:53,backends:[{to:eth0 v6:5353,from:2001:db8::1,weight:2}],vip:-,real:eth0 v6,balance:-,flowHash:-,affinity:-}")]
    [InlineData("translation add proto any vip 30.0.0.2 to -> 20.0.0.1 0",
        "{protocol:any,port:0,backends:[{to:20.0.0.1,from:-,weight:-}],vip:30.0.0.2,real:-,balance:-,flowHash:-,affinity:-}")]
    [InlineData("translation add proto ICMP6 vip 2001:db8::1 to ->2001:db8::2",
        "{protocol:icmp,port:0,backends:[{to:2001:db8::2,from:-,weight:-}],vip:2001:db8::1,real:-,balance:-,flowHash:-,affinity:-}")]
    public void A_translation_is_read_as_cnat_writes_it(string line, string body) => Assert.Equal(body, Added(line));

    [Theory]
    [InlineData("cnat translation del 3", "Remove { Id = 3 }")]
    [InlineData("show cnat translation", "ShowTranslations { Id =  }")]
    [InlineData("cnat show translation", "ShowTranslations { Id =  }")]
    [InlineData("cnat show cnat translation 5", "ShowTranslations { Id = 5 }")]
    [InlineData("cnat purge", "Purge { }")]
    [InlineData("show cnat client", "ShowClients { Id =  }")]
    [InlineData("show client 3", "ShowClients { Id = 3 }")]
    [InlineData("test cnat maglev tests 5 backends 3 len 251", "TestMaglev { Tests = 5, Backends = 3, Length = 251 }")]
    [InlineData("test maglev", "TestMaglev { Tests = 10, Backends = 10, Length = 1009 }")]
    [InlineData("cnat explain 10.0.0.9:40000 30.0.0.2 TCP:80",
        "Explain { Packet = SaidPacket { Source = 10.0.0.9, SourcePort = 40000, Destination = 30.0.0.2, Protocol = tcp, Port = 80, "
        + "In = , Out =  } }")]
    [InlineData("explain [2001:DB8::9]:40000 2001:db8::2 icmp in eth0 out eth1",
        "Explain { Packet = SaidPacket { Source = 2001:db8::9, SourcePort = 40000, Destination = 2001:db8::2, Protocol = icmp, Port = , "
        + "In = eth0, Out = eth1 } }")]
    [InlineData("cnat session purge", "EndSessions { Which = SessionQuery { Id = , Translation = , Protocol = , Ip = , Port =  } }")]
    [InlineData("session purge all", "EndSessions { Which = SessionQuery { Id = , Translation = , Protocol = , Ip = , Port =  } }")]
    [InlineData("session purge 4000000000",
        "EndSessions { Which = SessionQuery { Id = 4000000000, Translation = , Protocol = , Ip = , Port =  } }")]
    [InlineData("session purge translation 2 proto UDP ip 2001:DB8::1 port 53",
        "EndSessions { Which = SessionQuery { Id = , Translation = 2, Protocol = udp, Ip = 2001:db8::1, Port = 53 } }")]
    [InlineData("cnat show session verbose", "ShowSessions { Which = SessionQuery { Id = , Translation = , Protocol = , Ip = , Port =  }, "
        + "Look = SessionLook { Verbose = True, Return = False, Most =  } }")]
    [InlineData("show cnat session verbose 2 return ip 10.0.0.1 port 80 proto tcp max 7",
        "ShowSessions { Which = SessionQuery { Id = , Translation = , Protocol = tcp, Ip = 10.0.0.1, Port = 80 }, "
        + "Look = SessionLook { Verbose = True, Return = True, Most = 7 } }")]
    [InlineData("translation del 7 --save", "Remove { Id = 7 }")]
    [InlineData("show session fib 0 proto udp",
        "ShowSessions { Which = SessionQuery { Id = , Translation = , Protocol = udp, Ip = , Port =  }, "
        + "Look = SessionLook { Verbose = False, Return = False, Most =  } }")]
    [InlineData("show cnat timestamp verbose 1",
        "ShowSessions { Which = SessionQuery { Id = , Translation = , Protocol = , Ip = , Port =  }, "
        + "Look = SessionLook { Verbose = True, Return = False, Most =  } }")]
    public void A_line_of_today_or_of_2020_asks_for_the_same(string line, string command) => Assert.Equal(command, Parse(line).ToString());

    [Theory]
    [InlineData("show cnat feature-hooks", "no hooks")]
    [InlineData("cnat client add 10.0.0.0/24 fib 1 fwd-fib 2 return snat exclusive no-client", "not made by hand")]
    [InlineData("cnat log enable ip 10.0.0.1", "not traced")]
    [InlineData("test cnat scanner off", "no scanner")]
    [InlineData("scanner on", "no scanner")]
    [InlineData("test cnat log disable", "not traced")]
    public void What_there_is_not_here_is_read_and_told(string line, string why) =>
        Assert.Contains(why, ((CnatCommand.NotHere)Parse(line)).Words, StringComparison.Ordinal);

    private static string Edits(string line)
    {
        var said = (CnatCommand.EditSourceNat)Parse(line);
        var edits = said.Edits.Select(one => $"{(one.Remove ? "no " : "")}{one.What} {one.Value}"
            + (one.To == null ? "" : $" to {one.To}") + (one.Cut ? ", cut" : ""));
        return string.Join("; ", edits) + (said.Save ? "; saved" : "");
    }

    [Theory]
    [InlineData("cnat snat with 30::1", "address 30::1")]
    [InlineData("cnat snat with 30.0.0.0/24 --save", "address 30.0.0.0/24; saved")]
    [InlineData("cnat snat with eth0 v6", "address eth0 v6")]
    [InlineData("cnat snat with eth0", "address eth0")]
    [InlineData("cnat snat exclude 20::/100", "exclude 20::/100")]
    [InlineData("cnat snat exclude del 20::/100", "no exclude 20::/100")]
    [InlineData("cnat snat exclude 20::/100 cut --save", "exclude 20::/100, cut; saved")]
    [InlineData("set interface feature tap0 ip6-cnat-snat arc ip6-unicast", "include tap0")]
    [InlineData("cnat set interface feature tap0 ip4-cnat-snat arc ip4-unicast disable", "no include tap0")]
    [InlineData("set cnat snat-policy k8s", "policy k8s")]
    [InlineData("set cnat snat-policy dnat-only fib 0", "policy dnat")]
    [InlineData("set cnat snat-policy addr 30.0.0.1 30::1 fib 0 rfib 0", "address 30.0.0.1; address 30::1")]
    [InlineData("set cnat snat-policy addr eth0 v6 --save", "address eth0 v6; saved")]
    [InlineData("set cnat snat-policy addr", "no address 0.0.0.0; no address ::")]
    [InlineData("set snat-policy if tap0", "include tap0")]
    [InlineData("set snat-policy if del table include-v6 tap0", "no include tap0")]
    [InlineData("set snat-policy if table k8s cali*", "pod cali*")]
    [InlineData("set snat-policy if table host eth0", "host eth0")]
    [InlineData("set cnat snat-policy prefix 20::/100", "exclude 20::/100")]
    [InlineData("set cnat snat-policy prefix del 20::/100", "no prefix 20::/100")]
    [InlineData("set cnat snat-policy prefix src 10.0.0.0/24 fib 0 rw 30.0.0.9", "rewrite 10.0.0.0/24 to 30.0.0.0/24")]
    [InlineData("set cnat snat-policy prefix del src 10.0.0.0/24", "no rewrite 10.0.0.0/24")]
    [InlineData("set cnat feature tap0 enable", "include tap0")]
    [InlineData("set cnat feature tap0 disable", "no include tap0")]
    public void A_line_of_source_NAT_says_one_thing_or_several(string line, string edits) => Assert.Equal(edits, Edits(line));

    [Theory]
    [InlineData("show cnat snat-policy")]
    [InlineData("show cnat snat")]
    public void Source_NAT_is_shown(string line) => Assert.IsType<CnatCommand.ShowSourceNat>(Parse(line));

    [Theory]
    [InlineData("translate",
        "expected cnat, translation, session, show, explain, purge, snat, set, client, log, scanner or test, got \"translate\"", 0)]
    [InlineData("cnat", "got the end of the line", 5)]
    [InlineData("translation add proto gre vip 1.1.1.1", "expected tcp, udp, sctp, icmp, any or icmp6, got \"gre\"", 22)]
    [InlineData("translation add proto tcp vip 30.0.0.2 to ->1.1.1.1", "expected PORT (0: all), got \"to\"", 39)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80", "or to, got the end of the line", 42)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 noclient to ->1.1.1.1", "got \"noclient\"", 42)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to 99->1.1.1.1",
        "expected ADDRESS or INTERFACE [v6] (the kernel chooses the port of a client that keeps its address) or ->, got \"99\"", 45)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to ->99",
        "expected ADDRESS or INTERFACE [v6] (a vip is nobody's, so that none of its ports leads anywhere), got \"99\"", 47)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to ->1.1.1.300", "expected ADDRESS or INTERFACE [v6], got \"1.1.1.300\"", 47)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to ->1.1.1.1:nonat", "without :nonat", 47)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to ->1.1.1.1 80 81",
        "weight, to, --save, --force or the end of the line, got \"81\"", 58)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 flow-hash weather to ->1.1.1.1", "got \"weather\"", 52)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to - 8080", "in quotes: a shell", 45)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to 1.2.3.4- 8080", "in quotes: a shell", 45)]
    [InlineData("cant show translation", "cant is a slip of cnat's documentation", 0)]
    [InlineData("explain 10.0.0.9 30.0.0.2 tcp80", "expected PROTOCOL:PORT, got \"tcp80\"", 26)]
    [InlineData("explain 10.0.0.9 30.0.0.2 icmp:8", "expected PROTOCOL:PORT, got \"icmp:8\"", 26)]
    [InlineData("explain eth0 30.0.0.2 tcp:80", "expected SOURCE[:PORT], got \"eth0\"", 8)]
    [InlineData("test maglev len 1000", "expected PRIME (251 to 65537), got \"1000\"", 16)]
    [InlineData("translation del web", "expected ID, got \"web\"", 16)]
    [InlineData("show session ip 10.0.0", "expected ADDRESS, got \"10.0.0\"", 16)]
    [InlineData("show session ref 2", "(the kernel has one entry for both directions, and counts no references), got \"ref\"", 13)]
    [InlineData("show session fib 1", "expected 0 (packets of other tables", 17)]
    [InlineData("show session weather", "or the end of the line, got \"weather\"", 13)]
    [InlineData("snat exclude 20::/100 ex_ctl _calico_master", "ex_ctl is a word of the tool", 22)]
    [InlineData("cnat ex_ctl _calico_master show session", "expected a command (ex_ctl is a word of the tool", 5)]
    [InlineData("ex_ctl _calico_master cnat show session", "expected a command (ex_ctl is a word of the tool", 0)]
    [InlineData("set snat-policy k8s fib 1", "expected 0 (packets of other tables", 24)]
    [InlineData("snat with weather/8", "expected ADDRESS, PREFIX or INTERFACE [v6], got \"weather/8\"", 10)]
    [InlineData("snat with 30::/32", "expected ADDRESS, PREFIX or INTERFACE [v6], got \"30::/32\"", 10)]
    [InlineData("set interface feature tap0 ip6-cnat-snat arc weather", "expected ip6-unicast, got \"weather\"", 45)]
    [InlineData("set interface feature tap0 ip4-cnat-snat arc ip6-unicast", "expected ip4-unicast, got \"ip6-unicast\"", 45)]
    public void A_mistake_is_told_with_what_was_expected_and_its_place(string line, string words, int column)
    {
        var mistake = Assert.Throws<CnatMistake>(() => Parse(line)).Message.Split('\n');
        Assert.Contains(words, mistake[0], StringComparison.Ordinal);
        Assert.Equal(($"  {line}", $"  {new string(' ', column)}^"), (mistake[1], mistake[2]));
    }

    [Theory]
    [InlineData("to ->1.1.1.1 ", 20, "", 20)]
    [InlineData("", 20, "to ->1.1.1.1 ", 20)]
    [InlineData("to ->1.1.1.1 ", 1, "to ->1.1.1.1 ", 20)]
    public void Of_a_long_line_what_stands_around_a_mistake_is_shown(string before, int some, string behind, int more)
    {
        string Many(string words, int times) => string.Concat(Enumerable.Repeat(words, times));
        var line = $"translation add proto tcp vip 30.0.0.2 80 {Many(before, some)}weather {Many(behind, more)}";
        var mistake = Assert.Throws<CnatMistake>(() => Parse(line)).Message.Split('\n');
        Assert.StartsWith("weather", mistake[1][mistake[2].IndexOf('^', StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.InRange(mistake[1].Length, 100, 104);
    }

    [Theory]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to ->20.0.0.1 8080", false)]
    [InlineData("translation add proto tcp vip 30.0.0.2 80 to ->20.0.0.1 8080 weight 2 --save", true)]
    public void A_translation_is_saved_where_that_is_said(string line, bool save) =>
        Assert.Equal(save, ((CnatCommand.Add)Parse(line)).Save);

    [Theory]
    [InlineData("", "cnat translation session show explain purge snat set client log scanner test")]
    [InlineData("cnat show ", "cnat translation session client timestamp snat snat-policy feature-hooks")]
    [InlineData("translation add proto tcp vip 30.0.0.2 ", "PORT")]
    [InlineData("translation add proto tcp real eth0 80 ", "noclient default maglev flow-hash to")]
    [InlineData("session purge 7 ", "")]
    [InlineData("show session ", "verbose return max fib ip port proto translation")]
    [InlineData("show weather ", "")]
    public void What_may_come_next_is_what_the_grammar_looks_for(string said, string words) =>
        Assert.Equal(words, string.Join(' ', CnatGrammar.Expected(said)));
}
