using Calico.Bgp.Conformance.Machine;

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
        kernel: { installRoutes: false, learn: {{(Spec.Twin ? "true" : "false")}} }
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
            {{(Spec.AnnounceRestart ? "gracefulRestartTime: 0s" : "")}}
            passive: {{(n.Passive ? "true" : "false")}}
            routeReflectorClient: {{(n.Client ? "true" : "false")}}{{(n.Password is { } key ? $"\n    password: {{ file: {Write(n.Name + ".key", key)} }}" : "")}}
        """;

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        await base.OriginateAsync(routes);
        Write("bgpd.yaml", Configuration());
        await SignalAsync("HUP");
    }
}
