using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>What was wrong with a session's UPDATEs: one line a second at most, however many a peer sends; the rest is counted.</summary>
internal sealed class DamageLog(string peer, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long? lastLine;
    private int unsaid;

    public void Add(Damage damage)
    {
        SessionMeters.Damaged(damage.Penalty);
        if (lastLine is { } last && time.GetElapsedTime(last) < Interval)
        {
            unsaid++;
            return;
        }
        log.Damaged(peer, damage.Penalty, damage.Attribute, damage.Expected, unsaid);
        (lastLine, unsaid) = (time.GetTimestamp(), 0);
    }
}
