using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Whose a translation is. Where several have one key, the first of these holds, and the others wait. What Kubernetes has no longer may
/// stay for a while (<see cref="LeavingTranslations"/>).
/// </summary>
public enum TranslationSource : byte { File, Cli, Kubernetes, Leaving }

/// <summary>
/// VPP's cnat: a virtual address is nobody's, and what no translation takes of its packets is dropped; a real one stays what it is.
/// </summary>
public enum TranslationKind : byte { Vip, Real }

public enum TranslationBalance : byte { Hash, Maglev }

/// <summary>What of a flow chooses its backend, as cnat numbers it (flow_hash_config).</summary>
[Flags]
public enum FlowHash : byte
{
    None = 0, Source = 0x01, Destination = 0x02, SourcePort = 0x04, DestinationPort = 0x08, Protocol = 0x10,
    /// <summary>Destinations stand before sources.</summary>
    Reverse = 0x20,
    /// <summary>Both directions alike, by the kernel's own hash.</summary>
    Symmetric = 0x40,
    FlowLabel = 0x80,
    /// <summary>
    /// cnat's (0x9f) without the flow label, which says no more than the ports do and which nobody can tell of a connection beforehand.
    /// </summary>
    Default = Source | Destination | SourcePort | DestinationPort | Protocol,
}

/// <summary>An address, or the first that an interface has of a family.</summary>
public readonly record struct TranslationPlace
{
    /// <summary>An interface's: none of the family.</summary>
    private readonly Address address;

    private TranslationPlace(Address address, string? name) => (this.address, Interface) = (address, name);

    public IpFamily Family => address.Family;
    public Address? Address => Interface == null ? address : null;
    public string? Interface { get; }

    public static TranslationPlace Of(Address address) => new(address, null);

    public static TranslationPlace OfInterface(string name, IpFamily family) =>
        new(family == IpFamily.IPv4 ? Net.Address.AnyIPv4 : Net.Address.AnyIPv6, name);

    public override string ToString() => Address?.ToString() ?? (Family == IpFamily.IPv6 ? $"{Interface} v6" : Interface!);
}

/// <summary>What a translation is known by: of those with one key one is in force.</summary>
/// <param name="Protocol">Null: any.</param>
/// <param name="Port">0: all.</param>
public sealed record TranslationKey(TranslationPlace Place, IpProtocol? Protocol, ushort Port)
{
    /// <summary>Computed once: many dictionaries are asked by it, for each translation that changes.</summary>
    private readonly int hash = HashCode.Combine(Place, Protocol, Port);

    public TranslationPlace Place { get; } = Place;
    public IpProtocol? Protocol { get; } = Protocol;
    public ushort Port { get; } = Port;

    public bool Equals(TranslationKey? other) => ReferenceEquals(this, other)
        || (other != null && hash == other.hash && Port == other.Port && Protocol == other.Protocol && Place == other.Place);

    public override int GetHashCode() => hash;

    public override string ToString() => $"{Protocol?.ToString().ToUpperInvariant() ?? "any"} {Place} {Port}";
}

/// <summary>One end of what a backend's packets become.</summary>
/// <param name="Place">Null: the address stays.</param>
/// <param name="Port">Null: the port stays.</param>
public readonly record struct BackendEnd(TranslationPlace? Place, ushort? Port)
{
    public override string ToString() => (Place, Port) switch
    {
        (null, null) => "",
        (null, { } port) => $":{port}",
        ({ } place, null) => place.ToString(),
        ({ Address: { IsIPv4: false } address }, { } port) => $"[{address}]:{port}",
        ({ } place, { } port) => $"{place}:{port}",
    };
}

/// <param name="From">What the packet's source becomes on its way to the backend.</param>
/// <param name="To">The backend: its place is there.</param>
public sealed record Backend(BackendEnd From, BackendEnd To)
{
    public static readonly BackendEnd Unchanged = new(null, null);

    /// <summary>Its share beside the others'; 0: no new connections.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>It is on this node, so that its answers come back by it, whoever asks.</summary>
    public bool IsHere { get; init; }

    /// <summary>It is known to be on another node: who has its address comes to this one from outside.</summary>
    public bool IsElsewhere { get; init; }

    public override string ToString() => $"{From}->{To}";
}

/// <summary>
/// Who gets this host's address on the way to a backend elsewhere, whose answers would else pass it by. Insiders are pods of this host.
/// </summary>
public enum TranslationMasquerade : byte { None, Outsiders, All }

/// <summary>How long connections of a translation live that say nothing; null: as the kernel has it.</summary>
/// <param name="Tcp">Established ones over TCP.</param>
/// <param name="Other">Over UDP; and over TCP until it is established.</param>
public sealed record TranslationTimeouts(TimeSpan? Tcp, TimeSpan? Other)
{
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromDays(5);

    /// <summary>What of it would do nothing beside the protocol (null: any); null: all does something.</summary>
    public string? Problem(IpProtocol? protocol) => protocol switch
    {
        null or IpProtocol.Tcp => null,
        IpProtocol.Udp => Tcp == null ? null : "expected no tcp in timeouts beside protocol udp",
        _ => "expected no timeouts beside a protocol that is neither tcp nor udp nor any",
    };
}

/// <summary>One address, protocol and port, and the backends that its packets are sent to.</summary>
/// <param name="Name">For people; empty: it has none.</param>
public sealed record Translation(string Name, TranslationKind Kind, TranslationKey Key, ListOf<Backend> Backends)
{
    public TranslationBalance Balance { get; init; }
    public FlowHash FlowHash { get; init; } = FlowHash.Default;

    /// <summary>How long a client stays with its backend; null: each connection is chosen for by itself.</summary>
    public TimeSpan? Affinity { get; init; }

    public TranslationTimeouts? Timeouts { get; init; }

    /// <summary>What pods of this host and it itself get instead; null: the same.</summary>
    public ListOf<Backend>? Inside { get; init; }

    public TranslationMasquerade Masquerade { get; init; }

    /// <summary>What becomes of connections where <see cref="Backends"/> has none; null: as all translations have it.</summary>
    public EmptyBackends? Empty { get; init; }

    /// <summary>From where connections are taken; empty: from everywhere.</summary>
    public ListOf<Prefix> Sources { get; init; }
}
