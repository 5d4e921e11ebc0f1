using System.Text.Json;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>
/// GoBGP, asked with its own client inside the namespace. Own routes are given over its API after each start. It takes a while to
/// dial again after a session ends, whatever it is told.
/// </summary>
internal sealed class GobgpRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    public override async Task StartAsync()
    {
        var file = Write("gobgpd.toml", Configuration());
        Process = Background.Start(Space, Log, null, "gobgpd", "-f", file, "--api-hosts", "127.0.0.1:50051", "--pprof-disable", "-l",
            "info");
        await Until.TrueAsync("GoBGP answers", async () => (await Space.RunAsync("gobgp", "neighbor")).Good, 15, () => Said);
        foreach (var route in Spec.Routes) await RibAsync("add", route);
    }

    private Task<Answer> RibAsync(string verb, string route) => route.Contains(':')
        ? Space.RunAsync("gobgp", "global", "rib", verb, "-a", "ipv6", route, "nexthop", "::")
        : Space.RunAsync("gobgp", "global", "rib", verb, "-a", "ipv4", route, "nexthop", "0.0.0.0");

    private string Configuration() => $"""
        [global.config]
          as = {Spec.As}
          router-id = "{Spec.Id}"
          port = 179
          local-address-list = [{string.Join(", ", Spec.Neighbours.Select(n => $"\"{n.Local}\"").Distinct())}]
        {string.Concat(Spec.Neighbours.Select(Neighbour))}
        """;

    private string Neighbour(Neighbour n) => $"""
        [[neighbors]]
          [neighbors.config]
            neighbor-address = "{n.Remote}"
            peer-as = {n.RemoteAs}
            {(n.Password is { } key ? $"auth-password = \"{key}\"" : "")}
          [neighbors.timers.config]
            hold-time = {Spec.Hold}
            keepalive-interval = 3
            connect-retry = 2
            idle-hold-time-after-reset = 1
          [neighbors.transport.config]
            local-address = "{n.Local}"
            passive-mode = {(n.Passive ? "true" : "false")}
          [neighbors.route-reflector.config]
            route-reflector-client = {(n.Client ? "true" : "false")}
            route-reflector-cluster-id = "{Spec.Id}"
          [[neighbors.afi-safis]]
            [neighbors.afi-safis.config]
              afi-safi-name = "{(n.IPv6 ? "ipv6" : "ipv4")}-unicast"
            [neighbors.afi-safis.add-paths.config]
              receive = {(n.AddPath != null ? "true" : "false")}
              send-max = {(n.AddPath != null ? 8 : 0)}

        """;

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour) =>
        (await Space.RunAsync("gobgp", "neighbor", neighbour.Remote)).Output.Contains("BGP state = ESTABLISHED");

    public override async Task<Seen?> RouteAsync(string prefix)
    {
        var paths = await PathsOfAsync(prefix);
        return paths.Count == 0 ? null : Read(paths[0].GetProperty("attrs"));
    }

    public override async Task<int> PathsAsync(string prefix) => (await PathsOfAsync(prefix)).Count;

    /// <summary>One prefix's paths, bare or under the prefix as a key; nothing at all when there are none.</summary>
    private async Task<IReadOnlyList<JsonElement>> PathsOfAsync(string prefix)
    {
        var output = (await Space.RunAsync("gobgp", "global", "rib", prefix, "-a", prefix.Contains(':') ? "ipv6" : "ipv4", "-j")).Output;
        if (!output.StartsWith('{') && !output.StartsWith('[')) return [];
        using var json = JsonDocument.Parse(output);
        var paths = json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement
            : json.RootElement.EnumerateObject().FirstOrDefault().Value;
        return paths.ValueKind != JsonValueKind.Array ? [] : [.. paths.EnumerateArray().Select(path => path.Clone())];
    }

    private static Seen Read(JsonElement attributes)
    {
        var seen = new Seen();
        foreach (var attribute in attributes.EnumerateArray()) Read(seen, attribute.GetProperty("type").GetInt32(), attribute);
        return seen;
    }

    private static void Read(Seen seen, int type, JsonElement a)
    {
        switch (type)
        {
            case 1: seen[Seen.Origin] = a.GetProperty("value").GetInt32() switch { 0 => "IGP", 1 => "EGP", _ => "incomplete" }; break;
            case 2: seen[Seen.AsPath] = string.Join(' ', a.GetProperty("as_paths").EnumerateArray().Select(Segment)); break;
            case 3 or 14: seen[Seen.NextHop] = a.GetProperty("nexthop").GetString()!; break;
            case 4: seen[Seen.Med] = a.GetProperty("metric").ToString(); break;
            case 5: seen[Seen.LocalPref] = a.GetProperty("value").ToString(); break;
            case 6: seen[Seen.AtomicAggregate] = "yes"; break;
            case 7: seen[Seen.Aggregator] = $"{a.GetProperty("as")} {a.GetProperty("address")}"; break;
            case 8:
                seen[Seen.Communities] = Seen.Set(Items(a, "communities")
                .Select(c => $"{c.GetUInt32() >> 16}:{c.GetUInt32() & 0xffff}")); break;
            case 9: seen[Seen.OriginatorId] = a.GetProperty("value").GetString()!; break;
            case 10: seen[Seen.ClusterList] = string.Join(' ', Items(a, "value")); break;
            case 16: Extended(seen, a); break;
            case 25: seen[Seen.IPv6Extended] = Seen.Set(Items(a, "value").Select(IPv6Community)); break;
            case 26: seen[Seen.Aigp] = Items(a, "value").First().GetProperty("metric").ToString(); break;
            case 32:
                seen[Seen.Large] = Seen.Set(Items(a, "value")
                .Select(c => $"{c.GetProperty("ASN")}:{c.GetProperty("LocalData1")}:{c.GetProperty("LocalData2")}")); break;
            default: Unknown(seen, type, a); break;
        }
    }

    private static void Extended(Seen seen, JsonElement attribute)
    {
        var targets = new List<string>();
        foreach (var one in Items(attribute, "value"))
        {
            var subtype = one.TryGetProperty("subtype", out var number) ? number.GetInt32() : -1;
            if (subtype == 4) seen[Seen.LinkBandwidth] = $"{one.GetProperty("asn")}:{(long)one.GetProperty("bandwidth").GetDouble()}";
            else if (subtype is 2 or 3) targets.Add((subtype == 2 ? "rt:" : "ro:") + one.GetProperty("value").GetString());
            else targets.Add(one.ToString());
        }
        if (targets.Count > 0) seen[Seen.Extended] = Seen.Set(targets);
    }

    /// <summary><c>2001:db8::1:100</c>: the address, then the local administrator's number.</summary>
    private static string IPv6Community(JsonElement one)
    {
        var text = one.GetProperty("value").GetString()!;
        var cut = text.LastIndexOf(':');
        byte[] octets = [one.GetProperty("type").GetByte(), one.GetProperty("subtype").GetByte(), .. Octets.Address(text[..cut]),
            .. Octets.U16(int.Parse(text[(cut + 1)..]))];
        return Convert.ToHexStringLower(octets);
    }

    private static void Unknown(Seen seen, int type, JsonElement a)
    {
        var value = Convert.ToHexStringLower(a.GetProperty("value").GetBytesFromBase64());
        if (type == 35) seen[Seen.Otc] = Convert.ToUInt32(value, 16).ToString();
        else seen[Seen.Unknown] = $"{type}:{value}{((a.GetProperty("flags").GetInt32() & 0x20) != 0 ? " partial" : "")}";
    }

    private static IEnumerable<JsonElement> Items(JsonElement element, string name) => element.GetProperty(name).EnumerateArray();

    private static string Segment(JsonElement segment)
    {
        var numbers = string.Join(' ', Items(segment, "asns"));
        return segment.GetProperty("segment_type").GetInt32() == 1 ? $"{{{numbers}}}" : numbers;
    }

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        foreach (var route in Spec.Routes.Except(routes)) await RibAsync("del", route);
        foreach (var route in routes.Except(Spec.Routes)) await RibAsync("add", route);
        await base.OriginateAsync(routes);
    }

    public override Task AskRefreshAsync(Neighbour neighbour) => Space.RunAsync("gobgp", "neighbor", neighbour.Remote, "softresetin");
}
