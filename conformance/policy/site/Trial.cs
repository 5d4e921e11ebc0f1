namespace Calico.Bgp.Conformance.Policy;

/// <summary>Packets on a site beside the judge's verdicts of them.</summary>
/// <param name="site"></param>
internal sealed class Trial(PolicySite site)
{
    private const int Attempts = 4;

    /// <summary>Those that may never arrive, however late.</summary>
    private readonly List<(Probe Probe, long Token, Verdict Verdict)> denied = [];

    /// <summary>What was judged, in both ways: a trial in which all passes proves as little as one in which nothing does.</summary>
    public int Passed { get; private set; }

    /// <inheritdoc cref="Passed"/>
    public int Denied => denied.Count;

    /// <summary>A line for each probe that fared otherwise than the judge says of these objects, which are in force.</summary>
    public async Task<IReadOnlyList<string>> WrongAsync(string objects, IEnumerable<Probe> probes)
    {
        var judge = new Judge(new(objects), "node1", Place.Links);
        // Answers to what is not tracked are judged again, on their way back.
        var isTracked = !objects.Contains("doNotTrack: true", StringComparison.Ordinal);
        var asked = probes.Select(probe => (Probe: probe,
            Verdict: site.Town.PacketOf(probe) is { } packet ? judge.Ask(packet) : new(true, []))).ToArray();
        Passed += asked.Count(one => one.Verdict.Passes);
        var wrong = new List<string>();
        for (var attempt = 1; asked.Length > 0; attempt++)
        {
            var outcomes = await site.Prober.RunAsync([.. asked.Select(one => one.Probe)], attempt * attempt * Prober.Moment);
            denied.AddRange(asked.Zip(outcomes).Where(one => !one.First.Verdict.Passes)
                .Select(one => (one.First.Probe, one.Second.Token, one.First.Verdict)));
            var differ = asked.Zip(outcomes).Where(one => !IsRight(one.First.Probe, one.First.Verdict, one.Second, isTracked)).ToArray();
            // What should have come may come late on a busy machine; what should not have may not even once.
            var last = attempt == Attempts;
            wrong.AddRange(differ.Where(one => last || !one.First.Verdict.Passes)
                .Select(one => $"{one.First.Probe} {one.Second}; {one.First.Verdict}"));
            asked = last ? [] : [.. differ.Where(one => one.First.Verdict.Passes).Select(one => one.First)];
        }
        return wrong;
    }

    private static bool IsRight(Probe probe, Verdict verdict, Outcome outcome, bool isTracked) => verdict.Passes
        ? outcome.Arrival != null && (!isTracked || outcome.IsAnswered == probe.IsAnswered)
        : outcome is { Arrival: null, IsRefused: false };

    /// <summary>Denied packets that came after all: looked for when all is over.</summary>
    public IEnumerable<string> Late() => denied.Where(one => site.Arrivals.Of(one.Token) != null)
        .Select(one => $"{one.Probe} came late; {one.Verdict}");
}
