using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum LogSeverity : byte { Trace, Debug, Info, Warning, Error, Fatal }
public enum Aggregation : byte { Enabled, Disabled }
public enum BindMode : byte { None, NodeIP }

/// <summary>Which pool routes a program writes into the kernel, by encapsulation. VXLAN is always Felix's.</summary>
public enum ClusterRoutes : byte { Enabled, Disabled, EnabledIPIPOnly, EnabledNoEncapOnly }

/// <summary>A community with a name, for <see cref="PrefixAdvertisement"/>.</summary>
public sealed record NamedCommunity(string Name, CommunityValue Value);

/// <param name="Communities">Names of the same object's <see cref="BgpConfiguration.Communities"/>, or literal values, as written.</param>
public sealed record PrefixAdvertisement(Prefix Cidr, ListOf<string> Communities);

/// <summary>A key of a Secret, in the namespace that the daemon looks in.</summary>
public sealed record SecretKeyRef(string Name, string Key);

/// <summary>
/// BGPConfiguration: <c>default</c> speaks for all nodes, <c>node.NAME</c> for one, and then only of prefixAdvertisements, listenPort and
/// logSeverityScreen. Null: the object does not say.
/// </summary>
public sealed record BgpConfiguration(Metadata Metadata) : Resource(Metadata)
{
    public const string Default = "default";
    public const string NodePrefix = "node.";

    public override ResourceKind Kind => Kinds.BgpConfiguration;

    public LogSeverity? LogSeverityScreen { get; init; }
    public bool? NodeToNodeMeshEnabled { get; init; }
    public Asn? AsNumber { get; init; }
    /// <summary>Empty entries (<c>{}</c>), which are legal, are left out here.</summary>
    public ListOf<Prefix> ServiceClusterIPs { get; init; }
    public ListOf<Prefix> ServiceExternalIPs { get; init; }
    public ListOf<Prefix> ServiceLoadBalancerIPs { get; init; }
    public Aggregation ServiceLoadBalancerAggregation { get; init; }
    public ListOf<NamedCommunity> Communities { get; init; }
    /// <summary>Null: not said. A node's list takes the place of the global one, also when it is empty.</summary>
    public ListOf<PrefixAdvertisement>? PrefixAdvertisements { get; init; }
    public int? ListenPort { get; init; }
    public SecretKeyRef? NodeMeshPassword { get; init; }
    public TimeSpan? NodeMeshMaxRestartTime { get; init; }
    public BindMode BindMode { get; init; }
    public ListOf<string> IgnoredInterfaces { get; init; }
    public Address? LocalWorkloadPeeringIPv4 { get; init; }
    public Address? LocalWorkloadPeeringIPv6 { get; init; }
    /// <summary>Null: the release's default. An unknown word is warned of and left out.</summary>
    public ClusterRoutes? ProgramClusterRoutes { get; init; }
    /// <summary>The normal kernel metric; null: 1024.</summary>
    public int? IPv4NormalRoutePriority { get; init; }
    public int? IPv6NormalRoutePriority { get; init; }
    /// <summary>Calico Enterprise: words for templates; not acted on.</summary>
    public Labels Extensions { get; init; } = Labels.Empty;

    /// <summary>Something stands there of whether there is a mesh, or with whom, of which nothing can be made.</summary>
    internal bool IsMeshUnread { get; init; }

    /// <summary>Every version that was seen is refused, and only what says who the neighbours are is here.</summary>
    public bool IsRefused { get; init; }

    /// <summary>
    /// Without any <c>default</c> there is a mesh: so one that is refused, and of which no good version was seen, would open one that it
    /// may forbid, or open it without the password, or under another AS number than it asks for. What it says of that counts as far as it
    /// can be read; where a word of it cannot be, no mesh is opened.
    /// </summary>
    internal static BgpConfiguration? Less(BgpConfiguration refused) => refused.Metadata.Name != Default ? null : new(refused.Metadata)
    {
        IsRefused = true,
        NodeToNodeMeshEnabled = refused.IsMeshUnread ? false : refused.NodeToNodeMeshEnabled,
        AsNumber = refused.AsNumber,
        NodeMeshPassword = refused.NodeMeshPassword,
        ListenPort = refused.ListenPort,
    };

    /// <summary>The value of a name or literal of a prefix advertisement. Validation has seen to it that there is one.</summary>
    public CommunityValue? Community(string nameOrValue)
    {
        foreach (var named in Communities.Items)
            if (named.Name == nameOrValue) return named.Value;
        return CommunityValue.TryParse(nameOrValue, out var value) ? value : null;
    }
}
