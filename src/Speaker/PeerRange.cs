using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker;

/// <summary>Neighbours of a range, each configured alike.</summary>
/// <param name="Limit">Sessions at most.</param>
/// <param name="Each">Its session is the template's (<see cref="PeerTemplate.Settings"/>).</param>
public sealed record PeerRange(Prefix Range, int Limit, PeerConfig Each)
{
    public PeerTemplate Template => new(Range, Limit, Each.Session);

    public PeerConfig For(Address neighbour) => Each with { Session = Template.For(neighbour) };

    /// <summary>The one whose range holds the address most closely; null: none does.</summary>
    public static PeerRange? For(ImmutableArray<PeerRange> ranges, Address neighbour) =>
        ranges.Where(range => range.Range.Contains(neighbour)).MaxBy(range => range.Range.Length);
}

/// <summary>A range and how many sessions there are of it, up or down.</summary>
public sealed record RangeStatus(Prefix Range, string Name, int Sessions, int Limit, PeerOrigin Origin);
