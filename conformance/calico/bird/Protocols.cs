// The protocols of a configuration, with their templates' settings under their own. A setting that is not in these lists stops the test.
using System.Collections.Immutable;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

internal abstract record Protocol(string Name)
{
    /// <summary>A setting of one line.</summary>
    public abstract Protocol With(string[] item);

    /// <summary><c>import</c> or <c>export</c>: a filter, or null for none.</summary>
    public virtual Protocol WithFilter(string direction, Statement filter) =>
        throw new BirdException($"{Name}: {direction} has no meaning here");
}

/// <summary>How a neighbour is told the next hop.</summary>
internal enum NextHop { Auto, Self, Keep }

internal sealed record Peer(string Name) : Protocol(Name)
{
    public IPAddress Address { get; init; } = IPAddress.None;
    public uint Port { get; init; } = 179;
    public uint As { get; init; }
    public uint LocalAs { get; init; }
    public IPAddress? SourceAddress { get; init; }
    public bool Passive { get; init; }

    /// <summary>Hops; null is as many as it takes.</summary>
    public uint? Hops { get; init; }
    public bool Multihop { get; init; }
    public bool TtlSecurity { get; init; }
    public bool GracefulRestart { get; init; }
    public uint? GracefulRestartTime { get; init; }
    public uint? KeepaliveTime { get; init; }
    public bool ReflectorClient { get; init; }
    public IPAddress? ClusterId { get; init; }
    public string? Password { get; init; }
    public NextHop NextHop { get; init; }
    public uint AllowLocalAs { get; init; }
    public Statement Import { get; init; } = new Verdict(Flow.Accept);
    public Statement Export { get; init; } = new Verdict(Flow.Reject);

    public bool Internal => As == LocalAs;

    public override Protocol With(string[] item) => item switch
    {
        ["local", "as", var asn] => this with { LocalAs = uint.Parse(asn) },
        ["neighbor", var address, "as", var asn] => this with { Address = IPAddress.Parse(address), As = uint.Parse(asn) },
        ["neighbor", var address, "port", var port, "as", var asn] =>
            this with { Address = IPAddress.Parse(address), Port = uint.Parse(port), As = uint.Parse(asn) },
        ["source", "address", var address] => this with { SourceAddress = IPAddress.Parse(address) },
        ["ttl", "security", "on"] => this with { TtlSecurity = true },
        ["ttl", "security", "off"] => this with { TtlSecurity = false },
        ["multihop"] => this with { Multihop = true, Hops = null },
        ["multihop", var hops] => this with { Multihop = true, Hops = uint.Parse(hops) },
        ["passive", "on"] => this with { Passive = true },
        ["graceful", "restart"] => this with { GracefulRestart = true },
        ["graceful", "restart", "time", var seconds] => this with { GracefulRestartTime = uint.Parse(seconds) },
        ["keepalive", "time", var seconds] => this with { KeepaliveTime = uint.Parse(seconds) },
        ["rr", "client"] => this with { ReflectorClient = true },
        ["rr", "cluster", "id", var id] => this with { ClusterId = IPAddress.Parse(id) },
        ["password", var password] => this with { Password = password },
        ["next", "hop", "self"] => this with { NextHop = NextHop.Self },
        ["next", "hop", "keep"] => this with { NextHop = NextHop.Keep },
        ["allow", "local", "as", var times] => this with { AllowLocalAs = uint.Parse(times) },
        // The same for every peer of every configuration, and no part of a plan.
        ["debug", ..] or ["description", _] or ["gateway", "recursive"] or ["add", "paths", "on"] or
            ["connect", "delay" or "retry", "time", _]
            => this,
        ["error", "wait", "time", ..] => this,
        _ => throw Item.Unknown(Name, item),
    };

    public override Protocol WithFilter(string direction, Statement filter) =>
        direction == "import" ? this with { Import = filter } : this with { Export = filter };
}

internal sealed record KernelProtocol(string Name) : Protocol(Name)
{
    public Statement Export { get; init; } = new Verdict(Flow.Reject);
    public bool Learns { get; init; }

    public override Protocol With(string[] item) => item switch
    {
        ["learn"] => this with { Learns = true },
        ["persist"] or ["scan", "time", _] or ["graceful", "restart"] or ["merge", "paths", "on"] => this,
        _ => throw Item.Unknown(Name, item),
    };

    public override Protocol WithFilter(string direction, Statement filter) =>
        direction == "import" && filter is Verdict { Flow: Flow.Accept } ? this
        : direction == "export" ? this with { Export = filter }
        : throw new BirdException($"{Name}: an import that does not take all");
}

internal sealed record DeviceProtocol(string Name) : Protocol(Name)
{
    public override Protocol With(string[] item) => item is ["debug", ..] or ["scan", "time", _] ? this : throw Item.Unknown(Name, item);
}

/// <param name="Name"></param>
/// <param name="Interfaces">Patterns in their order, with a minus before those that are left out.</param>
internal sealed record DirectProtocol(string Name, ImmutableArray<string> Interfaces) : Protocol(Name)
{
    public override Protocol With(string[] item) => item switch
    {
        ["debug", ..] => this,
        ["interface", .. var patterns] => this with { Interfaces = [.. string.Concat(patterns).Split(',')] },
        _ => throw Item.Unknown(Name, item),
    };
}

/// <param name="Prefix"></param>
/// <param name="Via">Null for a blackhole.</param>
internal sealed record StaticRoute(IPNetwork Prefix, IPAddress? Via);

internal sealed record StaticProtocol(string Name, ImmutableArray<StaticRoute> Routes) : Protocol(Name)
{
    public override Protocol With(string[] item) => item switch
    {
        ["route", var address, "/", var length, "blackhole"] => With(new StaticRoute(Prefix(address, length), null)),
        ["route", var address, "/", var length, "via", var gateway] =>
            With(new StaticRoute(Prefix(address, length), IPAddress.Parse(gateway))),
        _ => throw Item.Unknown(Name, item),
    };

    private StaticProtocol With(StaticRoute route) => this with { Routes = Routes.Add(route) };

    private static IPNetwork Prefix(string address, string length) => new(IPAddress.Parse(address), int.Parse(length));
}
