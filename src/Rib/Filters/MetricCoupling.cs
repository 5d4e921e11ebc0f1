using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

public enum CouplingSide : byte
{
    /// <summary>On the way to a peer: a learned route's LOCAL_PREF says its metric, any other route's metric says its LOCAL_PREF.</summary>
    Export,
    /// <summary>On the way to the kernel: a learned route without a metric gets that of its LOCAL_PREF.</summary>
    Kernel,
}

/// <summary>
/// Calico's way (since 3.32) to carry the kernel's metric from node to node: LOCAL_PREF = 2147483647 - metric. A pod's route in the middle
/// of a migration has a metric below <paramref name="Normal"/> and so a LOCAL_PREF above that of all ordinary routes. A route without
/// LOCAL_PREF counts as the decision counts it, which is also what BIRD gives it on arrival.
/// </summary>
public sealed record MetricCoupling(CouplingSide Side, uint Normal)
{
    public const uint Most = int.MaxValue;

    public static uint Mirror(uint number) => Most - Math.Min(number, Most);

    internal void Apply(ref FilterRun run, AttributeEditor editor, in AttributeSummary before)
    {
        var learned = run.Route.Origin == RouteOrigin.Bgp;
        var localPref = before.Has(AttributeMarks.HasLocalPref) ? before.LocalPref : Decision.DefaultLocalPref;
        if (Side == CouplingSide.Kernel)
        {
            if (learned && run.Hints.Metric == 0) run.Hints = run.Hints with { Metric = Mirror(localPref) };
            return;
        }
        var metric = learned ? Mirror(localPref) : run.Hints.Metric == 0 ? Normal : run.Hints.Metric;
        run.Hints = run.Hints with { Metric = metric };
        if (!learned) editor.SetLocalPref(Mirror(metric));
    }
}
