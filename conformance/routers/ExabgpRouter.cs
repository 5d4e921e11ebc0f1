using System.Text.Json;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>
/// ExaBGP: no RIB of its own, so what it got is what it told its JSON process, and it passes nothing on. Own routes carry every
/// attribute; commands go through a pipe that a second process reads.
/// </summary>
internal sealed class ExabgpRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    private string Heard => Path.Combine(Folder, "heard");
    private string Pipe => Path.Combine(Folder, "pipe");

    public override bool PassesOn => false;
    public override IReadOnlySet<string> Shows { get; } = AllAttributes.Except([Seen.Aigp]).ToHashSet();

    public override async Task StartAsync()
    {
        if (!File.Exists(Pipe)) await Shell.DoAsync("mkfifo", Pipe);
        File.WriteAllText(Heard, "");
        // The shell stays, because ExaBGP takes a closed output for the process's end.
        Write("hear.sh", $"#!/bin/sh\ncat >>{Heard}\nexit\n");
        // Open for reading and writing, the pipe has no end.
        Write("say.sh", $"#!/bin/sh\ncat 0<>{Pipe}\nexit\n");
        var file = Write("exabgp.conf", Configuration());
        Process = Background.Start(Space, Log, new Dictionary<string, string>
        {
            ["exabgp.daemon.user"] = "root",
            ["exabgp.api.cli"] = "false",
            ["exabgp.api.ack"] = "false",
            ["exabgp.log.destination"] = "stdout",
            ["exabgp.log.level"] = "INFO",
            ["exabgp.tcp.attempts"] = "0",
            ["exabgp.tcp.bind"] = Spec.Neighbours.Any(n => n.Passive) ? string.Join(' ', Spec.Neighbours.Select(n => n.Local).Distinct())
                : "",
            ["exabgp.tcp.port"] = "179",
        }, "exabgp", file);
        await Until.TrueAsync("ExaBGP runs", () => Alive && new FileInfo(Log) is { Exists: true, Length: > 0 }, 15, () => Said);
    }

    private string Configuration() => $$"""
        process hear { run /bin/sh {{Folder}}/hear.sh; encoder json; }
        process say { run /bin/sh {{Folder}}/say.sh; encoder text; }
        {{string.Concat(Spec.Neighbours.Select(Neighbour))}}
        """;

    private string Neighbour(Neighbour n) => $$"""
        neighbor {{n.Remote}} {
          router-id {{Spec.Id}}; local-address {{n.Local}}; local-as {{Spec.As}}; peer-as {{n.RemoteAs}}; hold-time {{Spec.Hold}};
          {{(n.Passive ? "passive true;" : "")}} {{(n.Password is { } key ? $"md5-password \"{key}\";" : "")}}
          capability { route-refresh enable; }
          family { {{(n.IPv6 ? "ipv6" : "ipv4")}} unicast; }
          api hear-{{n.Name}} { processes [ hear ]; neighbor-changes; receive { parsed; update; } }
          api say-{{n.Name}} { processes [ say ]; }
          static {
            {{string.Concat(Spec.RoutesOf(n.IPv6).Select(route => $"route {route} next-hop self;\n"))}}
            route {{(n.IPv6 ? RichRoute.IPv6 : RichRoute.IPv4)}} next-hop self {{Attributes(n.RemoteAs == Spec.As)}};
          }
        }

        """;

    /// <summary>What the others pass on from a feeder, ExaBGP says itself.</summary>
    private string Attributes(bool inside) =>
        $"origin egp as-path [ {(inside ? "" : Spec.As)} 65010 4200000001 ( 64700 4200000002 ) ] med 50 "
            + $"atomic-aggregate aggregator ( 4200000001:192.0.2.9 ) " +
        "community [ 65010:1 65010:2 ] large-community [ 65010:1:2 ] extended-community [ target:65010:100 ] " +
        "attribute [ 0x23 0xc0 0x0000fdf2 ] attribute [ 0x63 0xe0 0xcafe ] "
            + "attribute [ 0x19 0xc0 0x000220010db80000000000000000000000010064 ]" +
        (inside ? " local-preference 250 originator-id 192.0.2.77 cluster-list [ 10.99.0.2 192.0.2.78 ] aigp 4242" : "");

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour)
    {
        await Task.CompletedTask;
        return Events().LastOrDefault(e => e.GetProperty("type").GetString() == "state"
            && About(e, neighbour.Remote)) is { ValueKind: JsonValueKind.Object } state
            && state.GetProperty("neighbor").GetProperty("state").GetString() == "up";
    }

    private static bool About(JsonElement message, string remote) =>
        message.GetProperty("neighbor").GetProperty("address").GetProperty("peer").GetString() == remote;

    private IEnumerable<JsonElement> Events() =>
        File.ReadLines(Heard).Where(line => line.EndsWith('}')).Select(line => JsonDocument.Parse(line).RootElement);

    public override Task<Seen?> RouteAsync(string prefix)
    {
        Seen? seen = null;
        var from = "";
        foreach (var message in Events())
        {
            // Another neighbour's collision of connections ends nothing here.
            if (message.GetProperty("type").GetString() == "state" && About(message, from)
                && message.GetProperty("neighbor").GetProperty("state").GetString() == "down") seen = null;
            if (message.GetProperty("type").GetString() != "update") continue;
            var update = message.GetProperty("neighbor").GetProperty("message");
            if (!update.TryGetProperty("update", out update)) continue;
            if (update.TryGetProperty("withdraw", out var gone) && gone.ToString().Contains($"\"{prefix}\"")) seen = null;
            if (!update.TryGetProperty("announce", out var come) || !come.ToString().Contains($"\"{prefix}\"")) continue;
            from = message.GetProperty("neighbor").GetProperty("address").GetProperty("peer").GetString()!;
            seen = Read(update.GetProperty("attribute"), NextHop(come, prefix));
        }
        return Task.FromResult(seen);
    }

    private static string NextHop(JsonElement announce, string prefix) =>
        announce.EnumerateObject().SelectMany(family => family.Value.EnumerateObject())
            .First(hop => hop.Value.ToString().Contains($"\"{prefix}\"")).Name;

    private static Seen Read(JsonElement attributes, string nextHop)
    {
        var seen = new Seen { [Seen.NextHop] = nextHop };
        foreach (var attribute in attributes.EnumerateObject()) Read(seen, attribute.Name, attribute.Value, attributes);
        return seen;
    }

    private static void Read(Seen seen, string name, JsonElement value, JsonElement all)
    {
        switch (name)
        {
            case "origin":
                seen[Seen.Origin] = value.GetString() == "incomplete" ? "incomplete"
                : value.GetString()!.ToUpperInvariant(); break;
            case "as-path": seen[Seen.AsPath] = AsPath(value, all); break;
            case "med": seen[Seen.Med] = value.ToString(); break;
            case "local-preference": seen[Seen.LocalPref] = value.ToString(); break;
            case "atomic-aggregate": seen[Seen.AtomicAggregate] = "yes"; break;
            case "aggregator": seen[Seen.Aggregator] = value.GetString()!.Replace(':', ' '); break;
            case "originator-id": seen[Seen.OriginatorId] = value.GetString()!; break;
            case "cluster-list": seen[Seen.ClusterList] = string.Join(' ', value.EnumerateArray()); break;
            case "community": seen[Seen.Communities] = Tuples(value); break;
            case "large-community": seen[Seen.Large] = Tuples(value); break;
            case "extended-community":
                seen.AddExtended(value.EnumerateArray().Select(one => Octets.Hex(one.GetProperty("value").GetUInt64().ToString("x16"))));
                break;
            case { } other when other.StartsWith("attribute-0x", StringComparison.Ordinal):
                ReadUnknown(
                seen, other, value.GetString()!["0x".Length..]); break;
        }
    }

    /// <summary>The set stands beside the sequence, not in it.</summary>
    private static string AsPath(JsonElement sequence, JsonElement all)
    {
        var text = string.Join(' ', sequence.EnumerateArray());
        return all.TryGetProperty("as-set", out var set) ? $"{text} {{{string.Join(' ', set.EnumerateArray())}}}" : text;
    }

    private static string Tuples(JsonElement list) =>
        Seen.Set(list.EnumerateArray().Select(tuple => string.Join(':', tuple.EnumerateArray())));

    /// <summary><c>attribute-0x63-0xE0</c>: type and flags. Leading zeros of long values are lost.</summary>
    private static void ReadUnknown(Seen seen, string name, string value)
    {
        var (type, flags) = (Convert.ToInt32(name[12..14], 16), Convert.ToInt32(name[17..19], 16));
        if (type == 35) seen[Seen.Otc] = Convert.ToUInt32(value, 16).ToString();
        else if (type == 25) seen[Seen.IPv6Extended] = value.ToLowerInvariant().PadLeft(40, '0');
        else seen[Seen.Unknown] = $"{type}:{value.ToLowerInvariant()}{((flags & 0x20) != 0 ? " partial" : "")}";
    }

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        foreach (var route in Spec.Routes.Except(routes)) await SayAsync($"withdraw route {route} next-hop self");
        foreach (var route in routes.Except(Spec.Routes)) await SayAsync($"announce route {route} next-hop self");
        await base.OriginateAsync(routes);
    }

    public override Task AskRefreshAsync(Neighbour neighbour) =>
        SayAsync($"neighbor {neighbour.Remote} announce route-refresh {(neighbour.IPv6 ? "ipv6" : "ipv4")} unicast");

    private Task SayAsync(string command) => File.WriteAllTextAsync(Pipe, command + "\n");
}
