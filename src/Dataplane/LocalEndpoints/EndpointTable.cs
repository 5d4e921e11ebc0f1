using Calico.Bgp.Dataplane.Selectors;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.LocalEndpoints;

/// <summary>What of the configuration decides which endpoints are here.</summary>
/// <param name="InterfacePrefixes">What workloads' interfaces' names begin with: FelixConfiguration's, or <c>cali</c>.</param>
internal sealed record EndpointSettings(string Node, ListOf<string> InterfacePrefixes, bool AutomaticHostEndpoints);

/// <summary>The endpoints on this node's interfaces, and which of the selectors in use each matches.</summary>
/// <param name="changed">Told each interface whose endpoint has come, changed or gone.</param>
/// <param name="selected">Told each endpoint that has come to match a selector of <see cref="Selectors"/>, or does so no longer.</param>
internal sealed class EndpointTable(Action<EndpointChange> changed, Action<Membership> selected)
{
    /// <summary>Whoever selects local endpoints (policies) uses a selector here. Its items are the endpoints' ids.</summary>
    public SelectorIndex Selectors { get; } = new(selected, _ => Labels.Empty);

    /// <summary>By interface; <see cref="LocalEndpoint.EveryInterface"/> among them.</summary>
    public IEnumerable<LocalEndpoint> All => [];

    /// <summary>Null: there is none; a host endpoint of every interface counts there by itself alone.</summary>
    public LocalEndpoint? On(string interfaceName) => null;

    /// <summary>On which interfaces the endpoint is.</summary>
    public IEnumerable<LocalEndpoint> Of(ResourceId id) => [];

    public void Apply(ResourceChange change) => changed(default);

    /// <summary>Links and their addresses are others.</summary>
    public void Apply(KernelSnapshot machine) => changed(default);

    public void Configure(EndpointSettings settings) => changed(default);
}
