using System.Text.Json;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>
/// FRR: zebra and bgpd (without zebra bgpd knows no interfaces, and refuses link-local next hops). They run as the user frr, to whom
/// the folder belongs. The JSON names neither attributes that FRR does not know nor IPv6 extended communities.
/// </summary>
internal sealed class FrrRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    public override IReadOnlySet<string> Shows { get; } = AllAttributes.Except([Seen.IPv6Extended, Seen.Unknown, Seen.Aigp]).ToHashSet();

    private string Zserv => Path.Combine(Folder, "zserv");
    private Background? zebra, bfdd;

    public override async Task StartAsync()
    {
        var file = Write("frr.conf", Configuration());
        await Shell.DoAsync("chown", "-R", "frr:frr", Folder);
        File.Delete(Zserv);
        if (zebra != null) await zebra.DisposeAsync();
        zebra = Background.Start(Space, Path.Combine(Folder, "zebra.log"), null, "/usr/lib/frr/zebra", "-P", "0", "-f",
            Write("zebra.conf", ""),
            "-i", Path.Combine(Folder, "zebra.pid"), "-z", Zserv, "--vty_socket", Folder);
        await Until.TrueAsync("zebra answers", () => File.Exists(Zserv), 10);
        if (bfdd != null) await bfdd.DisposeAsync();
        if (Spec.Neighbours.Any(n => n.Bfd))
            bfdd = Background.Start(Space, Path.Combine(Folder, "bfdd.log"), null, "/usr/lib/frr/bfdd", "-P", "0", "-f",
                Write("bfdd.conf", ""), "-i", Path.Combine(Folder, "bfdd.pid"), "-z", Zserv, "--vty_socket", Folder,
                "--bfdctl", Path.Combine(Folder, "bfdd.sock"));
        Process = Background.Start(Space, Log, null, "/usr/lib/frr/bgpd", "-P", "0", "-f", file, "-i", Path.Combine(Folder, "pid"), "-z",
            Zserv,
            "--vty_socket", Folder, "--log", "stdout", "--log-level", "informational");
        await Until.TrueAsync("FRR answers", async () => (await VtyAsync("show version")).Contains("FRRouting"), 15, () => Said);
    }

    private string Configuration() => $"""
        frr version 8.4.4
        hostname frr
        router bgp {Spec.As}
         bgp router-id {Spec.Id}
         no bgp ebgp-requires-policy
         no bgp default ipv4-unicast
         no bgp network import-check
         no bgp suppress-duplicates
         bgp graceful-restart restart-time 2
        {string.Concat(Spec.Neighbours.Select(Neighbour))}{Family("ipv4", false)}{Family("ipv6", true)}
        """;

    private string Neighbour(Neighbour n) => string.Concat(
        $" neighbor {n.Remote} remote-as {n.RemoteAs}\n neighbor {n.Remote} timers 3 {Spec.Hold}\n neighbor {n.Remote} timers connect 2\n",
        $" neighbor {n.Remote} advertisement-interval 0\n",
        n.Passive ? $" neighbor {n.Remote} passive\n" : "",
        n.Bfd ? $" neighbor {n.Remote} bfd 3 50 50\n" : "",
        n.Hops > 1 && n.RemoteAs != Spec.As ? $" neighbor {n.Remote} ebgp-multihop {n.Hops}\n" : "",
        n.Password is { } key ? $" neighbor {n.Remote} password {key}\n" : "");

    private string Family(string name, bool ipv6) => string.Concat(
        $" address-family {name} unicast\n",
        string.Concat(Spec.RoutesOf(ipv6).Select(route => $"  network {route}\n")),
        string.Concat(Spec.Neighbours.Where(n => n.IPv6 == ipv6).Select(n =>
            $"  neighbor {n.Remote} activate\n{(n.Client ? $"  neighbor {n.Remote} route-reflector-client\n" : "")}" +
            (n.AddPath != null ? $"  neighbor {n.Remote} addpath-tx-all-paths\n" : ""))),
        " exit-address-family\n");

    public async Task<string> VtyAsync(params string[] commands) =>
        (await Shell.RunAsync("vtysh", ["--vty_socket", Folder, .. commands.SelectMany(command => new[] { "-c", command })])).Output;

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour) =>
        (await VtyAsync($"show bgp neighbors {neighbour.Remote}")).Contains("BGP state = Established");

    public override async Task<Seen?> RouteAsync(string prefix)
    {
        var output = await VtyAsync($"show bgp {(prefix.Contains(':') ? "ipv6" : "ipv4")} unicast {prefix} json");
        if (!output.TrimStart().StartsWith('{')) return null;
        using var json = JsonDocument.Parse(output);
        return json.RootElement.TryGetProperty("paths", out var paths) && paths.GetArrayLength() > 0 ? Read(paths[0]) : null;
    }

    public override async Task<int> PathsAsync(string prefix)
    {
        var output = await VtyAsync($"show bgp {(prefix.Contains(':') ? "ipv6" : "ipv4")} unicast {prefix} json");
        if (!output.TrimStart().StartsWith('{')) return 0;
        using var json = JsonDocument.Parse(output);
        return json.RootElement.TryGetProperty("paths", out var paths) ? paths.GetArrayLength() : 0;
    }

    private static Seen Read(JsonElement path)
    {
        var seen = new Seen()
            .With(Seen.Origin, path.GetProperty("origin").GetString())
            .With(Seen.AsPath, AsPath(path.GetProperty("aspath").GetProperty("string").GetString()!))
            .With(Seen.NextHop, path.GetProperty("nexthops")[0].GetProperty("ip").GetString())
            .With(Seen.Med, Text(path, "metric"))
            .With(Seen.LocalPref, Text(path, "locPrf"))
            .With(Seen.AtomicAggregate, path.TryGetProperty("atomicAggregate", out _) ? "yes" : null)
            .With(Seen.Aggregator, Text(path, "aggregatorAs") is { } asn ? $"{asn} {Text(path, "aggregatorId")}" : null)
            .With(Seen.Communities, Text(path, "community", "string") is { } list ? Seen.Set(list.Split(' ')) : null)
            .With(Seen.Large, Text(path, "largeCommunity", "string") is { } large ? Seen.Set(large.Split(' ')) : null)
            .With(Seen.OriginatorId, Text(path, "originatorId"))
            .With(Seen.ClusterList, path.TryGetProperty("clusterList", out var clusters)
            ? string.Join(' ', clusters.GetProperty("list").EnumerateArray()) : null)
            .With(Seen.Otc, Text(path, "otc"));
        if (Text(path, "extendedCommunity", "string") is { } extended) ReadExtended(seen, extended);
        return seen;
    }

    /// <summary><c>RT:65010:100 LB:65010:1000000 (8.000 Mbps)</c></summary>
    private static void ReadExtended(Seen seen, string text)
    {
        var words = text.Split(' ');
        var targets = words.Where(word => word.StartsWith("RT:", StringComparison.Ordinal)
            || word.StartsWith("SoO:", StringComparison.Ordinal))
            .Select(word => word.Replace("RT", "rt", StringComparison.Ordinal).Replace("SoO", "ro", StringComparison.Ordinal)).ToList();
        if (targets.Count > 0) seen[Seen.Extended] = Seen.Set(targets);
        if (words.FirstOrDefault(word => word.StartsWith(
            "LB:", StringComparison.Ordinal)) is { } bandwidth) seen[Seen.LinkBandwidth] = bandwidth[3..];
    }

    /// <summary>Sets are written <c>{64700,4200000002}</c>.</summary>
    private static string AsPath(string text) => text.Replace(',', ' ');

    private static string? Text(JsonElement element, params string[] path)
    {
        foreach (var name in path)
            if (!element.TryGetProperty(name, out element)) return null;
        return element.ToString();
    }

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        var gone = Spec.Routes.Except(routes).Select(route => (route, word: "no network"));
        var come = routes.Except(Spec.Routes).Select(route => (route, word: "network"));
        foreach (var (route, word) in gone.Concat(come))
            await VtyAsync("configure terminal", $"router bgp {Spec.As}",
                $"address-family {(route.Contains(':') ? "ipv6" : "ipv4")} unicast", $"{word} {route}");
        await base.OriginateAsync(routes);
    }

    public override async ValueTask DisposeAsync()
    {
        if (Process != null) await Process.DisposeAsync();
        if (bfdd != null) await bfdd.DisposeAsync();
        if (zebra != null) await zebra.DisposeAsync();
        await base.DisposeAsync();
    }

    public override Task AskRefreshAsync(Neighbour neighbour) =>
        VtyAsync($"clear bgp {(neighbour.IPv6 ? "ipv6" : "ipv4")} unicast {neighbour.Remote} in");
}
