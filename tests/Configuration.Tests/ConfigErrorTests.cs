namespace Calico.Bgp.Configuration.Tests;

/// <summary>Each row is one mistake, and where and how it is told.</summary>
public class ConfigErrorTests
{
    [Theory]
    [InlineData("router: { asNumber: 0 }", "1:21: expected an AS number from 1 to 4294967294 for router.asNumber, got \"0\"")]
    [InlineData("router: { id: 0.0.0.0 }", "1:15: expected four octets such as 10.192.0.2, not all zero, for router.id, got \"0.0.0.0\"")]
    [InlineData("ruoter: {}", "1:1: expected a key that the file knows, got \"ruoter\"; did you mean \"router\"?")]
    [InlineData("kernel: { tabel: main }", "1:11: expected a key that kernel knows, got \"tabel\"; did you mean \"table\"?")]
    [InlineData("peers: [{ peerIP: 10.0.0.2, asNumber: 1, addPath: { send: best } }]",
        "1:59: expected all, equal or best N (best 2, for one) for peers[0].addPath.send, got \"best\"")]
    [InlineData("peers: [{ peerIP: 10.0.0.2, asNumber: 1, addPath: { receive: [ipv5] } }]",
        "1:63: expected ipv4 or ipv6 for peers[0].addPath.receive, got \"ipv5\"")]
    [InlineData("kernel: { table: 0 }",
        "1:18: expected main, default or a table's number from 1 to 4294967295, not 255 (local), for kernel.table, got \"0\"")]
    [InlineData("kernel: { protocol: 2 }", "1:21: expected a protocol number from 5 to 255, or bird, for kernel.protocol, got \"2\"")]
    [InlineData("kernel: { learn: \"true\" }",
        "1:18: expected true or false for kernel.learn, got a text: true is to stand there without quotes")]
    [InlineData("egress: { enabled: 'false' }",
        "1:20: expected true or false for egress.enabled, got a text: false is to stand there without quotes")]
    [InlineData("kernel: { learn: yes }", "1:18: expected true or false for kernel.learn, got \"yes\"")]
    [InlineData("kernel: [1]", "1:9: expected a mapping of keys under kernel, got a list")]
    [InlineData("router: { id: 1.1.1.1, id: 2.2.2.2 }", "1:24: expected each key once, got router.id again (first in line 1)")]
    [InlineData("log: { level: inof }",
        "1:15: expected trace, debug, info, warning, warn or error for log.level, got \"inof\"; did you mean \"info\"?")]
    [InlineData("routes: [{ prefix: 10.0.0.1/8, type: blackhole }]",
        "1:20: expected a prefix without host bits, such as 10.0.0.0/8, for routes[0].prefix, got \"10.0.0.1/8\"")]
    [InlineData("routes: [{ prefix: 10.0.0.0/8, type: unicast }]", "1:38: expected via, interface or hops with type unicast, got none")]
    [InlineData("routes: [{ prefix: 10.0.0.0/8 }]",
        "1:10: expected the key type (blackhole, unreachable or prohibit) or via, got a route without either")]
    [InlineData("routes: [{ prefix: '::/0', via: 'fe80::1' }]", "1:33: expected the key interface beside the link-local address fe80::1")]
    [InlineData("routes: [{ prefix: '::/0', via: 10.0.0.1 }]", "1:33: expected an IPv6 address for via, as ::/0 is, got 10.0.0.1")]
    [InlineData("control: { http: [localhost] }", "1:19: expected unix:PATH or ADDRESS:PORT for control.http, got \"localhost\"")]
    [InlineData("sources: [{}]", "1:11: expected one of files, kubernetes and etcd in a source, got 0 of them")]
    [InlineData("router: { id: 10.0.0.1, asNumber: 0176751 }",
        "1:35: expected an AS number from 1 to 4294967294 for router.asNumber, got \"0176751\"")]
    [InlineData("router: { id: 10.0.0.1, listenPort: 0179 }",
        "1:37: expected a number from 1 to 65535 for router.listenPort, got \"0179\"")]
    [InlineData("node: !a",
        "1:7: !a is a tag that YAML does not know; quote a value that begins with !")]
    [InlineData("sources: [{ files: ., emptyAfter: soon }]",
        "1:35: expected a time from 0 to 24h, such as 500ms, 90s or 2m for sources[0].emptyAfter, got \"soon\"")]
    [InlineData("sources: [{ kubernetes: {}, emptyAfter: 1s }]", "1:41: expected the key files beside emptyAfter")]
    [InlineData("sources: [{ files: ., maxSize: 64MB }]",
        "1:32: expected a size from 1KiB to 1GiB, such as 64MiB for sources[0].maxSize, got \"64MB\"")]
    [InlineData("sources: [{ files: ., maxSize: 0 }]",
        "1:32: expected a size from 1KiB to 1GiB, such as 64MiB for sources[0].maxSize, got \"0\"")]
    [InlineData("node: two words", "1:7: expected a name without spaces for node, got \"two words\"")]
    [InlineData("routes: [{ prefix: 10.0.0.0/8, type: blackhole, bfd: true }]",
        "1:54: expected bfd beside a gateway (via), got a route without one")]
    [InlineData("", "1:1: expected keys such as router and peers, got an empty file")]
    [InlineData("just words", "1:1: expected a mapping of keys, got \"just words\"")]
    public void The_file_is_refused_in_these_words(string text, string expected) => Assert.Equal(expected, Only(text));

