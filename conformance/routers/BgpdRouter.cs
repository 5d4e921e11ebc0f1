using Calico.Bgp.Conformance.Machine;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>The daemon under test, as an operator meets it: its executable, bgpd.yaml, birdc, signals.</summary>
internal sealed class BgpdRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    private string Socket => Path.Combine(Folder, "ctl");

    public override async Task StartAsync()
    {
        Process = Background.Start(Space, Log, null, Project.Daemon, "--config", Write("bgpd.yaml", Configuration()));
        await Until.TrueAsync("bgpd answers", async () => (await BirdText.AskAsync(Socket, "show status")).Contains("up and running"), 15, () => Task.FromResult(Said));
    }

    private string Configuration() => $$"""
        router:
          id: {{Spec.Id}}
          asNumber: {{Spec.As}}
        control:
          socket: {{Socket}}
          http: ["unix:{{Path.Combine(Folder, "http")}}"]
        kernel: { installRoutes: false }
        routes: [{{string.Join(", ", Spec.Routes.Select(route => $$"""{ prefix: "{{route}}", type: blackhole }"""))}}]
        peers:
        {{string.Join('\n', Spec.Neighbours.Select(Peer))}}

        """;

    private string Peer(Neighbour n) => $$"""
          - name: {{n.Name}}
            peerIP: "{{n.Remote}}"
            sourceAddress: "{{n.Local}}"
            asNumber: {{n.RemoteAs}}
            families: [{{(n.IPv6 ? "ipv6" : "ipv4")}}]
            import: accept
            export: accept
            holdTime: {{Spec.Hold}}s
            passive: {{(n.Passive ? "true" : "false")}}
            routeReflectorClient: {{(n.Client ? "true" : "false")}}{{(n.Password is { } key ? $"\n    password: {{ file: {Write(n.Name + ".key", key)} }}" : "")}}
        """;

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour) =>
        (await BirdText.AskAsync(Socket, $"show protocols {neighbour.Name}")).Contains("Established");

    public override async Task<Seen?> RouteAsync(string prefix) => BirdText.Route(await BirdText.AskAsync(Socket, $"show route {prefix} all"));

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        await base.OriginateAsync(routes);
        Write("bgpd.yaml", Configuration());
        await SignalAsync("HUP");
    }

    public override Task AskRefreshAsync(Neighbour neighbour) => BirdText.AskAsync(Socket, $"reload in {neighbour.Name}");
}
