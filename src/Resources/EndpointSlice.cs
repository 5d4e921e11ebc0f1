using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum EndpointAddressType : byte { IPv4, IPv6, FQDN }

/// <param name="Ready">Null counts as ready.</param>
/// <param name="Addresses">Empty in slices of names.</param>
public sealed record Endpoint(ListOf<Address> Addresses, bool? Ready, bool? Serving, bool? Terminating, string? NodeName, string? Zone)
{
    public bool IsReady => Ready ?? true;

    /// <summary>It ends, and answers until then.</summary>
    public bool IsEnding => (Serving ?? IsReady) && Terminating == true;

    /// <summary>Clients of these zones are meant for it; empty: no hint.</summary>
    public ListOf<string> ForZones { get; init; }

    /// <summary>Clients on these nodes are.</summary>
    public ListOf<string> ForNodes { get; init; }
}

/// <summary>A part of a Service's endpoints; the label kubernetes.io/service-name says of which.</summary>
public sealed record EndpointSlice(Metadata Metadata) : Resource(Metadata)
{
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    public override ResourceKind Kind => Kinds.EndpointSlice;

    public EndpointAddressType AddressType { get; init; }
    public ListOf<Endpoint> Endpoints { get; init; }
    public ListOf<ServicePort> Ports { get; init; }

    /// <summary>Null: the slice names no service.</summary>
    public ResourceKey? Service =>
        Labels.TryGetValue(ServiceNameLabel, out var name) && name.Length > 0 ? new(Metadata.Namespace, name) : null;
}
