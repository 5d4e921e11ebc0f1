using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>Who asks whom: the same of a query and of its response, as both look where they are seen (behind DNAT: the server
/// itself).</summary>
/// <param name="Endpoint">The interface that the query came in by; empty: the host's own.</param>
internal readonly record struct DnsFlow(
    string Endpoint, Address Client, ushort ClientPort, Address Server, ushort ServerPort, bool IsTcp);
