using Calico.Bgp.Conformance.Policy;
using static Calico.Bgp.Conformance.Dns.NameSite;

namespace Calico.Bgp.Conformance.Dns;

/// <summary>
/// Rules by names with servers and resolvers that others have written: each server has one zone, each resolver names of its own in it, so
/// that what one has looked up opens nothing for the next.
/// <list type="bullet">
/// <item>NAME.open.example.org has an address of each family,</item>
/// <item>NAME-alias.open.example.org is an alias of NAME.inner.example.org, by which no rule goes,</item>
/// <item>NAME-many.open.example.org has a hundred addresses: over UDP it is cut off, and over TCP asked for again.</item>
/// </list>
/// </summary>
public sealed class RealServerTests : IAsyncLifetime
{
    private const string Dnsmasq = "198.51.100.55", Unbound = "198.51.100.56", Knot = "198.51.100.57", Bind = "198.51.100.58";
    private const string Stub = "127.0.0.53";
    private const int Many = 100;

    /// <summary>How they ask: over UDP and TCP, with EDNS or without, one family after the other or both at once.</summary>
    private static readonly (string Name, string Needs)[] Resolvers =
    [
        ("dig", "dig"), ("dig-tcp", "dig"), ("dig-noedns", "dig"), ("glibc", "getent"), ("musl", "musl-gcc"), ("resolved", Needs.Resolved),
    ];

