
namespace Calico.Bgp.Conformance.Routers;

/// <summary>BIRD 2. Restarts quickly after errors (its defaults cost minutes), and takes next hops from the kernel's routes.</summary>
internal sealed class BirdRouter(Netns space, RouterSpec spec) : BirdcRouter(space, spec)
{
    public override Task StartAsync()
    {
        var file = Write("bird.conf", Configuration());
        Process = Background.Start(Space, Log, null, "bird", "-f", "-c", file, "-s", Socket, "-P", Path.Combine(Folder, "pid"));
        return AnswersAsync("bird");
    }

    private string Configuration() => $$"""
        log stderr all;
        router id {{Spec.Id}};
        protocol device { scan time 10; }
        protocol static { ipv4; {{string.Concat(Spec.RoutesOf(false).Select(r => $"route {r} blackhole; "))}} }
        protocol static { ipv6; {{string.Concat(Spec.RoutesOf(true).Select(r => $"route {r} blackhole; "))}} }
        protocol direct { ipv4; ipv6; }
        protocol kernel { learn; ipv4 { import all; export none; }; }
        protocol kernel { learn; ipv6 { import all; export none; }; }
        filter own { if source = RTS_STATIC || source = RTS_BGP then accept; reject; }
        {{(Spec.Neighbours.Any(n => n.Bfd) ? Bfd : "")}}
        {{string.Join('\n', Spec.Neighbours.Select(Protocol))}}

        """;

    private const string Bfd = """
        protocol bfd bfd1 { interface "*" { interval 50 ms; multiplier 3; }; multihop { interval 50 ms; multiplier 3; }; }
        """;

    private string Protocol(Neighbour n) => $$"""
        protocol bgp {{n.Name}} {
          local {{n.Local}} as {{Spec.As}}; neighbor {{n.Remote}} as {{n.RemoteAs}};
          {{(n.Passive ? "passive on;" : "")}} {{(n.Password is { } key ? $"password \"{key}\";" : "")}} {{(n.Client ? "rr client;" : "")}}
          {{(n.Bfd ? "bfd on;" : "")}} {{(n.Hops > 1 ? $"multihop {n.Hops};" : "")}}
          hold time {{Spec.Hold}}; connect retry time 2; connect delay time 1; error wait time 1,2;
          {{(Spec.Twin ? "enable extended messages on; graceful restart off; long lived graceful restart off;" : "")}}
          {{(n.IPv6 ? "ipv6" : "ipv4")}} { {{(Spec.Twin ? $"import keep filtered on; {(n.IPv6 ? "" : "extended next hop on;")}" : "")}}
            {{(n.AddPath != null ? "add paths on;" : "")}} import all; export {{(Spec.Twin ? "all" : "filter own")}}; };
        }
        """;

    public override async Task OriginateAsync(IReadOnlyList<string> routes)
    {
        await base.OriginateAsync(routes);
        Write("bird.conf", Configuration());
        await AskAsync("configure");
    }
}
