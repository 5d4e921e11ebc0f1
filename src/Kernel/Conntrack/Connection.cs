using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>A connection that the kernel tracks, as it was before any translation.</summary>
/// <param name="SourceTranslated">Its packets leave with another source.</param>
public sealed record Connection(Address Source, Address Destination, byte Protocol, bool SourceTranslated)
{
    /// <summary>Who answers: its destination behind any service.</summary>
    public Address Server { get; init; } = Destination;
    public ushort? SourcePort { get; init; }
    public ushort? DestinationPort { get; init; }
    /// <summary>Of who answers.</summary>
    public ushort? ServerPort { get; init; }
}