    private readonly List<Background> running = [];
    private NameSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await NameSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var server in running) await server.DisposeAsync();
        if (site != null) await site.DisposeAsync();
    }

    private static string Address(int resolver, string rest) => $"10.77.{resolver + 10}.{rest}";

    private static IEnumerable<(string Name, string Type, string Value)> Zone() => Resolvers.Index().SelectMany(one =>
        (IEnumerable<(string, string, string)>)
        [
            ($"{one.Item.Name}.open", "A", Address(one.Index, "1")),
            ($"{one.Item.Name}.open", "AAAA", $"fd77::{one.Index + 10}:1"),
            ($"{one.Item.Name}-alias.open", "CNAME", $"{one.Item.Name}.inner.example.org."),
            ($"{one.Item.Name}.inner", "A", Address(one.Index, "2")),
            .. Enumerable.Range(101, Many).Select(last => ($"{one.Item.Name}-many.open", "A", Address(one.Index, $"{last}"))),
        ]);

    private async Task<string> StartAsync(string address, string program, params string[] arguments)
    {
        var outside = site.Site.HomeOf("outside");
        PolicySite.Do(outside, $"addr add {address}/24 dev eth0");
        await StartAsync(outside, address, null, program, arguments);
        return address;
    }

    /// <summary>Until it answers.</summary>
    private async Task StartAsync(
        Netns space, string address, IReadOnlyDictionary<string, string>? environment, string program, string[] arguments)
    {
        var log = site.Site.PathOf(program + ".log");
        running.Add(Background.Start(space, log, environment, program, arguments));
        string[] question = ["+time=1", "+tries=1", "+short", $"@{address}", "dig.open.example.org"];
        await Until.TrueAsync($"{program} answers", async () => (await space.RunAsync("dig", question)).Output.Trim() == Address(0, "1"),
            PolicySite.Patience, () => Background.SaidIn(log));
    }

    private async Task<string> FileAsync(string name, string text)
    {
        var path = site.Site.PathOf(name);
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    private Task<string> StartDnsmasqAsync() => StartAsync(Dnsmasq, "dnsmasq",
    [
        "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--no-resolv", "--no-hosts",
        "--no-poll", $"--listen-address={Dnsmasq}", "--bind-interfaces", "--local=/example.org/", "--local-ttl=60",
        .. Zone().Where(one => one.Type != "CNAME").Select(one => $"--host-record={one.Name}.example.org,{one.Value}"),
        .. Zone().Where(one => one.Type == "CNAME").Select(one => $"--cname={one.Name}.example.org,{one.Value.TrimEnd('.')}"),
    ]);

    private Task<string> ZoneFileAsync(string server) => FileAsync("example.org.zone", "$ORIGIN example.org.\n$TTL 60\n"
        + $"@ SOA ns admin 1 60 60 60 60\n@ NS ns\nns A {server}\n"
        + string.Concat(Zone().Select(one => $"{one.Name} {one.Type} {one.Value}\n")));

    private async Task<string> StartBindAsync()
    {
        var folder = Directory.CreateDirectory(site.Site.PathOf("bind")).FullName;
        var configuration = await FileAsync("named.conf", $$"""
            options {
                directory "{{folder}}";
                listen-on { {{Bind}}; };
                listen-on-v6 { none; };
                pid-file none;
                lock-file none;
                session-keyfile none;
                recursion no;
                dnssec-validation no;
                allow-query { any; };
            };
            controls { };
            zone "example.org" { type primary; file "{{await ZoneFileAsync(Bind)}}"; };

            """);
        return await StartAsync(Bind, "named", "-g", "-c", configuration);
    }

    private async Task<string> StartKnotAsync()
    {
        var zone = await ZoneFileAsync(Knot);
        var folder = Directory.CreateDirectory(site.Site.PathOf("knot")).FullName;
        var configuration = await FileAsync("knot.conf", $"""
            server:
                rundir: {folder}
                listen: {Knot}@53
            database:
                storage: {folder}
            log:
              - target: stderr
                any: warning
            zone:
              - domain: example.org
                file: {zone}
                zonefile-load: whole
                journal-content: none

            """);
        return await StartAsync(Knot, "knotd", "-c", configuration);
    }

    /// <summary>It knows nothing by itself, and asks Knot.</summary>
    private async Task<string> StartUnboundAsync()
    {
        await StartKnotAsync();
        return await StartAsync(Unbound, "unbound", "-d", "-d", "-c", await FileAsync("unbound.conf", $"""
            server:
                interface: {Unbound}
                access-control: 0.0.0.0/0 allow
                do-daemonize: no
                use-syslog: no
                logfile: ""
                pidfile: ""
                chroot: ""
                username: ""
                directory: "{site.Site.PathOf(".")}"
                module-config: "iterator"
                do-ip6: no
            remote-control:
                control-enable: no
            stub-zone:
                name: "example.org"
                stub-addr: {Knot}

            """));
    }

    /// <summary>
    /// In the pod, with mounts of its own: a /run where it writes, and where nobody's D-Bus is, and a user that it becomes. What it is
    /// asked at 127.0.0.53 it asks the server, and remembers.
    /// </summary>
    private async Task StartResolvedAsync(string server)
    {
        var (program, library) = Project.Resolved!.Value;
        var settings = await FileAsync("resolved.conf", $"""
            [Resolve]
            DNS={server}
            FallbackDNS=
            LLMNR=no
            MulticastDNS=no
            DNSSEC=no

            """);
        var users = await FileAsync("passwd", "root:x:0:0::/:/bin/sh\nsystemd-resolve:x:65533:65533::/:/bin/false\n");
        var groups = await FileAsync("group", "root:x:0:\nsystemd-resolve:x:65533:\n");
        const string begin = """
            mount -t tmpfs none /run && mkdir -p /run/systemd/resolved.conf.d && cp "$1" /run/systemd/resolved.conf.d/test.conf &&
            mount --bind "$2" /etc/passwd && mount --bind "$3" /etc/group && exec "$0"
            """;
        await StartAsync(site.Site.HomeOf("red/a"), Stub, new Dictionary<string, string> { ["LD_LIBRARY_PATH"] = library },
            "unshare", ["-m", "sh", "-c", begin, program, settings, users, groups]);
    }

    [NeedsFact(Needs.Daemon, "nft", "dig", "dnsmasq")]
    public async Task Names_that_dnsmasq_tells_are_open_however_they_are_asked_for() => await HoldsAsync(await StartDnsmasqAsync());

    [NeedsFact(Needs.Daemon, "nft", "dig", "knotd")]
    public async Task Names_that_Knot_tells_are_open_however_they_are_asked_for() => await HoldsAsync(await StartKnotAsync());

    [NeedsFact(Needs.Daemon, "nft", "dig", "named")]
    public async Task Names_that_BIND_tells_are_open_however_they_are_asked_for() => await HoldsAsync(await StartBindAsync());

    [NeedsFact(Needs.Daemon, "nft", "dig", "knotd", "unbound")]
    public async Task Names_that_Unbound_has_asked_for_are_open_however_they_are_asked_for() =>
        await HoldsAsync(await StartUnboundAsync());

    [NeedsFact(Needs.Daemon, "nft", "dig", "dnsmasq", "getent")]
    public async Task What_glibc_looks_up_is_open() => await HoldsAsync(await StartDnsmasqAsync(), 3);

    /// <summary>musl's resolver asks for both families at once, from one socket, and over UDP alone where it is older than 1.2.4.</summary>
    [NeedsFact(Needs.Daemon, "nft", "dig", "dnsmasq", "musl-gcc")]
    public async Task What_musl_looks_up_is_open() => await HoldsAsync(await StartDnsmasqAsync(), 4);

    [NeedsFact(Needs.Daemon, "nft", "dig", "dnsmasq", "getent", Needs.Resolved)]
    public async Task What_is_asked_of_systemd_resolveds_stub_is_open()
    {
        var server = await StartDnsmasqAsync();
        await StartResolvedAsync(server);
        await HoldsAsync(server, 5);
    }

    /// <param name="only">Of the resolvers; null: dig's.</param>
    private async Task HoldsAsync(string server, int? only = null)
    {
        await site.StartAsync(site.Objects($"\"{server}\"") + Egress("names", Names("*.open.example.org")));
        foreach (var (index, (name, _)) in Resolvers.Index().Where(one => only == null ? one.Item.Needs == "dig" : one.Index == only))
        {
            foreach (var last in (string[])["1", "2", "101", $"{100 + Many}"])
                Assert.False(await site.IsOpenAsync("red/a", Address(index, last)), $"{name}: {last}");
            Assert.Contains(Address(index, "1"), await LookUpAsync(name, server, $"{name}.open.example.org"), StringComparison.Ordinal);
            Assert.True(await site.IsOpenAsync("red/a", Address(index, "1")), $"{name}: {await site.Site.LogAsync()}");
            Assert.Contains($"fd77::{index + 10}:1", await LookUpAsync(name, server, $"{name}.open.example.org", "AAAA"),
                StringComparison.Ordinal);
            Assert.True(await site.IsOpenAsync("red/a", $"fd77::{index + 10}:1"), $"{name}, IPv6");
            await LookUpAsync(name, server, $"{name}-alias.open.example.org");
            Assert.True(await site.IsOpenAsync("red/a", Address(index, "2")), $"{name}, by an alias");
            // An older musl cannot make anything of what is cut off but the part that is there.
            var shown = await LookUpAsync(name, server, $"{name}-many.open.example.org");
            foreach (var last in Enumerable.Range(101, Many).Where(last => shown.Split().Contains(Address(index, $"{last}"))))
                Assert.True(await site.IsOpenAsync("red/a", Address(index, $"{last}")), $"{name}, of many: {last}");
            Assert.Contains(Address(index, ""), shown, StringComparison.Ordinal);
            Assert.False(await site.IsOpenAsync("red/b", Address(index, "1")), $"{name}, to others");
        }
    }

    /// <returns>Addresses, among others.</returns>
    private async Task<string> LookUpAsync(string resolver, string server, string name, string type = "A")
    {
        var pod = site.Site.HomeOf("red/a");
        return resolver switch
        {
            "dig" => await pod.DoAsync("dig", "+short", $"@{server}", name, type),
            "dig-tcp" => await pod.DoAsync("dig", "+short", "+tcp", $"@{server}", name, type),
            "dig-noedns" => await pod.DoAsync("dig", "+short", "+noedns", $"@{server}", name, type),
            // Both ask for either family, whatever is wanted.
            "glibc" => await WithResolverAsync(pod, server, "getent", "ahosts", name),
            "resolved" => await WithResolverAsync(pod, Stub, "getent", "ahosts", name),
            _ => await WithResolverAsync(pod, server, await MuslAsync(), name),
        };
    }

    /// <summary>With a resolv.conf that nobody else sees.</summary>
    private async Task<string> WithResolverAsync(Netns space, string server, params string[] command)
    {
        var file = await FileAsync("resolv.conf", $"nameserver {server}\n");
        return await space.DoAsync("unshare", ["-m", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"", file, .. command]);
    }

    /// <summary>A program that asks as musl does.</summary>
    private async Task<string> MuslAsync()
    {
        var program = site.Site.PathOf("musl");
        if (File.Exists(program)) return program;
        var source = await FileAsync("musl.c", """
            #include <arpa/inet.h>
            #include <netdb.h>
            #include <stdio.h>

            int main(int count, char **words)
            {
                struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *one;
                int error = getaddrinfo(words[1], NULL, &hints, &all);
                if (error) { fprintf(stderr, "%s\n", gai_strerror(error)); return 1; }
                for (one = all; one; one = one->ai_next) {
                    char text[64];
                    getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
                    puts(text);
                }
                return 0;
            }
            """);
        await Shell.DoAsync("musl-gcc", "-static", "-o", program, source);
        return program;
    }
}
