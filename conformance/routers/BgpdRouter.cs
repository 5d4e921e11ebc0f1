
namespace Calico.Bgp.Conformance.Routers;

/// <summary>The daemon under test, as an operator meets it: its executable, bgpd.yaml, birdc, signals.</summary>
internal sealed class BgpdRouter(Netns space, RouterSpec spec) : BirdcRouter(space, spec)
{
    public override async Task StartAsync()
    {
        Process = Background.Start(Space, Log, null, Project.Daemon, "--config", Write("bgpd.yaml", Configuration()));
        await AnswersAsync("bgpd");
    }

    private string Configuration() => $$"""
        router:
          id: {{Spec.Id}}
          asNumber: {{Spec.As}}
        control:
          socket: {{Socket}}
          http: ["unix:{{Path.Combine(Folder, "http")}}"]
        decision: { rejectAsSets: {{(Spec.AllowAsSets ? "false" : "true")}} }
        kernel: { installRoutes: false, learn: {{(Spec.Twin ? "true" : "false")}} }
        routes: [{{string.Join(", ", Spec.Routes.Select(route => $$"""{ prefix: "{{route}}", type: blackhole }"""))}}]
        peers:
        {{string.Join('\n', Spec.Neighbours.Select(Peer))}}

        """;

    private string Peer(Neighbour n) => $"  - {{ {string.Join(", ", Keys(n).Where(key => key.Length > 0))} }}";

    private IEnumerable<string> Keys(Neighbour n) =>
    [
        $"name: {n.Name}", n.Range == null ? $"peerIP: \"{n.Remote}\", sourceAddress: \"{n.Local}\"" : $"peerRange: \"{n.Range}\"",
        $"asNumber: {n.RemoteAs}",
        $"families: [{(n.IPv6 ? "ipv6" : "ipv4")}]",
        $"holdTime: {Spec.Hold}s", n.Passive ? "passive: true" : "", n.Client ? "routeReflectorClient: true" : "",
        Spec.AnnounceRestart ? "gracefulRestartTime: 0s" : "",
        n.Password is { } key ? $"password: {{ file: {Write(n.Name + ".key", key)} }}" : "", n.Filters,
        n.AddPath is { } send ? $"addPath: {{ receive: true, send: {send} }}" : "", n.More,
        n.Bfd ? "bfd: { interval: 50ms, multiplier: 3 }" : "", n.Hops > 1 ? $"multihop: {n.Hops}" : "",
    ];

    /// <summary>What /ready says.</summary>
    public Task<string> ReadyAsync() => GetAsync("/ready");

    public async Task<string> GetAsync(string path) =>
        (await Shell.RunAsync("curl", "-s", "--unix-socket", Path.Combine(Folder, "http"), $"http://bgpd{path}")).Output;

    /// <summary>An order, by its method, that must be taken.</summary>
    public async Task OrderAsync(string method, string path, string? body = null)
    {
        string[] data = body == null ? [] : ["--data", body];
        await Shell.DoAsync(
            "curl", ["-s", "--fail-with-body", "--unix-socket", Path.Combine(Folder, "http"), "-X", method, .. data, $"http://bgpd{path}"]);
    }

    /// <summary>Another configuration, as an operator gives it: the file, then SIGHUP.</summary>
    public async Task ReconfigureAsync(RouterSpec spec)
    {
        Spec = spec;
        Write("bgpd.yaml", Configuration());
        await SignalAsync("HUP");
    }

    public override Task OriginateAsync(IReadOnlyList<string> routes) => ReconfigureAsync(Spec with { Routes = routes });
}