    [Theory]
    [InlineData("asNumber: 65001", "expected the key peerIP, peerRange or interface, got a peer without them")]
    [InlineData("interface: eth0, asNumber: 1, multihop: 2", "expected no multihop beside interface alone: the neighbour is on that link")]
    [InlineData("interface: eth0/1, asNumber: 1", "expected the name of an interface for peers[0].interface, got \"eth0/1\"")]
    [InlineData("interface: eth~, asNumber: 1",
        "expected the key name beside an interface called eth~: peers are a name of at most 64 letters, digits and _ - . :")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 1, routerAdvertisements: true",
        "expected a key that peers[0] knows, got \"routerAdvertisements\"")]
    [InlineData("peerRange: 10.0.0.0/24, peerPort: 1790, asNumber: 1",
        "expected no peerPort beside peerRange: its neighbours call us, from their addresses")]
    [InlineData("peerRange: 10.0.0.0/24, passive: false, asNumber: 1",
        "expected passive: true or nothing beside peerRange: its neighbours call us")]
    [InlineData("peerRange: 'fe80::/10', asNumber: 1", "expected a range of neighbours' addresses for peerRange, got fe80::/10")]
    [InlineData("peerRange: 10.0.0.0/24, asNumber: 1, peerLimit: 0",
        "expected a number from 1 to 4096 for peers[0].peerLimit, got \"0\"")]
    [InlineData("peerRange: 10.0.0.0/24, asNumber: 1, peerLimit: 5, sessionLimit: 5",
        "expected no peerLimit beside sessionLimit, which is the same")]
    [InlineData("peerRange: 10.0.0.0/24, asNumber: 1, sessionLimit: 0",
        "expected a number from 1 to 4096 for peers[0].sessionLimit, got \"0\"")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 1, bfd: fast", "expected true or false for peers[0].bfd, got \"fast\"")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 1, bfd: { interval: 9ms }",
        "expected a time from 10ms to 1m, such as 500ms, 90s or 2m for peers[0].bfd.interval, got \"9ms\"")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 1, bfd: { multiplier: 0 }",
        "expected a number from 1 to 255 for peers[0].bfd.multiplier, got \"0\"")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 1, bfd: { detect: 3 }", "expected a key that peers[0].bfd knows, got \"detect\"")]
    [InlineData("peerIP: 192.0.2.1", "expected the key asNumber, got a peer without it")]
    [InlineData("peerIP: 192.0.2.1, asNumber: 0",
        "expected an AS number from 1 to 4294967294, internal or external, for peers[0].asNumber, got \"0\"")]
    [InlineData("peerIP: 'fe80::1', asNumber: 1",
        "expected the interface of the link-local address, as in fe80::1%eth0 or by the key interface")]
    [InlineData("peerIP: 224.0.0.1, asNumber: 1", "expected a neighbour's address for peerIP, got 224.0.0.1")]
    [InlineData("peerIP: tor, asNumber: 1", "expected an address (with %INTERFACE where it is link-local) for peerIP, got \"tor\"")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, holdTime: 1s",
        "expected 0 or a time from 3s to 65535s in whole seconds for peers[0].holdTime, got \"1s\"")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, holdTime: 9, keepaliveTime: 9", "expected less than the hold time of 9s, got 9s")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, sendHoldTime: 30", "expected 0 or more than the hold time of 90s, got 30s")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, sourceAddress: '::1'", "expected an IPv4 address for sourceAddress, as peerIP is, got ::1")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, ttlSecurity: true, multihop: 2",
        "expected one of ttlSecurity and multihop; ttlSecurity: 2 means both")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, families: []", "expected ipv4, ipv6 or both under families, got neither")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, families: [ipv4, ipv5]", "expected ipv4 or ipv6 for peers[0].families, got \"ipv5\"")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, routeReflectorClient: true", "expected a peer of our own AS 65000 (RFC 4456), got AS 1")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 65000, role: peer", "expected no role for a peer of our own AS (RFC 9234)")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, roleStrict: true", "expected the key role beside roleStrict")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, name: kernel1", "expected a name that the daemon does not use itself, got \"kernel1\"")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, name: a b", "expected a name of at most 64 letters, digits and _ - . :, got \"a b\"")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, password: secret", "expected { file: PATH } or { value: KEY } for password")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, password: { value: '' }", "expected a key of 1 to 80 octets for password, got 0")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, password: {}", "expected one of file and value for password")]
    [InlineData("peerIP: 1.1.1.1, asNumber: 1, import: [no-such]",
        "expected accept, reject or the name of a filter for peers[0].import, got \"no-such\"")]
    public void A_peer_is_refused_in_these_words(string keys, string expected)
    {
        var error = Assert.Single(DaemonConfigTests.Parse($"router: {{ asNumber: 65000 }}\npeers: [{{ {keys} }}]").Errors);
        Assert.Equal(expected, error.Text);
    }

    [Theory]
    [InlineData("name: a, peerIP: 192.0.2.2", "3:12: expected each name once under peers, got \"a\" again (first in line 2)")]
    [InlineData("name: b, peerIP: 192.0.2.1", "3:23: expected one peer for each address and port, got 192.0.2.1 port 179 again (as of a)")]
    public void Two_peers_need_two_names_and_two_places(string second, string expected) =>
        Assert.Equal(expected, Only($"peers:\n - {{ name: a, peerIP: 192.0.2.1, asNumber: 1 }}\n - {{ {second}, asNumber: 1 }}\n"));

    /// <summary>The kernel counts octets, and hops.</summary>
    [Fact]
    public void What_the_kernel_has_no_room_for_is_refused()
    {
        const string accents = "üüüüüüüü";
        var tooLong = Only($"routes: [{{ prefix: 10.0.0.0/8, via: 10.0.0.1, interface: {accents} }}]");
        Assert.Contains("expected the name of an interface", tooLong, StringComparison.Ordinal);
        Assert.NotNull(DaemonConfigTests.Parse($"routes: [{{ prefix: 10.0.0.0/8, interface: {accents[1..]} }}]").Config);
        var hops = string.Join(", ", Enumerable.Range(0, 257).Select(i => $"{{ via: 192.0.{i / 256}.{i % 256} }}"));
        var tooMany = Only($"routes: [{{ prefix: 10.0.0.0/8, hops: [{hops}] }}]");
        Assert.EndsWith("expected at most 256 hops, got 257", tooMany, StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_told_at_once_in_the_order_of_the_file()
    {
        var errors = DaemonConfigTests.Parse("peers:\n- { peerIP: x, asNumber: 1 }\nrouter: { id: y }\nkernel: { z: 1 }\n").Errors;
        Assert.Equal([2, 3, 4], errors.Select(error => error.Line));
    }

    [Fact]
    public void A_secret_stands_in_no_message()
    {
        var result = DaemonConfigTests.Parse(
            "peers: [{ peerIP: 1.1.1.1, asNumber: 1, password: hush }, { peerIP: 1.1.1.2, asNumber: 1, password: { value: [hush] } }]");
        Assert.Equal(2, result.Errors.Length);
        Assert.DoesNotContain(result.Errors, error => error.Text.Contains("hush", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("router: [", 2)]
    [InlineData("router: {\n a: b\n", 3)]
    [InlineData("a: b\nc: \"d\n", 2)]
    [InlineData("a: *missing", 1)]
    [InlineData("a: &x [*x]", 1)]
    [InlineData("a: 1\n--- \nb: 2", 2)]
    [InlineData("\0\u0001\u0002", 1)]
    public void What_is_not_YAML_is_told_with_its_line(string text, int line) =>
        Assert.Equal(line, DaemonConfigTests.Parse(text).Errors[0].Line);

    [Fact]
    public void Depth_and_aliases_are_bounded()
    {
        var deep = new string('[', 100_000);
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 12)
            .Select(i => $"a{i}: &a{i} [{string.Join(",", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains("levels of nesting", DaemonConfigTests.Parse(deep).Errors[0].Text, StringComparison.Ordinal);
        Assert.Contains("aliases counted each time", DaemonConfigTests.Parse(bomb).Errors[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_is_told_with_the_files_name()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var junk = Path.Combine(folder, "junk");
        File.WriteAllBytes(junk, [0xff, 0xfe, 0x00, 0xd8]);
        Assert.StartsWith($"{folder}: expected a file, got a folder", DaemonConfig.Load(folder, HostFacts.None).Errors[0].ToString(),
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"{junk}: expected text in UTF-8", DaemonConfig.Load(junk, HostFacts.None).Errors[0].ToString(), StringComparison.Ordinal);
        Assert.StartsWith(
            $"{junk}2: cannot be read", DaemonConfig.Load(junk + "2", HostFacts.None).Errors[0].ToString(), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    private static string Only(string text)
    {
        var error = Assert.Single(DaemonConfigTests.Parse(text).Errors);
        return error.ToString()["bgpd.yaml:".Length..];
    }
}
