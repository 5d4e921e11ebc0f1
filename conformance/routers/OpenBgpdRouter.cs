using System.Text.Json;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>
/// OpenBGPD. Wants its user's home to exist, a configuration that only root reads, and line breaks inside neighbour blocks. After an
/// error it idles for half a minute; <c>bgpctl neighbor up</c> shortens that.
/// </summary>
internal sealed class OpenBgpdRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    private string Socket => Path.Combine(Folder, "bgpd.sock");

    public override IReadOnlySet<string> Shows { get; } = AllAttributes.Except([Seen.LinkBandwidth]).ToHashSet();

    public override async Task StartAsync()
    {
        Directory.CreateDirectory("/run/openbgpd");
        var file = Write("bgpd.conf", Configuration());
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Process = Background.Start(Space, Log, null, "/usr/sbin/bgpd", "-d", "-v", "-f", file);
        await Until.TrueAsync("OpenBGPD answers", async () => (await CtlAsync("show")).Contains("Neighbor"), 15, () => Said);
    }

    private string Configuration() => $"""
        AS {Spec.As}
        router-id {Spec.Id}
        holdtime {Spec.Hold}
        connect-retry 2
        fib-update no
        socket "{Socket}"
        {string.Concat(Spec.Neighbours.Select(n => n.Local).Distinct().Select(address => $"listen on {address}\n"))}
        {string.Concat(Spec.Routes.Select(route => $"network {route}\n"))}
        {string.Concat(Spec.Neighbours.Select(Neighbour))}
        allow from any
        allow to any

        """;

    private static string Neighbour(Neighbour n) => $$"""
        neighbor {{n.Remote}} {
          remote-as {{n.RemoteAs}}
          descr "{{n.Name}}"
          local-address {{n.Local}}
          announce {{(n.IPv6 ? "IPv6" : "IPv4")}} unicast
          {{(n.Passive ? "passive" : "")}}
          {{(n.Password is { } key ? $"tcp md5sig password \"{key}\"" : "")}}
          {{(n.Client ? "route-reflector" : "")}}
          {{(n.AddPath != null ? "announce add-path recv yes\n  announce add-path send all" : "")}}
        }

        """;

    private async Task<string> CtlAsync(params string[] words) => (await Shell.RunAsync("bgpctl", ["-s", Socket, .. words])).Output;

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour) =>
        (await CtlAsync("show", "neighbor", neighbour.Remote)).Contains("BGP state = Established");

    public override async Task<Seen?> RouteAsync(string prefix)
    {
        var output = await CtlAsync("-j", "show", "rib", "detail", prefix);
        if (!output.StartsWith('{')) return null;
        using var json = JsonDocument.Parse(output);
        return json.RootElement.TryGetProperty("rib", out var rib) && rib.GetArrayLength() > 0 ? Read(rib[0]) : null;
    }

    public override async Task<int> PathsAsync(string prefix)
    {
        var output = await CtlAsync("-j", "show", "rib", "detail", prefix);
        if (!output.StartsWith('{')) return 0;
        using var json = JsonDocument.Parse(output);
        return json.RootElement.TryGetProperty("rib", out var rib) ? rib.GetArrayLength() : 0;
    }

    private static Seen Read(JsonElement route)
    {
        var seen = new Seen()
            .With(Seen.Origin, route.GetProperty("origin").GetString())
            .With(Seen.AsPath, Text(route, "aspath")?.Replace("{ ", "{", StringComparison.Ordinal)
            .Replace(" }", "}", StringComparison.Ordinal))
            .With(Seen.NextHop, Text(route, "exit_nexthop"))
            .With(Seen.Med, Text(route, "metric"))
            .With(Seen.LocalPref, Text(route, "localpref"))
            .With(Seen.Communities, Strings(route, "communities"))
            .With(Seen.Large, Strings(route, "large_communities"));
        if (route.TryGetProperty("extended_communities", out var extended)) ReadExtended(seen, extended);
        if (route.TryGetProperty("attributes", out var attributes))
            foreach (var attribute in attributes.EnumerateArray()) ReadOther(seen, attribute);
        return seen;
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.ToString().Replace("  ", " ", StringComparison.Ordinal) : null;

    private static string? Strings(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) ? Seen.Set(list.EnumerateArray().Select(one => one.GetString()!)) : null;

    /// <summary>Link bandwidth is <c>[4] …</c> here, and of the non-transitive kind the value is not shown.</summary>
    private static void ReadExtended(Seen seen, JsonElement list)
    {
        var named = list.EnumerateArray().Select(one => one.GetString()!).Where(text => !text.StartsWith('['))
            .Select(text => text.Replace("soo ", "ro:", StringComparison.Ordinal).Replace("rt ", "rt:", StringComparison.Ordinal)).ToList();
        if (named.Count > 0) seen[Seen.Extended] = Seen.Set(named);
    }

    private static void ReadOther(Seen seen, JsonElement attribute)
    {
        switch (attribute.GetProperty("type").GetString())
        {
            case "Atomic Aggregate": seen[Seen.AtomicAggregate] = "yes"; break;
            case "Aggregator": seen[Seen.Aggregator] = $"{Text(attribute, "AS")} {Text(attribute, "router_id")}"; break;
            case "Originator Id": seen[Seen.OriginatorId] = Text(attribute, "originator")!; break;
            case "Cluster Id List":
                seen[Seen.ClusterList] = string.Join(
                ' ', attribute.GetProperty("cluster_list").EnumerateArray()); break;
            case "OTC": seen[Seen.Otc] = Text(attribute, "as")!; break;
            case "Unknown Attribute #25": seen[Seen.IPv6Extended] = Text(attribute, "data")!; break;
            case "Unknown Attribute #26":
                seen[Seen.Aigp] = ulong.Parse(
                Text(attribute, "data")![6..], System.Globalization.NumberStyles.HexNumber).ToString(); break;
            case { } name when name.StartsWith("Unknown Attribute #", StringComparison.Ordinal):
                var partial = attribute.GetProperty("flags").GetProperty("partial").GetBoolean();
                seen[Seen.Unknown] = $"{name["Unknown Attribute #".Length..]}:{Text(attribute, "data")}{(partial ? " partial" : "")}";
                break;
        }
    }

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        foreach (var route in Spec.Routes.Except(routes)) await CtlAsync("network", "delete", route);
        foreach (var route in routes.Except(Spec.Routes)) await CtlAsync("network", "add", route);
        await base.OriginateAsync(routes);
    }

    public override Task AskRefreshAsync(Neighbour neighbour) => CtlAsync("neighbor", neighbour.Remote, "refresh");
}
