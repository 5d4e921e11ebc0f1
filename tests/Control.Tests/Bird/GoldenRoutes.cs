using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>The routes and interfaces of the oracle's place.</summary>
internal sealed partial class GoldenModel
{
    private const int Eth0 = 2;

    private static KernelSnapshot Kernel() => new(
        1,
        new Dictionary<int, Link>
        {
            [1] = new(1, "lo", 0x10049, 65536, 0, null),
            [Eth0] = new(Eth0, "eth0", 0x11043, 1500, 0, null),
        }.ToImmutableDictionary(),
        [
            Of(1, "127.0.0.1", 8, 254),
            Of(1, "::1", 128, 254),
            Of(Eth0, "10.99.0.1", 24, 0),
            Of(Eth0, "10.99.0.101", 24, 0) with { Secondary = true },
            Of(Eth0, "10.99.0.102", 24, 0) with { Secondary = true },
            Of(Eth0, "10.99.0.103", 24, 0) with { Secondary = true },
            Of(Eth0, "fd99::1", 64, 0),
            Of(Eth0, "fe80::1", 64, 253),
        ],
        new Dictionary<(Prefix, uint, uint), ForeignRoute>
        {
            [(Prefix.Parse("172.21.0.0/16"), 0, 254)] =
                new(Prefix.Parse("172.21.0.0/16"), new(RouteType.Unicast, [new(Address.Parse("10.99.0.9"), Eth0)]), 3, 0, null),
        }.ToImmutableDictionary());

    private static LinkAddress Of(int link, string address, int length, byte scope) =>
        new(link, Address.Parse(address), length, null, scope, false);

    private void AddRoutes()
    {
        Static("10.50.0.0/16", Via("10.99.0.2"));
        Static("10.51.0.0/16", Via("10.99.0.2", 2), Via("10.99.0.3"));
        Static("10.52.0.0/16", new RouteHop(null, Eth0));
        Add(FakeSpeaker.Route("10.99.0.0/24", RouteOrigin.Direct, "direct1", preference: 240) with { Hops = [new(null, Eth0)] });
        Add(FakeSpeaker.Route("172.21.0.0/16", RouteOrigin.Kernel, "kernel1", preference: 10) with { Hops = [Via("10.99.0.9")] });
        Add(FakeSpeaker.Route("192.0.2.0/24", RouteOrigin.Static, "static1", RouteType.Blackhole));
        Add(Tor("192.0.2.0/24") with { First = false, Best = false, Filtered = true });
        Add(FakeSpeaker.Route("192.0.3.0/24", RouteOrigin.Static, "static1", RouteType.Unreachable));
        Add(FakeSpeaker.Route("192.0.4.0/24", RouteOrigin.Static, "static1", RouteType.Prohibit));
        Add(Tor("198.18.0.0/24") with { Best = false, Filtered = true, StandsFirst = true });
        Add(Tor("203.0.113.0/24"));
        Add(Tor("203.0.113.128/25", Origin.Incomplete, 65002, 64998, 64999));
        Add(Inner("203.0.114.0/24"));
        Add(Tor("203.0.114.0/24", Origin.Egp) with { First = false, Best = false });

        Add(FakeSpeaker.Route("2001:db8:a::/48", RouteOrigin.Static, "static2", RouteType.Blackhole));
        Add(Tor6("2001:db8:a::/48") with { First = false, Best = false });
        Add(Tor6("2001:db8:b::/48"));
        Static("2001:db8:c::/48", new RouteHop(Address.Parse("fe80::2"), Eth0));
        Add(FakeSpeaker.Route("fd99::/64", RouteOrigin.Direct, "direct1", preference: 240) with { Hops = [new(null, Eth0)] });
    }

    private void Add(RouteView route) => Speaker.RouteList.Add(route);

    private void Static(string prefix, params RouteHop[] hops) =>
        Add(FakeSpeaker.Route(prefix, RouteOrigin.Static, prefix.Contains(':') ? "static2" : "static1") with { Hops = [.. hops] });

    private static RouteHop Via(string gateway, int weight = 1) => new(Address.Parse(gateway), Eth0, weight);

    private static RouteView Tor(string prefix, Origin origin = Origin.Igp, params uint[] path) =>
        FakeSpeaker.Bgp(prefix, "tor4", "10.99.0.2", new Canonical(origin)
            .Path(path.Length > 0 ? path : [65002])
            .NextHop("10.99.0.2")
            .Med(50)
            .LocalPref(100)
            .Communities(65002u << 16 | 100, 65535u << 16 | 65281)
            .Extended(0x0002_fdea_0000_012c, 0x0003_fdea_0000_012d, 0x0102_0a00_0001_0005, 0x0202_fa56_ea00_0007, 0x8006_0000_0001_2345)
            .Large(65002, 1, 2, 4200000000, 10, 20));

    private static RouteView Inner(string prefix) =>
        FakeSpeaker.Bgp(prefix, "inner", "10.99.0.12", new Canonical().Path().NextHop("10.99.0.12").LocalPref(150)) with
        {
            Recursive = true,
            IgpMetric = 0,
        };

    private static RouteView Tor6(string prefix) =>
        FakeSpeaker.Bgp(prefix, "tor6", "fd99::2", new Canonical().Path(65002).NextHop("fd99::2", "fe80::2").LocalPref(100));

    /// <summary>To the ToR go the best static and BGP ones, except what came from it.</summary>
    private void AddExports()
    {
        RouteView[] offered =
        [
            .. Speaker.RouteList.Where(route =>
                route.Best && route.Prefix.Family == IpFamily.IPv4 && route.Protocol is not ("tor4" or "kernel1")),
        ];
        RouteView[] others = [.. Speaker.RouteList.Where(route => route.Protocol == "kernel1")];
        Speaker.Put(RouteSelection.PreExport, "tor4", [.. offered, .. others]);
        Speaker.Put(RouteSelection.Export, "tor4", [.. offered.Where(route => route.Origin != RouteOrigin.Direct)]);
        Speaker.Put(RouteSelection.NoExport, "tor4", [.. offered.Where(route => route.Origin == RouteOrigin.Direct), .. others]);
    }
}
