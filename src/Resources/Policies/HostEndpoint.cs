using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Policies;

/// <summary>An interface of a node, or all of them, that policies may apply to.</summary>
public sealed record HostEndpoint(Metadata Metadata) : Resource(Metadata)
{
    /// <summary>The <see cref="Interface"/> of one that stands for all.</summary>
    public const string AllInterfaces = "*";

    public override ResourceKind Kind => Kinds.HostEndpoint;

    public string Node { get; init; } = "";
    /// <summary>A name, <c>*</c>, or empty: the one that has one of <see cref="ExpectedIPs"/>.</summary>
    public string Interface { get; init; } = "";
    /// <summary>Selectors know it by these alone.</summary>
    public ListOf<Address> ExpectedIPs { get; init; }
    public ListOf<string> Profiles { get; init; }
    public ListOf<NamedPort> Ports { get; init; }
}
