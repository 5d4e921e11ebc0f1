using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>Calico Enterprise's BFDConfiguration: how BFD runs on some nodes' links. Which peers it watches, BGPPeers say.</summary>
public sealed record BfdConfiguration(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.BfdConfiguration;

    public required Selector NodeSelector { get; init; }
    public ListOf<BfdInterface> Interfaces { get; init; }
}

/// <param name="MatchPattern">A name, the first letters of names and <c>*</c>, or <c>*</c> alone.</param>
public sealed record BfdInterface(string MatchPattern)
{
    public TimeSpan MinimumReceive { get; init; } = TimeSpan.FromMilliseconds(10);
    public TimeSpan MinimumSend { get; init; } = TimeSpan.FromMilliseconds(100);
    /// <summary>While the session is not up.</summary>
    public TimeSpan IdleSend { get; init; } = TimeSpan.FromMinutes(1);
    public int Multiplier { get; init; } = 5;
}
