using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>The ToR: a BIRD that hears the nodes of its rack, uses equal ways together, and forwards by what it hears.</summary>
internal sealed partial class TorRouter(Netns space, int[] nodes) : BirdcRouter(space, new(Rack.TorAs, Rack.Tor4, [], []))
{
    public Netns Namespace => Space;

    /// <summary>Routes that the ToR has from elsewhere.</summary>
    public IReadOnlyList<string> Own { get; private set; } = [];

    public static IEnumerable<string> SessionsWith(int node) => [$"node{node}_v4", $"node{node}_v6"];

    public override Task StartAsync()
    {
        var file = Write("bird.conf", Configuration());
        Process = Background.Start(Space, Log, null, "bird", "-f", "-c", file, "-s", Socket, "-P", Path.Combine(Folder, "pid"));
        return AnswersAsync("the ToR");
    }

    /// <summary>From now on these are announced to the nodes.</summary>
    public Task AnnounceAsync(params string[] prefixes)
    {
        Own = prefixes;
        Write("bird.conf", Configuration());
        return AskAsync("configure");
    }

    private string Configuration() => $$"""
        log stderr all;
        router id {{Rack.Tor4}};
        protocol device { scan time 10; }
        protocol direct { ipv4; ipv6; }
        protocol kernel { ipv4 { export where source = RTS_BGP; }; merge paths yes; }
        protocol kernel { ipv6 { export where source = RTS_BGP; }; merge paths yes; }
        protocol static { ipv4; {{Statics(false)}} }
        protocol static { ipv6; {{Statics(true)}} }
        {{string.Join('\n', nodes.Select(node => Session(node, false) + Session(node, true)))}}

        """;

    private string Statics(bool v6) => string.Concat(Own.Where(prefix => prefix.Contains(':') == v6).Select(prefix =>
        $"route {prefix} blackhole; "));

    private static string Session(int node, bool v6) => $$"""
        protocol bgp node{{node}}_v{{(v6 ? 6 : 4)}} {
          local {{(v6 ? Rack.Tor6 : Rack.Tor4)}} as {{Rack.TorAs}}; neighbor {{Rack.Node(node, v6)}} as {{Rack.NodeAs}};
          connect retry time 2; connect delay time 1; error wait time 1,2;
          {{(v6 ? "ipv6" : "ipv4")}} { import all; export where source = RTS_STATIC; };
        }

        """;

    public async Task<bool> IsUpAsync(string session) => (await AskAsync($"show protocols {session}")).Contains("Established",
        StringComparison.Ordinal);

    /// <summary>Next hops of all ways to exactly this prefix, sorted.</summary>
    public async Task<string> ViaAsync(string prefix) =>
        string.Join(' ', Via().Matches(await AskAsync($"show route {prefix}")).Select(match =>
            match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));

    [GeneratedRegex(@"via (\S+) on")]
    private static partial Regex Via();
}
