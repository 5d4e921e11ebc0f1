using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Bgpd.Probing;

/// <summary>
/// When targets of a gateway's probes have answered, and what follows. Pure. A kind is well while one of its targets has answered within
/// its timeout; a gateway while all kinds are.
/// </summary>
internal sealed class ProbeRecord(IReadOnlyList<EgressProbe> probes, DateTimeOffset begun, bool isBelieved)
{
    private readonly Dictionary<(EgressProbeKind Kind, string Target), DateTimeOffset> answered = [];

    public void Answered(EgressProbeKind kind, string target, DateTimeOffset at) => answered[(kind, target)] = at;

    /// <summary>Why it is not well; null: it is.</summary>
    public string? Problem(DateTimeOffset now)
    {
        foreach (var probe in probes)
            if (probe.Targets.Count > 0 && now - Last(probe) > probe.Timeout)
                return $"{(probe.Kind == EgressProbeKind.Icmp ? "icmpProbe" : "httpProbe")}: none of {string.Join(", ", probe.Targets)} "
                    + $"has answered for {probe.Timeout.TotalSeconds:0} s";
        return null;
    }

    /// <summary>How long until it may be otherwise, if nobody answers; null: it is not well already.</summary>
    public TimeSpan? Left(DateTimeOffset now) => Problem(now) != null ? null : probes.Where(probe => probe.Targets.Count > 0)
        .Select(probe => (TimeSpan?)(Last(probe) + probe.Timeout - now)).Min();

    /// <summary>One that has never answered is as one that answered when it began where that is believed, and else never.</summary>
    private DateTimeOffset Last(EgressProbe probe) => probe.Targets
        .Select(target => answered.TryGetValue((probe.Kind, target), out var at) ? at : isBelieved ? begun : DateTimeOffset.MinValue).Max();
}
