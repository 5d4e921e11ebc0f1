using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>What was wrong with a session's UPDATEs: one line a second at most, however many a peer sends; the rest is counted.</summary>
internal sealed class DamageLog(string peer, TimeProvider time, ILogger log)
{
    private readonly LineLimit lines = new(TimeSpan.FromSeconds(1), time);

    public void Add(Damage damage)
    {
        SessionMeters.Damaged(damage.Penalty);
        if (lines.Say(out var unsaid)) log.Damaged(peer, damage.Penalty, damage.Attribute, damage.Expected, unsaid);
    }
}
