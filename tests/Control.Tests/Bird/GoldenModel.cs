using System.Globalization;
using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>
/// What our speaker would hold if it stood in the place of <see cref="BirdLab"/>'s oracle: written down from the lab's
/// configuration, not read from BIRD's answers. Only counters are taken from there, because they depend on who came up first.
/// </summary>
internal sealed partial class GoldenModel
{
    private static readonly DateTimeOffset Now = FakeSpeaker.At(9, 30, 0);

    private readonly string protocols;

    /// <param name="protocols">The oracle's <c>show protocols all</c>, for its counters.</param>
    public GoldenModel(string protocols)
    {
        this.protocols = protocols;
        Speaker = new FakeSpeaker { FilterNames = ["imp4", "exp4"], KernelState = Kernel() };
        Speaker.NamedFilters["exp4"] = route => route.Origin is RouteOrigin.Static or RouteOrigin.Bgp ? route : null;
        AddProtocols();
        AddRoutes();
        AddExports();
    }

    public FakeSpeaker Speaker { get; }

    private void AddProtocols()
    {
        Add("device1", ProtocolKind.Device);
        Add("direct1", ProtocolKind.Direct,
            Channel("direct1", IpFamily.IPv4, "ACCEPT", "REJECT"), Channel("direct1", IpFamily.IPv6, "ACCEPT", "REJECT"));
        Add("kernel1", ProtocolKind.Kernel, Channel("kernel1", IpFamily.IPv4, "ACCEPT", "REJECT"));
        Add("kernel2", ProtocolKind.Kernel, Channel("kernel2", IpFamily.IPv6, "ACCEPT", "REJECT"));
        Add("static1", ProtocolKind.Static, Channel("static1", IpFamily.IPv4, "ACCEPT", "REJECT"));
        Add("static2", ProtocolKind.Static, Channel("static2", IpFamily.IPv6, "ACCEPT", "REJECT"));

        Up(Settings("tor4", "10.99.0.2", 65002), "10.99.0.1", "10.99.0.2", Tor4(), Tor4(),
            description: "the ToR", channel: Channel("tor4", IpFamily.IPv4, "imp4", "exp4", "10.99.0.1") with { ReceiveLimit = 100 });
        Up(Settings("tor6", "fd99::2", 65002), "fd99::1", "10.99.0.2", Plain(Family.IPv6Unicast), Plain(Family.IPv6Unicast),
            channel: Channel("tor6", IpFamily.IPv6, "ACCEPT", "exp4", "fd99::1 fe80::1"));
        Up(Settings("inner", "10.99.0.12", 65001), "10.99.0.101", "10.99.0.2", Inner(), Inner(),
            reflectorClient: true, channel: Channel("inner", IpFamily.IPv4, "ACCEPT", "REJECT", "10.99.0.101"));

        Peer(Settings("waits", "10.99.0.77", 65003) with { Passive = true }, Phase.Active,
            Channel("waits", IpFamily.IPv4, "REJECT", "REJECT", up: false));
        Peer(Settings("many", "10.99.0.14", 65002), Phase.Idle,
            Channel("many", IpFamily.IPv4, "ACCEPT", "REJECT", up: false) with { ReceiveLimit = 1, IsOverLimit = true },
            enabled: false);
        Peer(Settings("shut", "10.99.0.78", 65003), Phase.Idle,
            Channel("shut", IpFamily.IPv4, "ACCEPT", "REJECT", up: false), enabled: false);
        Peer(Settings("wrong", "10.99.0.13", 65077) with { PeerPort = 1179, IdleHoldTime = TimeSpan.FromSeconds(600) }, Phase.Idle,
            Channel("wrong", IpFamily.IPv4, "ACCEPT", "REJECT", up: false),
            fault: new(FaultKind.Sent, new Notification(ErrorCode.OpenMessage, 2), "expected AS 65077, got 65066", Now),
            retryLeft: TimeSpan.FromSeconds(5));
    }

    private static CapabilitySet Plain(params Family[] families) => new()
    {
        Multiprotocol = families,
        RouteRefresh = true,
        EnhancedRouteRefresh = true,
        GracefulRestart = new(false, false, 120, []),
        FourOctetAs = new(65001),
        LongLivedHelper = true,
    };

