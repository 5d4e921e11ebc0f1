using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>A connection that the kernel tracks, as it was before any translation.</summary>
/// <param name="SourceTranslated">Its packets leave with another source.</param>
public sealed record Connection(Address Source, Address Destination, byte Protocol, bool SourceTranslated);
