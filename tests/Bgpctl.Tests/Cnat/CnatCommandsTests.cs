using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl.Tests.Cnat;

/// <summary>bgpctl cnat against the real HTTP server.</summary>
public sealed class CnatCommandsTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    private async Task<string> RunAsync(string line, int expected = 0)
    {
        lab.Output.GetStringBuilder().Clear();
        var code = await lab.RunAsync(["cnat", .. line.Split(' ')]);
        Assert.Equal((expected, expected == 0 ? "" : lab.Errors.ToString()), (code, lab.Errors.ToString()));
        return lab.Output.ToString();
    }

    /// <summary>Their columns a space apart.</summary>
    private static string[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    [Fact]
    public async Task A_translation_is_added_shown_by_its_id_and_removed()
    {
        Assert.Equal("translation 0 is in force, until bgpd ends\n",
            await RunAsync("translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080"));
        Assert.Equal("TCP 30.0.0.2 80: ->20.0.0.1:8080",
            lab.Dataplane.Translations.Row(0) is { Translation: { Kind: TranslationKind.Vip } one }
                ? $"{one.Key}: {string.Join(' ', one.Backends)}" : "");
        await RunAsync("translation add proto udp real 30.0.0.3 53 maglev to 1.2.3.4->20.0.0.1 to ->20.0.0.2 weight 2");
        Assert.Equal(
            [
                "ID PROTO KIND ADDRESS PORT TO BALANCE OF STATE",
                "0 tcp vip 30.0.0.2 80 ->20.0.0.1:8080 hash cli in force",
                "1 udp real 30.0.0.3 53 1.2.3.4->20.0.0.1, ->20.0.0.2 weight 2 maglev 0123456789abcdef cli in force",
            ],
            Lines(await RunAsync("show translation")));
        Assert.StartsWith("ID", await RunAsync("show cnat translation 1"), StringComparison.Ordinal);
        Assert.Equal("translation 0 is gone\n", await RunAsync("translation del 0"));
        await RunAsync("show translation 0", expected: 1);
        Assert.Contains("no translation 0", lab.Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_are_shown_with_what_made_them_and_verbose_with_counters_and_age()
    {
        Assert.Equal(
            [
                "ID TRANSLATION PROTO CLIENT TO BACKEND AS STATE LEFT",
                "7 0 tcp 10.0.0.9:40001 30.0.0.2:80 20.0.0.1:8080 10.0.0.9:40001 established 59m59s",
                "8 1 udp [2001:db8::9]:5353 [2001:db8:1::1]:53 [2001:db8:2::1]:53 [2001:db8:3::1]:1024 unanswered 12s",
            ],
            Lines(await RunAsync("show session")));
        var verbose = Lines(await RunAsync("show session verbose ip 10.0.0.9 max 5"));
        Assert.EndsWith("established 59m59s 2m00s 5 packets, 500 B 4 packets, 4000 B", verbose[1], StringComparison.Ordinal);
        Assert.Equal(
            "tell SessionFilter { Id = , Translation = , Protocol = , Address = 10.0.0.9, Port =  }", lab.Dataplane.SessionOrders[^1]);
        Assert.StartsWith("7 0 tcp 20.0.0.1:8080 10.0.0.9:40001 30.0.0.2:80 10.0.0.9:40001 ",
            Lines(await RunAsync("show session return"))[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_end_by_id_by_filter_and_all_and_purge_takes_what_the_command_line_added_too()
    {
        Assert.Equal("2 sessions ended\n", await RunAsync("session purge 7"));
        await RunAsync("session purge translation 1 proto icmp");
        lab.Dataplane.HasSessions = false;
        foreach (var (line, words) in ((string, string)[])
            [
                ("session purge 4711", "expected the id of a session, got 4711: there is none"),
                ("session purge translation 4711", "expected the id of a translation, got 4711: there is none"),
                ("show session translation 4711", "expected the id of a translation, got 4711: there is none"),
            ])
        {
            await RunAsync(line, expected: 1);
            Assert.Contains(words, lab.Errors.ToString(), StringComparison.Ordinal);
            lab.Errors.GetStringBuilder().Clear();
        }
        Assert.Equal("0 sessions ended\n", await RunAsync("session purge port 4711"));
        (lab.Dataplane.HasSessions, _) = (true, lab.Dataplane.SessionOrders.RemoveAll(one => one.Contains("4711")));
        await RunAsync("translation add proto tcp vip 30.0.0.2 80 to ->20.0.0.1");
        lab.Dataplane.Translations.Put(TranslationSource.File, lab.Dataplane.Translations.Row(0)!.Translation);
        Assert.Equal("2 sessions ended\ntranslation 0 is gone\nsource NAT is as bgpd.yaml says\n", await RunAsync("purge"));
        Assert.Equal(
            ["Id = 7, Translation = , Protocol = ", "Id = , Translation = 1, Protocol = Icmp", "Id = , Translation = , Protocol = "],
            lab.Dataplane.SessionOrders.Select(order => order.Split("{ ")[1].Split(", Address")[0]));
        Assert.Equal(TranslationSource.File, Assert.Single(lab.Dataplane.Translations.Rows).Source);
    }

    [Fact]
    public async Task What_is_saved_is_told_with_the_file()
    {
        Assert.Equal($"translation 0 is in force, and saved in {lab.SavedIn}, which is bgpd's own\n",
            await RunAsync("translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080 --save"));
        Assert.Contains("cli, saved", await RunAsync("show translation"), StringComparison.Ordinal);
        Assert.Equal($"translation 0 is gone, from {lab.SavedIn}, too\n", await RunAsync("translation del 0"));
    }

    [Fact]
    public async Task What_waits_when_it_is_added_is_told_as_it_is_shown()
    {
        lab.Dataplane.Lacks = "eth9 has no address of IPv4";
        Assert.Equal("translation 0 waits: eth9 has no address of IPv4; it is kept until bgpd ends\n",
            await RunAsync("translation add proto TCP vip eth9 80 to ->20.0.0.1"));
        Assert.Equal($"translation 0 waits: eth9 has no address of IPv4; it is kept in {lab.SavedIn}, which is bgpd's own\n",
            await RunAsync("translation add proto TCP vip eth9 80 to ->20.0.0.1 --save"));
        lab.Dataplane.Translations.Put(TranslationSource.File, lab.Dataplane.Translations.Row(0)!.Translation with { Name = "web" });
        const string other = "waits: translation 1 (bgpd.yaml, web) has its address, protocol and port";
        Assert.Equal($"translation 0 {other}; it is kept until bgpd ends\n",
            await RunAsync("translation add proto TCP vip eth9 80 to ->20.0.0.1"));
        Assert.EndsWith($" cli, saved {other}", Lines(await RunAsync("show translation 0"))[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_take_that_by_which_the_node_is_reached_is_refused_and_forced_it_is_told()
    {
        lab.Dataplane.Takes = "it takes SSH";
        await RunAsync("translation add proto TCP real eth0 22 to ->20.0.0.1", expected: 1);
        Assert.Contains("bgpctl: the translation is not added: it takes SSH (--force, ", lab.Errors.ToString(), StringComparison.Ordinal);
        lab.Errors.GetStringBuilder().Clear();
        Assert.Equal("translation 0 is in force, until bgpd ends\n  it takes SSH\n",
            await RunAsync("translation add proto TCP real eth0 22 to ->20.0.0.1 --force"));
        Assert.Equal($"translation 0 is in force, and saved in {lab.SavedIn}, which is bgpd's own\n  it takes SSH\n",
            await RunAsync("translation add proto TCP real eth0 22 to ->20.0.0.1 --force --save"));
    }

    [Fact]
    public async Task Of_many_backends_a_list_shows_the_first_and_the_translation_by_itself_all()
    {
        var to = string.Join(' ', Enumerable.Range(1, 5).Select(i => $"to ->20.0.0.{i}"));
        await RunAsync($"translation add proto tcp vip 30.0.0.2 80 {to}");
        await RunAsync("translation add proto tcp vip 30.0.0.3 80 to ->20.0.0.1");
        Assert.Equal("0 tcp vip 30.0.0.2 80 ->20.0.0.1, ->20.0.0.2, ->20.0.0.3 and 2 more hash cli in force",
            Lines(await RunAsync("show translation"))[1]);
        Assert.Contains("->20.0.0.3, ->20.0.0.4, ->20.0.0.5", await RunAsync("show translation 0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_lines_are_told_to_whoever_asks_for_help() =>
        Assert.Contains("translation add proto", await RunAsync("help"), StringComparison.Ordinal);

    [Fact]
    public async Task Where_the_section_is_there_and_cannot_be_in_force_the_daemons_reason_is_told()
    {
        lab.Dataplane.HasServices = false;
        await RunAsync("show translation", expected: 1);
        Assert.Contains("services are off: bgpd.yaml has no section services", lab.Errors.ToString(), StringComparison.Ordinal);
        lab.Errors.GetStringBuilder().Clear();
        lab.Dataplane.View = lab.Dataplane.View with { Problem = "services: nftables cannot be spoken to" };
        const string words = "services are not in force: services: nftables cannot be spoken to";
        foreach (var line in (string[])["show translation 7", "show session"])
        {
            await RunAsync(line, expected: 1);
            Assert.Contains(words, lab.Errors.ToString(), StringComparison.Ordinal);
            lab.Errors.GetStringBuilder().Clear();
        }
    }

    [Fact]
    public async Task Status_counts_translations_and_names_what_is_not_done()
    {
        lab.Dataplane.Services = new(true, 3, 0, []);
        Assert.Equal(0, await lab.RunAsync("status"));
        Assert.Contains("services 3 translations", Lines(lab.Output.ToString()));
        lab.Dataplane.Services = new(true, 3, 1, ["Service/shop/web: health check port 30100 is not to be had", "another"]);
        Assert.Equal(0, await lab.RunAsync("status"));
        Assert.Contains("services 3 translations, of which 1 waits; Service/shop/web: health check port 30100 is not to be had; "
            + "and 1 more (bgpctl cnat show translation)", Lines(lab.Output.ToString()));
        lab.Dataplane.Services = new(true, 3, 0, ["it takes SSH", "it takes BGP", "another"])
        {
            NodeTaken = ["it takes SSH", "it takes BGP"],
        };
        lab.Output.GetStringBuilder().Clear();
        Assert.Equal(0, await lab.RunAsync("status"));
        Assert.Contains("services 3 translations; it takes SSH; it takes BGP; and 1 more (bgpctl cnat show translation)",
            Lines(lab.Output.ToString()));
        Assert.Contains("state ready for routes; translations take what this node is reached or kept by (services, below)",
            Lines(lab.Output.ToString()));
    }

    [Fact]
    public async Task A_connection_is_explained_by_what_the_rules_make_of_it()
    {
        await RunAsync("translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080 to 1.2.3.4->20.0.0.2");
        var end = new TranslationEnd(PacketVerdict.Accept, End("20.0.0.2", 80), true, End("1.2.3.4", null), true, "chain svc: dnat");
        lab.Dataplane.Explanation = new(lab.Dataplane.Translations.Row(0), [end]) { Interface = "v0", Session = lab.Dataplane.Sessions[0] };
        Assert.Equal(
            [
                "it goes to 20.0.0.2:80",
                "session 7 is there (established): until it ends it goes to 20.0.0.1:8080, as 10.0.0.9:40001",
                "- translation 0 (cli) takes it, and has 2 backends, of which the hash chooses by source, destination, sourcePort, "
                + "destinationPort, protocol",
                "- its source becomes 1.2.3.4, and a port that the kernel chooses", "- it leaves by v0", "rule: chain svc: dnat",
            ],
            Lines(await RunAsync("explain 10.0.0.9:40001 30.0.0.2 tcp:80 in eth0")));
        Assert.Equal("10.0.0.9:40001 30.0.0.2:80 Tcp", lab.Dataplane.Explained);
        lab.Dataplane.Explanation = new(null, [end with { Verdict = PacketVerdict.Drop, To = End("30.0.0.2", 81), IsTranslated = false }]);
        Assert.Equal("it is dropped\n- no translation takes it\nrule: chain svc: dnat\n",
            await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:81"));
        lab.Dataplane.Explanation = new(null,
            [end with { Verdict = PacketVerdict.Drop, To = End("30.0.0.2", 81), IsTranslated = false, IsRejected = true }]);
        Assert.StartsWith("it is refused, and its source is told so\n", await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:81"),
            StringComparison.Ordinal);
        var row = lab.Dataplane.Translations.Row(0)!;
        lab.Dataplane.Explanation = new(row with { Translation = row.Translation with { Backends = [] } }, [end]);
        Assert.Contains("takes it, and has backends for this node and its pods alone\n",
            await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:80"), StringComparison.Ordinal);
        lab.Dataplane.Explanation = lab.Dataplane.Explanation with
        {
            Ends = [end with { DependsOn = ["one"] }, end with { DependsOn = ["other"], From = null }],
        };
        Assert.Contains("takes it, and has backends for this node and its pods alone\n",
            await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:80"), StringComparison.Ordinal);
        lab.Dataplane.Explanation = new(null, [end with { IsTranslated = false }]);
        Assert.Equal("it goes on to 30.0.0.2, as 1.2.3.4\n- no translation takes it\n- its source becomes 1.2.3.4, and a port that the "
            + "kernel chooses\nrule: chain svc: dnat\n", await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:81"));
        lab.Dataplane.Explanation = new(null, [end with { IsTranslated = false, IsFromElse = false }]);
        Assert.StartsWith("it goes on to 30.0.0.2 as it is\n", await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:81"),
            StringComparison.Ordinal);
        lab.Dataplane.Explanation = new(null, [end with { IsTranslated = false, From = null }]);
        Assert.Contains("- its source becomes one of several addresses, which the kernel chooses\n",
            await RunAsync("explain 10.0.0.9 30.0.0.2 tcp:81"), StringComparison.Ordinal);
        lab.Dataplane.Explanation = new(null, [end with { Verdict = PacketVerdict.Open, IsTranslated = false, DependsOn = ["the port"] }]);
        Assert.Equal("it depends on the port\n- no translation takes it\n- the port: it cannot be told which way it goes\n",
            await RunAsync("explain 2001:db8::9 2001:db8::2 icmp"));
        Assert.Equal("2001:db8::9: 2001:db8::2: Icmp6", lab.Dataplane.Explained);
    }

    [Theory]
    [InlineData(true, "it would go to 20.0.0.2:80, and no route leads there")]
    [InlineData(false, "it would go on to 30.0.0.2, and no route leads there")]
    public async Task A_connection_to_where_no_route_leads_is_not_said_to_get_there(bool isTranslated, string words)
    {
        var end = new TranslationEnd(PacketVerdict.Accept, End("20.0.0.2", 80), isTranslated, End("10.0.0.9", 5), false, "chain svc: dnat");
        lab.Dataplane.Explanation = new(null, [end]) { NoRoute = Address.Parse("20.0.0.2") };
        Assert.Equal(
            [
                words, "- no translation takes it", "- its source stays 10.0.0.9:5",
                "- no route leads to 20.0.0.2: it goes no further than this node", "rule: chain svc: dnat",
            ], Lines(await RunAsync("explain 10.0.0.9:5 30.0.0.2 tcp:80")));
    }

    [Fact]
    public async Task A_port_alone_is_said_to_be_taken_for_the_number_of_a_protocol()
    {
        lab.Dataplane.Explanation = new(null, [new(PacketVerdict.Drop, End("30.0.0.2", null), false, null, false, null)]);
        Assert.Equal(
            [
                "it is dropped", "- 80 is taken for the number of an IP protocol; the port is asked about by tcp:80 or udp:80",
                "- no translation takes it",
            ], Lines(await RunAsync("explain 10.0.0.9:5 30.0.0.2 80")));
    }

    [Fact]
    public async Task Until_the_objects_are_read_services_are_not_said_to_be_off()
    {
        lab.Dataplane.HasServices = false;
        lab.Dataplane.Services = ServicesStatus.Off with { IsBeginning = true };
        await RunAsync("show translation", expected: 1);
        Assert.Equal("bgpctl: services are not in force: its objects have not all been read yet: what was in force before is so still\n",
            lab.Errors.ToString());
        await lab.RunAsync("status");
        Assert.Matches("\nservices +waits: its objects have not all been read yet: what was in force before is so still\n",
            lab.Output.ToString());
    }

    [Fact]
    public async Task Whom_pods_of_this_node_get_in_the_place_of_others_is_shown_beside_them()
    {
        Backend To(string address) => new(Backend.Unchanged, End(address, 8080));
        var one = new Translation("shop/web", TranslationKind.Real,
            new(TranslationPlace.Of(Address.Parse("203.0.113.12")), Kernel.Nftables.IpProtocol.Tcp, 80), [])
        {
            Inside = [To("20.0.0.3"), To("20.0.0.4")],
        };
        lab.Dataplane.Translations.Put(TranslationSource.Kubernetes, one);
        lab.Dataplane.Translations.Put(TranslationSource.Kubernetes,
            one with { Key = new(one.Key.Place, one.Key.Protocol, 81), Backends = [To("20.0.0.3")], Inside = [To("20.0.0.3")] });
        var shown = Lines(await RunAsync("show translation"));
        Assert.StartsWith("0 tcp real 203.0.113.12 80 nobody; of this node and its pods: ->20.0.0.3:8080, ->20.0.0.4:8080 hash", shown[1],
            StringComparison.Ordinal);
        Assert.StartsWith("1 tcp real 203.0.113.12 81 ->20.0.0.3:8080 hash", shown[2], StringComparison.Ordinal);
    }

    private static BackendEnd End(string address, ushort? port) => new(TranslationPlace.Of(Address.Parse(address)), port);

    [Fact]
    public async Task Where_only_the_source_depends_where_it_goes_is_told_first_and_each_way_as_whom()
    {
        var end = new TranslationEnd(PacketVerdict.Accept, End("20.0.0.2", 80), true, End("1.2.3.4", 40001), true, null);
        lab.Dataplane.Explanation = new(null,
        [
            end with { DependsOn = ["the interface that it comes in by (iifname \"c0\")"] },
            end with { From = End("10.0.0.9", 40001), IsFromElse = false, DependsOn = ["the interface that it comes in by (not …)"] },
        ]);
        Assert.Equal(
            [
                "it goes to 20.0.0.2:80, and as whom depends on the interface that it comes in by",
                "- which translation takes it depends on that, too",
                "- the interface that it comes in by (iifname \"c0\"): it goes to 20.0.0.2:80, as 1.2.3.4:40001",
                "- the interface that it comes in by (not …): it goes to 20.0.0.2:80",
            ],
            Lines(await RunAsync("explain 10.0.0.9:40001 30.0.0.2 tcp:80")));
    }

    [Fact]
    public async Task What_of_source_NAT_does_nothing_beside_the_rest_is_said()
    {
        await RunAsync("snat with 30::1");
        Assert.Contains("nothing has another source as long as no interface is included", await RunAsync("show snat"),
            StringComparison.Ordinal);
        await RunAsync("set snat-policy if table host eth0");
        await RunAsync("set snat-policy dnat");
        Assert.Equal(
            ["addresses do nothing beside policy dnat", "policy dnat does nothing without rewrite",
                "pod and host do nothing but beside policy k8s"],
            Lines(await RunAsync("show snat")).Where(line => line.Contains("nothing", StringComparison.Ordinal)));
        await RunAsync("snat with 0.0.0.0", expected: 1);
        Assert.Contains("expected another address for address, got 0.0.0.0: it stands for no address", lab.Errors.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Source_NAT_is_said_shown_and_taken_back()
    {
        const string idle = "  nothing has another source as long as no interface is included\n";
        Assert.Equal($"snat address 30::1, until bgpd ends\n{idle}", await RunAsync("snat with 30::1"));
        Assert.Equal($"snat exclude 20::/100, saved in {lab.SavedIn}, which is bgpd's own\n{idle}",
            await RunAsync("snat exclude 20::/100 --save"));
        await RunAsync("set interface feature tap0 ip6-cnat-snat arc ip6-unicast");
        Assert.Equal(
            [
                "policy none", "addresses 30::1", "exclude 20::/100", "include tap0",
                "natOutgoing pods (192.168.0.0/16, masquerade), rack (10.64.0.0/16, upstream NAT)",
                "the command line says: address 30::1, exclude 20::/100, include tap0",
            ],
            Lines(await RunAsync("show snat")));
        Assert.Contains($"source NAT is as bgpd.yaml says, in {lab.SavedIn}, too\n", await RunAsync("purge"), StringComparison.Ordinal);
        lab.Dataplane.View = lab.Dataplane.View with { Enabled = false };
        Assert.Equal(["policy none"], Lines(await RunAsync("show snat-policy")));
        Assert.Equal("snat exclude 10.0.0.0/8, until bgpd ends; 4 connections ended\n", await RunAsync("snat exclude 10.0.0.0/8 cut"));
        Assert.Contains("end to 10.0.0.0/8", lab.Dataplane.SessionOrders);
        await RunAsync("set snat-policy prefix src 10.0.0.0/24 rw 30::1", expected: 1);
        Assert.Contains("expected two prefixes of one family and length", lab.Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prefix_that_goes_is_excluded_or_rewritten_no_more_and_one_that_is_neither_is_a_mistake()
    {
        await RunAsync("set snat-policy dnat");
        await RunAsync("set snat-policy prefix src 20.0.0.0/24 rw 30.0.0.0");
        Assert.Equal("snat no rewrite 20.0.0.0/24, until bgpd ends\n  policy dnat does nothing without rewrite\n",
            await RunAsync("set snat-policy prefix del 20.0.0.0/24"));
        foreach (var line in (string[])["set snat-policy prefix del 20.0.0.0/24", "snat exclude del 20.0.0.0/24"])
        {
            await RunAsync(line, expected: 1);
            Assert.Contains("expected a prefix that is excluded, got 20.0.0.0/24, which is not", lab.Errors.ToString(),
                StringComparison.Ordinal);
            lab.Errors.GetStringBuilder().Clear();
        }
        await RunAsync("set snat-policy prefix del src 20.0.0.0/24", expected: 1);
        Assert.Contains("expected a prefix that is rewritten, got 20.0.0.0/24, which is not", lab.Errors.ToString(),
            StringComparison.Ordinal);
        lab.Errors.GetStringBuilder().Clear();
        await RunAsync("set snat-policy prefix src 20.0.0.0/24 rw 30.0.0.0");
        await RunAsync("snat exclude 20.0.0.0/24 --save");
        Assert.Equal(["snat no rewrite 20.0.0.0/24, until bgpd ends", "snat no exclude 20.0.0.0/24, until bgpd ends"],
            Lines(await RunAsync("set snat-policy prefix del 20.0.0.0/24"))[..2]);
        await RunAsync("snat exclude del 20.0.0.0/24 --save");
    }

    [Fact]
    public async Task Clients_are_the_addresses_of_translations_with_what_they_hold()
    {
        Assert.Equal("no clients\n", await RunAsync("show client"));
        await RunAsync("translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1");
        await RunAsync("translation add proto UDP real eth0 v6 53 to ->20::1");
        await RunAsync("translation add proto UDP vip 30.0.0.2 53 to ->20.0.0.1");
        Assert.Equal(["ID ADDRESS KIND TRANSLATIONS SESSIONS", "0 30.0.0.2 vip 0, 2 1", "1 eth0 v6 real 1 1"],
            Lines(await RunAsync("show client")));
        Assert.Equal(["ID ADDRESS KIND TRANSLATIONS SESSIONS", "1 eth0 v6 real 1 1"], Lines(await RunAsync("show client 1")));
        Assert.StartsWith("[{\"id\":1,", await RunAsync("show client 1 --json"), StringComparison.Ordinal);
        await RunAsync("show client 2", expected: 1);
        Assert.Contains("no client 2", lab.Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maglevs_table_is_tried_without_a_daemon()
    {
        await lab.StopServerAsync();
        var shown = Lines(await RunAsync("test cnat maglev tests 3 backends 3 len 251"));
        Assert.Equal(["table 251 places, 3 backends", "places each 83 to 84"], [shown[0], shown[2]]);
        Assert.Matches("^moved when one goes .* % of the others' on average, .* % at most, in 3 tests$", shown[3]);
        Assert.StartsWith("{\"tests\":3,\"backends\":3,\"length\":251,\"least\":83,\"most\":84,",
            await RunAsync("test cnat maglev tests 3 backends 3 len 251 --json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_programs_the_daemons_own_JSON_is_printed()
    {
        Assert.Equal("{\"id\":0,\"savedIn\":null,\"inForce\":true,\"problem\":null}\n",
            await RunAsync("translation add proto tcp vip 30.0.0.2 80 to ->20.0.0.1 --json"));
        Assert.StartsWith(
            "{\"enabled\":true,\"translations\":[{\"id\":0,", await RunAsync("show translation --json"), StringComparison.Ordinal);
        Assert.StartsWith("{\"count\":2,\"sessions\":[{\"id\":7,", await RunAsync("show session --json"), StringComparison.Ordinal);
        await RunAsync("snat with 30::1");
        var two = Assert.Single((await RunAsync("set snat-policy addr --json")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("{\"policy\":\"none\",\"addresses\":[],", two, StringComparison.Ordinal);
        var purged = Assert.Single((await RunAsync("purge --json")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("""{"sessions":{"count":2},"translations":{"ids":[0],"savedIn":null},"snat":{"policy":"none",""", purged,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_in_quotes_is_as_good_as_its_words()
    {
        Assert.Equal(0, await lab.RunAsync("cnat", "translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080"));
        Assert.Equal(0, await lab.RunAsync("cnat", "translation add", "proto udp", "vip", "30.0.0.2", "80", "to", "->20.0.0.1", "8080"));
        Assert.Equal(2, lab.Dataplane.Translations.Rows.Count());
    }

    [Fact]
    public async Task A_mistake_is_misuse_and_what_the_daemon_refuses_or_lacks_a_failure()
    {
        await RunAsync("translation ad", expected: 2);
        Assert.Contains("\n  translation ad\n              ^\n", lab.Errors.ToString(), StringComparison.Ordinal);
        await RunAsync("log enable", expected: 1);
        await RunAsync("translation add proto tcp vip 30.0.0.2 80 to ->2001:db8::1", expected: 1);
        Assert.Contains("as 30.0.0.2 has for to, got 2001:db8::1", lab.Errors.ToString(), StringComparison.Ordinal);
        lab.Dataplane.HasServices = false;
        await RunAsync("show session", expected: 1);
        Assert.Contains("services are off", lab.Errors.ToString(), StringComparison.Ordinal);
    }
}
