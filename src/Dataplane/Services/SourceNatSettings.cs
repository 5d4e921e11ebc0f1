using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Whose packets get another source. cnat's <c>none</c> and <c>if-pfx</c> are one here, because excluded destinations count under each:
/// what comes in by an interface that is named. <c>k8s</c> is that, and besides what neither comes from a pod nor goes to one; <c>dnat</c>
/// gives prefixes in place of prefixes, in both directions.
/// </summary>
public enum SourceNatPolicy : byte { None, IfPfx, K8s, Dnat }

/// <summary>An address, a prefix's addresses, or the first that an interface has of a family.</summary>
public sealed record SourceNatPlace(IpFamily Family, Prefix? Prefix, string? Interface)
{
    public override string ToString() => Prefix is { } prefix ? prefix.IsHost ? prefix.Address.ToString() : prefix.ToString()
        : TranslationPlace.OfInterface(Interface!, Family).ToString();
}

/// <summary>Of an address in the one the rest stays, and the prefix becomes the other; both are as long.</summary>
public sealed record PrefixRewrite(Prefix From, Prefix To);

/// <summary>What bgpd.yaml says of sources (<c>services.snat</c>).</summary>
public sealed record SourceNatSettings
{
    /// <summary>The new sources: of each family one.</summary>
    public ListOf<SourceNatPlace> Addresses { get; init; }

    public SourceNatPolicy Policy { get; init; }

    /// <summary>Destinations that see the old source, under each policy.</summary>
    public ListOf<Prefix> Exclude { get; init; }

    /// <summary>Interfaces' names, or how they begin: what comes in by these.</summary>
    public ListOf<string> Include { get; init; }

    /// <summary>Of <see cref="SourceNatPolicy.K8s"/>.</summary>
    public ListOf<string> Pods { get; init; }

    /// <summary>What leaves by these stays as it is; of <see cref="SourceNatPolicy.K8s"/>.</summary>
    public ListOf<string> Hosts { get; init; }

    /// <summary>Of <see cref="SourceNatPolicy.Dnat"/>.</summary>
    public ListOf<PrefixRewrite> Rewrite { get; init; }

    /// <summary>The interfaces that are named in full, where they count: of those that begin alike there may be none for now.</summary>
    public IEnumerable<(string Among, string Name)> Links =>
        from some in ((string Among, ListOf<string> Names, bool Counts)[])
        [
            ("include", Include, true), ("pod", Pods, Policy == SourceNatPolicy.K8s), ("host", Hosts, Policy == SourceNatPolicy.K8s),
        ]
        where some.Counts
        from name in some.Names
        where !name.EndsWith('*')
        select (some.Among, name);

    /// <summary>What of it does nothing beside the rest: the command line says one thing after the other, and may be half done.</summary>
    public IEnumerable<string> Idle => Policy switch
    {
        SourceNatPolicy.Dnat =>
        [
            .. Addresses.Count > 0 ? ["addresses do nothing beside policy dnat"] : Array.Empty<string>(),
            .. Rewrite.Count == 0 ? ["policy dnat does nothing without rewrite"] : Array.Empty<string>(),
            .. OfPods,
        ],
        _ =>
        [
            .. Rewrite.Count > 0 ? ["rewrite does nothing but beside policy dnat"] : Array.Empty<string>(),
            .. Addresses.Count > 0 && Include.Count == 0 && Policy != SourceNatPolicy.K8s
                ? ["nothing has another source as long as no interface is included"] : Array.Empty<string>(),
            .. Addresses.Count == 0 && (Include.Count > 0 || Policy == SourceNatPolicy.K8s)
                ? ["nothing has another source as long as there are no addresses"] : Array.Empty<string>(),
            .. OfPods,
        ],
    };

    private string[] OfPods => Policy != SourceNatPolicy.K8s && Pods.Count + Hosts.Count > 0
        ? ["pod and host do nothing but beside policy k8s"] : [];
}
