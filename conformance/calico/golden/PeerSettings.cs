// A peer's session in one spelling, so that the two sides compare by value and a failure shows where they part.
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

internal sealed record PeerSettings
{
    /// <summary>What <c>multihop</c> without a number means in BIRD 1.6.</summary>
    private const uint AnyHops = 64;

    /// <summary>BIRD's own hold time and restart time; Calico's resources say neither, or only another restart time.</summary>
    private const uint HoldTime = 240, RestartTime = 120;

    public required string Name { get; init; }
    public required string Address { get; init; }
    public required uint Port { get; init; }
    public required uint As { get; init; }
    public required uint LocalAs { get; init; }
    public required string? Source { get; init; }
    public required bool Passive { get; init; }
    public required uint Hops { get; init; }
    public required bool TtlSecurity { get; init; }
    public required bool Password { get; init; }
    public required uint GracefulRestartTime { get; init; }
    public required uint? KeepaliveTime { get; init; }
    public required uint Hold { get; init; }
    public required string? ClientOf { get; init; }
    public required NextHop NextHop { get; init; }
    public required uint AllowLocalAs { get; init; }
    public required string Import { get; init; }
    public required string Export { get; init; }

    public static PeerSettings Of(Peer peer) => new()
    {
        Name = peer.Name,
        Address = $"{peer.Address}",
        Port = peer.Port,
        As = peer.As,
        LocalAs = peer.LocalAs,
        Source = peer.SourceAddress?.ToString(),
        Passive = peer.Passive,
        Hops = peer.Multihop ? peer.Hops ?? AnyHops : 1,
        TtlSecurity = peer.TtlSecurity,
        Password = peer.Password != null,
        GracefulRestartTime = peer.GracefulRestartTime ?? RestartTime,
        KeepaliveTime = peer.KeepaliveTime,
        Hold = HoldTime,
        ClientOf = peer.ReflectorClient ? peer.ClusterId?.ToString() : null,
        NextHop = peer.NextHop,
        AllowLocalAs = peer.AllowLocalAs,
        Import = FilterNames.CalledBy(peer.Import),
        Export = FilterNames.CalledBy(peer.Export),
    };

    /// <param name="peer"></param>
    /// <param name="asNumber">Ours where the peer says no other.</param>
    /// <param name="v4"></param>
    public static PeerSettings Of(PeerAnswer peer, uint asNumber, bool v4) => new()
    {
        Name = peer.Name,
        Address = peer.Address,
        Port = peer.Port,
        As = peer.AsNumber,
        LocalAs = peer.LocalAsNumber ?? asNumber,
        Source = peer.SourceAddress,
        Passive = peer.Passive,
        Hops = peer.Multihop ?? 1,
        TtlSecurity = peer.TtlSecurity is > 0,
        Password = peer.PasswordSet,
        GracefulRestartTime = peer.GracefulRestartTime ?? RestartTime,
        KeepaliveTime = peer.KeepaliveTime,
        Hold = peer.HoldTime ?? HoldTime,
        ClientOf = peer.RouteReflectorClient ? peer.ClusterId : null,
        NextHop = Enum.Parse<NextHop>(peer.NextHopMode ?? "Auto", ignoreCase: true),
        AllowLocalAs = peer.AllowLocalAs ?? 0,
        Import = FilterNames.Functions(peer.ImportFilters, "import", v4),
        Export = FilterNames.Functions(peer.ExportFilters, "export", v4),
    };
}
