using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Policies;

public enum RuleAction : byte { Allow, Deny, Pass, Log }

/// <summary>Null: any. Denied it is "not this type with this code".</summary>
public readonly record struct IcmpMatch(byte? Type, byte? Code)
{
    public override string ToString() => Code == null ? $"{Type}" : $"{Type}/{Code}";
}

/// <summary>A port, or several in a row.</summary>
/// <param name="Name">Not null: the port that endpoints call so; the numbers mean nothing then.</param>
public readonly record struct PortMatch(ushort First, ushort Last, string? Name = null)
{
    public override string ToString() => Name ?? (First == Last ? $"{First}" : $"{First}:{Last}");
}

/// <summary>One rule of a policy: all that it says must hold, what it does not say holds for every packet.</summary>
public sealed record PolicyRule
{
    public RuleAction Action { get; init; }
    /// <summary>ipVersion, or what the protocol implies (ICMP, ICMPv6). Null: both.</summary>
    public IpFamily? Family { get; init; }
    public byte? Protocol { get; init; }
    public byte? NotProtocol { get; init; }
    public IcmpMatch? Icmp { get; init; }
    public IcmpMatch? NotIcmp { get; init; }
    public RuleEntity Source { get; init; } = RuleEntity.Any;
    public RuleEntity Destination { get; init; } = RuleEntity.Any;
    public Labels Annotations { get; init; } = Labels.Empty;
}

/// <summary>What a rule says of one end of a packet.</summary>
public sealed record RuleEntity
{
    public static readonly RuleEntity Any = new();

    /// <summary>Selects nothing.</summary>
    public static readonly Selector Nobody = Selector.All.Not();

    public ListOf<Prefix> Nets { get; init; }
    public ListOf<Prefix> NotNets { get; init; }
    /// <summary>The effective selector: the namespaces, service accounts and the policy's own namespace are in it. Of this and
    /// <see cref="NotIn"/> one at most is there.</summary>
    public Selector? In { get; init; }
    public Selector? NotIn { get; init; }
    public ListOf<PortMatch> Ports { get; init; }
    public ListOf<PortMatch> NotPorts { get; init; }
    /// <summary>The endpoints of this service; nothing else is said then.</summary>
    public ResourceKey? Service { get; init; }
    /// <summary>What these names lead to: of a destination that an egress rule allows; then neither <see cref="Nets"/> nor ports by name
    /// are there, and <see cref="In"/> is <see cref="Nobody"/>: whoever does not look at names lets nothing through for them.</summary>
    public ListOf<DomainPattern> Domains { get; init; }
}
