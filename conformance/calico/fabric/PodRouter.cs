using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>A BIRD in a pod, which peers with its node and announces a prefix of its own.</summary>
internal sealed class PodRouter(Netns space, string address, uint asn, string node, string prefix) : BirdcRouter(space, new(asn, address,
    [], []))
{
    public override Task StartAsync()
    {
        var file = Write("bird.conf", $$"""
            log stderr all;
            router id {{address}};
            protocol device { }
            protocol direct { ipv4; }
            protocol kernel { learn; ipv4 { import all; export none; }; }
            protocol static { ipv4; route {{prefix}} blackhole; }
            protocol bgp node {
              local {{address}} as {{asn}}; neighbor {{node}} as {{Rack.NodeAs}}; multihop;
              connect retry time 2; connect delay time 1; error wait time 1,2;
              ipv4 { import all; export where source = RTS_STATIC; };
            }

            """);
        Process = Background.Start(Space, Log, null, "bird", "-f", "-c", file, "-s", Socket, "-P", Path.Combine(Folder, "pid"));
        return AnswersAsync("the pod");
    }
}
