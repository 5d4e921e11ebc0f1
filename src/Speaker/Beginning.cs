using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker;

/// <summary>
/// How this run began: with routes of an earlier one in the kernel, by which packets went on meanwhile, or with nothing. It is what our
/// OPEN says of us (RFC 4724 section 3), and whether peers' routes are chosen from before all of them have come (section 4.1).
/// Routes survive their daemon, not the machine: there is no better witness.
/// </summary>
/// <param name="HasOldRoutes">The kernel held routes of ours.</param>
/// <param name="Installs">False: no packet goes by our routes, so nothing was lost with us.</param>
internal sealed record Beginning(TimeProvider Time, DateTimeOffset At, bool HasOldRoutes, bool Installs)
{
    /// <param name="restartTime">For how long the peer was asked to wait.</param>
    /// <param name="isFirst">There was no session with it in this run.</param>
    public RestartState StateFor(TimeSpan? restartTime, bool isFirst)
    {
        // What an earlier run left with the peer is gone from there by then, and what is there is this run's.
        var isLate = Time.GetUtcNow() - At >= (restartTime ?? TimeSpan.Zero);
        return new(HasOldRoutes && isFirst && !isLate, HasOldRoutes || !Installs || !isFirst || isLate);
    }
}