    private static CapabilitySet Tor4() => Plain(Family.IPv4Unicast) with
    {
        ExtendedMessages = true,
        GracefulRestart = new(false, false, 120, [new(Family.IPv4Unicast, false)]),
    };

    private static CapabilitySet Inner() => Plain(Family.IPv4Unicast) with { AddPath = [new(Family.IPv4Unicast, AddPathDirection.Both)] };

    private static SessionSettings Settings(string name, string address, uint asn) => new()
    {
        Name = name,
        Index = 1,
        PeerAddress = Address.Parse(address),
        LocalAs = new(65001),
        PeerAs = new(asn),
        RouterId = new(0x0a630001),
        ExtendedNextHop = false,
    };

    private void Add(string name, ProtocolKind kind, params ChannelStatus[] channels) =>
        Speaker.ProtocolList.Add(new(name, kind, Enabled: true, Up: true, Now) { Channels = [.. channels] });

    private void Up(
        SessionSettings settings, string local, string id, CapabilitySet sent, CapabilitySet received, ChannelStatus channel,
        string? description = null, bool reflectorClient = false)
    {
        var peerId = new RouterId(Address.Parse(id).IPv4Bits);
        var negotiated = new Negotiated
        {
            LocalAs = settings.LocalAs,
            PeerAs = settings.PeerAs,
            LocalId = settings.RouterId,
            PeerId = peerId,
            LocalAddress = Address.Parse(local),
            PeerAddress = settings.PeerAddress,
            HoldTime = 90,
            FourOctetAs = true,
            Sent = new(settings.LocalAs, 90, settings.RouterId, sent),
            Received = new(settings.PeerAs, 90, peerId, received),
        };
        Peer(settings, Phase.Established, channel, description, reflectorClient, negotiated: negotiated);
    }

    private void Peer(
        SessionSettings settings, Phase phase, ChannelStatus channel, string? description = null, bool reflectorClient = false,
        bool enabled = true, SessionFault? fault = null, TimeSpan? retryLeft = null, Negotiated? negotiated = null)
    {
        TimeSpan? running = negotiated == null ? null : TimeSpan.FromSeconds(7);
        var session = new SessionSnapshot
        {
            Settings = settings,
            Phase = phase,
            Since = Now,
            Enabled = enabled,
            Faults = SessionFaults.None.With(fault ?? SessionFault.None),
            Negotiated = negotiated,
            Left = new(running, running, retryLeft),
            EstablishedTransitions = 1,
        };
        Speaker.ProtocolList.Add(new(settings.Name, ProtocolKind.Bgp, enabled, negotiated != null, Now)
        {
            Description = description,
            Channels = [channel],
            Session = session,
            RouteReflectorClient = reflectorClient,
        });
    }

    private ChannelStatus Channel(string protocol, IpFamily family, string import, string export, string? nextHop = null, bool up = true) =>
        Counted(new(family, up, new(import), new(export), nextHop, default, UpdateCounts.None), protocol);

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    /// <summary>Takes the numbers out of the oracle's block for the channel, in their order.</summary>
    private ChannelStatus Counted(ChannelStatus channel, string protocol)
    {
        if (!channel.Up) return channel;
        var block = protocols[protocols.IndexOf($"1002-{protocol} ", StringComparison.Ordinal)..];
        block = block[block.IndexOf($"  Channel {channel.Family.Word()}", StringComparison.Ordinal)..];
        block = block[block.IndexOf("Routes:", StringComparison.Ordinal)..];
        var lines = block.Split('\n');
        var routes = Numbers(lines[0]);
        var filtered = lines[0].Contains("filtered", StringComparison.Ordinal) ? 1 : 0;
        var iu = Numbers(lines[2]);
        var iw = Numbers(lines[3]);
        var eu = Numbers(lines[4]);
        var ew = Numbers(lines[5]);
        return channel with
        {
            Routes = new(routes[0], filtered == 1 ? routes[1] : 0, routes[1 + filtered], routes[2 + filtered]),
            Counts = new(
                new(iu[0], iu[1], iu[2], iu[3], iu[4]), new(iw[0], iw[1], 0, iw[2], iw[3]), new(eu[0], eu[1], eu[2], 0, eu[3]),
                new(ew[0], 0, 0, 0, ew[1])),
        };
    }

    private static long[] Numbers(string line) =>
        [.. Number().Matches(line).Select(match => long.Parse(match.Value, CultureInfo.InvariantCulture))];
}
