using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker;

/// <summary>How far a drain has come (RFC 8326).</summary>
public enum DrainStage : byte
{
    /// <summary>Each route is the last choice, and others are to be found: GRACEFUL_SHUTDOWN, and no preference.</summary>
    Announced,
    /// <summary>All is taken back, while the session is still there.</summary>
    Withdrawn,
    /// <summary>The session is down, and stays so.</summary>
    Down,
}

/// <summary>A peer that is emptied, as others see it.</summary>
/// <param name="Until">The next stage, as it was planned; of <see cref="DrainStage.Down"/>: none.</param>
public sealed record DrainStatus(DrainStage Stage, string? Reason, DateTimeOffset Since, DateTimeOffset? Until)
{
    /// <summary>How long routes are the last choice where nobody says another time.</summary>
    public static readonly TimeSpan DefaultWait = TimeSpan.FromMinutes(1);
}

/// <summary>
/// One peer's drain, by its name: it outlives the session, a reload, and whom a link's or range's peer is. The speaker's loop's.
/// </summary>
internal sealed class Drain(string? reason, DateTimeOffset since) : IDisposable
{
    public string? Reason => reason;
    /// <summary>Nobody ordered it but the node's being cordoned, with whose end it ends.</summary>
    public bool IsByCordon { get; set; }
    public DrainStage Stage { get; private set; } = DrainStage.Announced;
    public ITimer? Timer { get; set; }
    public DrainStatus Status { get; private set; } = new(DrainStage.Announced, reason, since, null);

    /// <summary>The operator had disabled the peer, and did not mean to have it back with the end of the drain.</summary>
    public bool StaysDown { get; set; }

    /// <summary>How often it was looked whether the peer has been told of all withdrawals.</summary>
    public int Looks { get; set; }

    public void Become(DrainStage stage, DateTimeOffset now, DateTimeOffset? until)
    {
        Stage = stage;
        Status = new(stage, reason, now, until);
    }

    /// <summary>The peer as the RIB knows it meanwhile.</summary>
    public RibPeer Of(RibPeer peer) => Stage switch
    {
        DrainStage.Announced => peer with { Drains = true },
        _ => peer with { Drains = true, Export = RejectAll.Instance },
    };

    public void Dispose() => Timer?.Dispose();
}
