namespace Calico.Bgp.Resources.Egress;

/// <param name="Problem">Why the gateway is not well; null: it is.</param>
/// <param name="Left">How long until it may not be, if nobody answers: more than nothing; null: it is not well, or nobody is asked.</param>
public readonly record struct ProbeVerdict(string? Problem, TimeSpan? Left);

/// <summary>
/// When targets of a gateway's probes have answered, and what follows. Pure. A kind is well while one of its targets has answered within
/// its timeout; a gateway while all kinds are.
/// </summary>
public sealed class ProbeRecord(IReadOnlyList<EgressProbe> probes, DateTimeOffset begun, bool isBelieved)
{
    private readonly Dictionary<(EgressProbeKind Kind, string Target), DateTimeOffset> answered = [];

    public void Answered(EgressProbeKind kind, string target, DateTimeOffset at) => answered[(kind, target)] = at;

    /// <summary>One look for both: of two, the second may see already what the first did not, and who waits would not hear of it.</summary>
    public ProbeVerdict At(DateTimeOffset now)
    {
        TimeSpan? soonest = null;
        foreach (var probe in probes)
        {
            if (probe.Targets.Count == 0) continue;
            var left = Last(probe) + probe.Timeout - now;
            if (left <= TimeSpan.Zero) return new(Silent(probe), null);
            if (soonest == null || left < soonest) soonest = left;
        }
        return new(null, soonest);
    }

    private static string Silent(EgressProbe probe) =>
        $"{(probe.Kind == EgressProbeKind.Icmp ? "icmpProbe" : "httpProbe")}: none of {string.Join(", ", probe.Targets)} "
        + $"has answered for {probe.Timeout.TotalSeconds:0} s";

    /// <summary>One that has never answered is as one that answered when it began where that is believed, and else never.</summary>
    private DateTimeOffset Last(EgressProbe probe) => probe.Targets
        .Select(target => answered.TryGetValue((probe.Kind, target), out var at) ? at : isBelieved ? begun : DateTimeOffset.MinValue).Max();
}
