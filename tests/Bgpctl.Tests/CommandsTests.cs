using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Calico.Bgp.Answers;
using Calico.Bgp.Control.Tests.Http;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Bgpctl.Tests;

public sealed partial class CommandsTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Theory]
    [InlineData("status")]
    [InlineData("peers")]
    [InlineData("peers tor1")]
    [InlineData("peers node2")]
    [InlineData("peers new-tor")]
    [InlineData("bfd")]
    [InlineData("routes")]
    [InlineData("kernel")]
    [InlineData("kernel --routes")]
    [InlineData("nat")]
    [InlineData("nat explain 192.168.1.1 198.51.100.1")]
    [InlineData("policy list")]
    [InlineData("policy show web")]
    [InlineData("policy endpoints")]
    [InlineData("policy endpoints shop/web-1")]
    [InlineData("policy denied")]
    [InlineData("dns cache")]
    [InlineData("reload")]
    [InlineData("peers tor1 restart")]
    public async Task What_is_shown_without_a_terminal(string command)
    {
        Assert.Equal(0, await lab.RunAsync(command.Split(' ')));
        var shown = Resident().Replace(lab.Output.ToString(), "${1}(some) resident");
        Golden.Check($"{command.Replace(' ', '_').Replace("--", "").Replace('/', '_')}.txt", shown);
    }

    [Fact]
    public async Task Of_a_packet_that_leaves_by_another_nodes_gateway_it_is_said_by_which_and_as_whom()
    {
        Assert.Equal(0, await lab.RunAsync("nat", "explain", "192.168.1.2", "198.51.100.1"));
        Assert.StartsWith("not translated by this node, but to 10.10.10.0, by gateway edge/shared on gate (it leaves by eth0)\n",
            lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_installed_than_wanted_is_no_part_of_it()
    {
        lab.Speaker.KernelStatus = lab.Speaker.KernelStatus with { Wanted = 3, Installed = 4 };
        await lab.RunAsync("status");
        Assert.Contains("  4 installed, 3 wanted, 0 pending", lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policy list")]
    [InlineData("policy show web")]
    [InlineData("policy endpoints")]
    [InlineData("policy explain 192.0.2.9 10.0.0.1 tcp:80")]
    [InlineData("policy denied")]
    [InlineData("policy denied --watch")]
    [InlineData("dns cache")]
    public async Task A_daemon_that_enforces_no_policy_says_so_in_one_line(string command)
    {
        lab.Dataplane.HasPolicy = false;
        Assert.Equal(1, await lab.RunAsync(command.Split(' ')));
        Assert.Equal(
            "bgpctl: network policy is off: bgpd.yaml has no section policy, or policy.enabled is false\n", lab.Errors.ToString());
        Assert.Equal("", lab.Output.ToString());
    }

    [Fact]
    public async Task What_a_denied_client_has_asked_for_stands_before_where_it_went()
    {
        var denied = lab.Dataplane.Denied;
        var flow = denied.Flows[0];
        lab.Dataplane.Denied = denied with
        {
            Flows = [flow with { Ends = flow.Ends with { Asked = new(Address.Parse("10.96.0.10"), 443) } }],
        };
        Assert.Equal(0, await lab.RunAsync("policy", "denied"));
        Assert.Contains(" 10.96.0.10:443 -> 10.65.0.3:81 ", lab.Output.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Whoever looks at three in the morning shall not stop reading at a green word.</summary>
    [Fact]
    public async Task Ready_is_not_all_that_is_said_where_something_is_not_in_force()
    {
        lab.Dataplane.View = lab.Dataplane.View with { Problem = "policy: nftables cannot be spoken to" };
        lab.Daemon.Sources =
        [
            new("files", "/etc/bgpd/r",
                SourceState.Unread.Current(FakeSpeaker.Now) with { Withheld = new(3, FakeSpeaker.Now.AddSeconds(20)) },
                ImmutableSortedDictionary<string, int>.Empty),
        ];
        Assert.Equal(0, await lab.RunAsync("status"));
        Assert.Contains("ready for routes; not all that bgpd.yaml asks for is in force (below)", lab.Output.ToString());
        Assert.Contains("3 files not believed yet: gone, with less in them, or half written; believed in 20s, unless they change again",
            lab.Output.ToString());
    }

    /// <summary>As with policy; what the daemon has answered programs get all the same.</summary>
    [Theory]
    [InlineData("nat", "NAT is off: bgpd.yaml has no section nat, or nat.enabled is false")]
    [InlineData("egress", "egress is off: bgpd.yaml has no section egress, or egress.enabled is false")]
    [InlineData("cnat show translation", "services are off: bgpd.yaml has no section services, or services.enabled is false")]
    public async Task A_section_that_is_off_is_said_in_one_line(string command, string said)
    {
        (lab.Dataplane.View, lab.Dataplane.Egress, lab.Dataplane.HasServices) = (NatView.Off, EgressView.Off, false);
        Assert.Equal((1, $"bgpctl: {said}\n", ""),
            (await lab.RunAsync(command.Split(' ')), lab.Errors.ToString(), lab.Output.ToString()));
        Assert.Equal(1, await lab.RunAsync([.. command.Split(' '), "--json"]));
        Assert.Contains("\"enabled\":false", lab.Output.ToString().Replace(" ", ""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policy show nobody", "expected the [KIND/][NAMESPACE/]NAME of a policy, got nobody")]
    [InlineData("policy endpoints nobody", "expected the name or the interface of an endpoint of this node, got nobody")]
    public async Task What_is_not_there_is_said_to_be(string command, string problem)
    {
        Assert.Equal(1, await lab.RunAsync(command.Split(' ')));
        Assert.StartsWith($"bgpctl: {problem}", lab.Errors.ToString());
    }

    [Fact]
    public async Task Alone_it_shows_its_help()
    {
        Assert.Equal(0, await Commands.RunAsync([], new Screen(lab.Output, lab.Errors, null), TimeProvider.System));
        Assert.Contains("plan", lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_releases_are_told_and_a_daemon_that_does_not_answer_is_no_failure()
    {
        Assert.Equal(0, await lab.RunAsync("version"));
        Assert.Equal($"bgpctl {Release.Version}\nbgpd   {lab.Speaker.Router.Version}\n", lab.Output.ToString());
        lab.Output.GetStringBuilder().Clear();
        Assert.Equal(0, await lab.RunAsync("version", "--json"));
        var both = JsonNode.Parse(lab.Output.ToString())!;
        Assert.Equal((Release.Version, lab.Speaker.Router.Version), ((string?)both["bgpctl"], (string?)both["bgpd"]));
        lab.Output.GetStringBuilder().Clear();
        await lab.StopServerAsync();
        Assert.Equal(0, await lab.RunAsync("version"));
        Assert.StartsWith($"bgpctl {Release.Version}\nbgpd   no answer: is bgpd running?", lab.Output.ToString());
    }

    [Fact]
    public async Task The_objects_that_ask_for_a_peer_are_named_with_their_place()
    {
        await lab.RunAsync("explain", "peer", "node2");
        Assert.Contains("Node/node2 (nodes.yaml:7)", lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_eighty_columns_peers_are_a_table()
    {
        Assert.Equal(0, await lab.RunOnTerminalAsync(["peers"], 80));
        var lines = Escape().Replace(lab.Output.ToString(), "").Split('\n');
        Assert.Matches("^│ Neighbor .*│ +AS │ State .*│.* IPv4 .*│.* IPv6 .*│$", lines[1]);
        Assert.Contains(lines, line => line.StartsWith("│ tor1 ", StringComparison.Ordinal) && line.Contains(" established ")
            && line.Count(sign => sign == '│') == 6);
        Assert.Contains(lines, line => line.StartsWith("│ Neighbor │ Last error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_the_resources_know_no_such_node_the_missing_peers_are_explained()
    {
        using var plan = new PlanFollower(
            new() { RouterId = new(1), As = new(64512), HostName = "nowhere" }, new() { Node = "nowhere" }, ResourceSnapshot.Empty);
        (lab.Speaker.Protocols, lab.Daemon.Planned) = ([], plan);
        Assert.Equal(0, await lab.RunAsync("peers"));
        Assert.Contains(
            "\nNode/nowhere: no such Node: this node has no address, and so no peers of the resources\n", lab.Output.ToString());
    }

    /// <summary>The words of a cell, and so addresses, stand in one piece: on a terminal as narrow as this rows become lists.</summary>
    [Theory]
    [InlineData("peers", 40)]
    [InlineData("peers", 60)]
    [InlineData("peers", 80)]
    [InlineData("peers tor1", 40)]
    [InlineData("routes", 40)]
    [InlineData("routes", 60)]
    [InlineData("routes", 80)]
    [InlineData("status", 40)]
    [InlineData("status", 60)]
    [InlineData("kernel", 40)]
    [InlineData("kernel", 80)]
    [InlineData("nat", 40)]
    [InlineData("policy list", 40)]
    [InlineData("policy list", 80)]
    [InlineData("policy show web", 80)]
    [InlineData("policy endpoints", 80)]
    [InlineData("policy endpoints uplink", 80)]
    [InlineData("explain route 192.0.2.0/24", 40)]
    [InlineData("nat explain 192.168.1.1 198.51.100.1", 40)]
    public async Task Narrow_terminals_break_no_word(string command, int width)
    {
        await lab.RunAsync(command.Split(' '));
        var plain = Resident().Replace(lab.Output.ToString(), "");
        var words = plain.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(Upper).ToHashSet();
        lab.Output.GetStringBuilder().Clear();
        Assert.Equal(0, await lab.RunOnTerminalAsync(command.Split(' '), width));
        var shown = Resident().Replace(Escape().Replace(lab.Output.ToString(), ""), "");
        var drawn = shown.Split([' ', '\n', '│', '╭', '╮', '╰', '╯', '─', '┬', '┴', '├', '┤', '┼'], StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(drawn.Select(Upper).Except(words));
        Assert.All(shown.Split('\n'), line => Assert.True(
            line.Length <= width || !line.TrimStart().Contains(' ', StringComparison.Ordinal), $"{line.Length} columns: {line}"));

        static string Upper(string word) => word.ToUpperInvariant();
    }

    [GeneratedRegex("\\e\\[[0-9;]*m")]
    private static partial Regex Escape();

    [Theory]
    [InlineData("peers")]
    [InlineData("routes")]
    public async Task What_is_shown_on_a_terminal(string command)
    {
        Assert.Equal(0, await lab.RunOnTerminalAsync([command]));
        Golden.Check($"terminal_{command}.txt", lab.Output.ToString().Replace("\e", "<esc>"));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("peers")]
    [InlineData("peers tor1")]
    [InlineData("routes")]
    [InlineData("kernel")]
    [InlineData("kernel --routes")]
    [InlineData("nat")]
    [InlineData("nat explain 192.168.1.1 198.51.100.1")]
    [InlineData("policy list")]
    [InlineData("policy show shop/web")]
    [InlineData("policy endpoints")]
    [InlineData("policy denied")]
    [InlineData("dns cache")]
    [InlineData("reload")]
    [InlineData("peers tor1 enable")]
    public async Task With_json_every_command_prints_json(string command)
    {
        Assert.Equal(0, await lab.RunAsync([.. command.Split(' '), "--json"]));
        Assert.NotNull(JsonNode.Parse(lab.Output.ToString()));
    }

    [Fact]
    public async Task Without_a_terminal_there_is_neither_colour_nor_box_art()
    {
        foreach (var command in new[] { "status", "peers", "routes", "kernel" }) await lab.RunAsync(command);
        Assert.DoesNotContain(lab.Output.ToString(), c => c == '\e' || c is >= '\u2500' and <= '\u257f');
    }

    [Fact]
    public async Task A_long_table_is_shown_whole()
    {
        lab.Speaker.Batches = 1000;
        await lab.RunAsync("routes");
        Assert.Equal(7001, lab.Output.ToString().Count(c => c == '\n'));
    }

    [Fact]
    public async Task An_order_reaches_the_speaker()
    {
        await lab.RunAsync("peers", "10.192.0.254", "disable", "--text", "new cable");
        Assert.Equal("disable tor1 new cable", lab.Speaker.Orders.Single());
    }

    [Fact]
    public async Task A_drain_is_given_on_with_its_time_and_its_reason()
    {
        await lab.RunAsync("drain", "--peer", "tor1", "--wait", "2m", "new cable");
        await lab.RunAsync("undrain");
        Assert.Equal(["drain tor1 120 new cable", "undrain all"], lab.Speaker.Orders);
        Assert.Contains("tor1: is drained", lab.Output.ToString());
        Assert.Equal(2, await lab.RunAsync("drain", "--wait", "soon"));
    }

    [Fact]
    public async Task A_route_is_announced_and_withdrawn()
    {
        await lab.RunAsync("announce", "192.0.2.1/32", "--ttl", "10s", "--community", "65001:5", "--community", "no-export", "--med", "7");
        Assert.StartsWith("announce bgpctl 192.0.2.1/32 00:00:10 ", lab.Speaker.Orders.Single(), StringComparison.Ordinal);
        await lab.RunAsync("withdraw", "192.0.2.1/32");
        Assert.Equal("withdraw bgpctl 192.0.2.1/32", lab.Speaker.Orders.Last());
        Assert.Contains("192.0.2.1/32: bgpctl announces it for ", lab.Output.ToString());
        Assert.Equal(1, await lab.RunAsync("announce", "192.0.2.1/24"));
        Assert.Contains("expected no host bits", lab.Errors.ToString());
        Assert.Equal(1, await lab.RunAsync("withdraw", "192.0.2.1/32", "--producer", "nobody"));
        Assert.Contains("nobody does not announce it", lab.Errors.ToString());
    }

    [Fact]
    public async Task A_route_that_is_announced_and_not_told_to_anybody_is_said_to_be_held()
    {
        var held = Prefix.Parse("192.0.2.1/32");
        lab.Speaker.Table =
        [
            lab.Speaker.Table[0] with { Prefix = held, Protocol = "lease.bgpctl1", Best = false, Reason = "next hop is not reachable" },
        ];
        Assert.Equal(0, await lab.RunAsync("announce", "192.0.2.1/32", "--next-hop", "203.0.113.99"));
        Assert.Equal(
            "192.0.2.1/32: bgpctl holds it until it is withdrawn, and no peer is told of it: next hop is not reachable; "
            + "`bgpctl explain route 192.0.2.1/32`\n", lab.Output.ToString());
        Assert.Equal("lease.bgpctl1", lab.Speaker.LastQuery!.Protocol);
    }

    [Fact]
    public async Task Until_the_objects_are_read_egress_is_not_said_to_be_off()
    {
        lab.Dataplane.Egress = EgressView.Off with { IsBeginning = true };
        const string why = "its objects have not all been read yet: what was in force before is so still";
        Assert.Equal(1, await lab.RunAsync("egress"));
        Assert.Equal(1, await lab.RunAsync("egress", "explain", "shop/till", "192.0.2.1"));
        Assert.Equal($"bgpctl: egress is not in force: {why}\nbgpctl: egress is not in force: {why}\n", lab.Errors.ToString());
        await lab.RunAsync("status");
        Assert.Matches($"\negress +waits: {why}\n", lab.Output.ToString());
        Assert.Contains("ready for routes; not all that bgpd.yaml asks for is in force (below)", lab.Output.ToString());
    }

    [Fact]
    public async Task A_pod_that_nobody_knows_is_a_mistake_of_egress_explain()
    {
        lab.Dataplane.Egress = FakeDataplane.Gateways;
        Assert.Equal(1, await lab.RunAsync("egress", "explain", "shop/nobody", "192.0.2.1"));
        Assert.Equal("bgpctl: expected the NAMESPACE/NAME of a pod that has an address, got shop/nobody: none is known\n",
            lab.Errors.ToString());
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "; 1 workload without an interface of the expected name (bgpctl policy lint)")]
    [InlineData(2, "; 2 workloads without an interface of the expected name (bgpctl policy lint)")]
    public async Task Workloads_whose_packets_no_policy_meets_are_counted_by_status(int count, string words)
    {
        lab.Dataplane.WithoutInterface = count;
        await lab.RunAsync("status");
        Assert.Contains($"closed: the kernel refused a rule of it (No such file or directory){words}\n", lab.Output.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_sent_more_than_its_limit_is_named_by_status()
    {
        await lab.RunAsync("status");
        Assert.DoesNotContain("over limit", lab.Output.ToString());
        lab.Speaker.Protocols =
        [
            .. lab.Speaker.Protocols.Select(one => one.Name != "node2" ? one
                : one with { Enabled = false, Channels = [one.Channels[0] with { ReceiveLimit = 10, IsOverLimit = true }] }),
        ];
        await lab.RunAsync("status");
        Assert.Contains(
            "\nover limit   node2 sent more than its prefixLimit of 10 (ipv4), and stays down until `bgpctl peers node2 enable`, "
            + "or a higher limit\n", lab.Output.ToString());
    }

    [Fact]
    public async Task A_family_that_the_neighbour_does_not_speak_is_not_agreed_on()
    {
        lab.Speaker.Protocols =
        [
            .. lab.Speaker.Protocols.Select(one => one.Name != "tor1" ? one
                : one with { Channels = [one.Channels[0], one.Channels[1] with { Up = false, NextHop = null }] }),
        ];
        await lab.RunAsync("peers", "tor1");
        Assert.Matches("\nipv4 +up .*\nipv6 +not agreed on ", lab.Output.ToString());
    }

    [Theory]
    [InlineData("withdraw")]
    [InlineData("explain route")]
    public async Task Host_bits_are_named_and_not_left_out(string command)
    {
        Assert.Equal(1, await lab.RunAsync([.. command.Split(' '), "192.0.2.1/24"]));
        Assert.Equal("bgpctl: expected no host bits in a prefix (192.0.2.0/24), got \"192.0.2.1/24\"\n", lab.Errors.ToString());
        Assert.Empty(lab.Speaker.Orders);
    }

    [Fact]
    public async Task A_check_takes_nothing()
    {
        await lab.RunAsync("reload", "--check");
        Assert.Equal(["check"], lab.Daemon.Orders);
    }

    [Fact]
    public async Task A_wrong_configuration_ends_with_1_and_its_problem()
    {
        lab.Daemon.Result = ConfigureResult.Refused(new ConfigureProblem("bgpd.yaml:3:5", "expected a number, got \"x\""));
        Assert.Equal(1, await lab.RunAsync("reload"));
        Assert.Equal("bgpctl: bgpd.yaml:3:5: expected a number, got \"x\"\n", lab.Errors.ToString());
    }

    [Fact]
    public async Task A_reload_that_was_taken_is_told_with_its_time()
    {
        lab.Daemon.LastReload = new(FakeSpeaker.Now.AddHours(-3), "/etc/bgpd/bgpd.yaml", null);
        await lab.RunAsync("status");
        Assert.Contains("\nlast reload  taken 3h00m ago\n", lab.Output.ToString());
    }

    [Fact]
    public async Task A_peers_received_routes_are_asked_for_by_peer()
    {
        await lab.RunAsync("routes", "10.0.0.0/8", "--in", "--peer", "tor1", "--received", "--family", "ipv4");
        Assert.Equal(
            new(RouteSelection.Received, IpFamily.IPv4, Prefix.Parse("10.0.0.0/8"), PrefixScope.In, Peer: "tor1"), lab.Speaker.LastQuery);
    }

    [Fact]
    public async Task Without_a_table_a_peer_narrows_to_what_it_brought()
    {
        await lab.RunAsync("routes", "192.0.2.1", "--peer", "tor1", "--best");
        Assert.Equal(
            new(RouteSelection.Primary, null, Prefix.Parse("192.0.2.1/32"), PrefixScope.For, Protocol: "tor1"), lab.Speaker.LastQuery);
    }

    [GeneratedRegex("(memory +)[0-9.]+ [A-Za-z]+ resident")]
    private static partial Regex Resident();
}
