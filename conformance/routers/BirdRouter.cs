using Calico.Bgp.Conformance.Machine;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>BIRD 2. Restarts quickly after errors (its defaults cost minutes), and takes next hops from the kernel's routes.</summary>
internal sealed class BirdRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    private string Socket => Path.Combine(Folder, "ctl");

    public override Task StartAsync()
    {
        var file = Write("bird.conf", Configuration());
        Process = Background.Start(Space, Log, null, "bird", "-f", "-c", file, "-s", Socket, "-P", Path.Combine(Folder, "pid"));
        return Until.TrueAsync("bird answers", async () => (await BirdText.AskAsync(Socket, "show status")).Contains("up and running"), 10, () => Task.FromResult(Said));
    }

    private string Configuration() => $$"""
        log stderr all;
        router id {{Spec.Id}};
        protocol device { scan time 10; }
        protocol direct { ipv4; ipv6; }
        protocol kernel { learn; ipv4 { import all; export none; }; }
        protocol kernel { learn; ipv6 { import all; export none; }; }
        protocol static s4 { ipv4; {{string.Concat(Spec.RoutesOf(false).Select(r => $"route {r} blackhole; "))}} }
        protocol static s6 { ipv6; {{string.Concat(Spec.RoutesOf(true).Select(r => $"route {r} blackhole; "))}} }
        filter own { if source = RTS_STATIC || source = RTS_BGP then accept; reject; }
        {{string.Join('\n', Spec.Neighbours.Select(Protocol))}}

        """;

    private string Protocol(Neighbour n) => $$"""
        protocol bgp {{n.Name}} {
          local {{n.Local}} as {{Spec.As}}; neighbor {{n.Remote}} as {{n.RemoteAs}};
          {{(n.Passive ? "passive on;" : "")}} {{(n.Password is { } key ? $"password \"{key}\";" : "")}} {{(n.Client ? "rr client;" : "")}}
          hold time {{Spec.Hold}}; connect retry time 2; connect delay time 1; error wait time 1,2; graceful restart off;
          {{(n.IPv6 ? "ipv6" : "ipv4")}} { import all; export filter own; };
        }
        """;

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour) =>
        (await BirdText.AskAsync(Socket, $"show protocols {neighbour.Name}")).Contains("Established");

    public override async Task<Seen?> RouteAsync(string prefix) => BirdText.Route(await BirdText.AskAsync(Socket, $"show route {prefix} all"));

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        await base.OriginateAsync(routes);
        Write("bird.conf", Configuration());
        await BirdText.AskAsync(Socket, "configure");
    }

    public override Task AskRefreshAsync(Neighbour neighbour) => BirdText.AskAsync(Socket, $"reload in {neighbour.Name}");
}
