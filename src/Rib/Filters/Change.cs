using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>Prepends to the AS path, before the door prepends our own number on the way out.</summary>
public readonly record struct PathPrepend(Asn As, int Count);

/// <summary>What a rule makes of a route. What is null stays as it is.</summary>
public sealed record Change
{
    public uint? LocalPref { get; init; }
    public uint? Med { get; init; }
    /// <summary>Whatever <see cref="Med"/> says.</summary>
    public bool RemoveMed { get; init; }
    public Origin? Origin { get; init; }
    public CommunityChange? Communities { get; init; }
    public CommunityChange? LargeCommunities { get; init; }
    public CommunityChange? ExtendedCommunities { get; init; }
    public PathPrepend? Prepend { get; init; }
    /// <summary>AS numbers that the path shall begin with, in this order.</summary>
    public ListOf<Asn> PrependPath { get; init; }
    /// <summary>Ties LOCAL_PREF and the kernel's metric to one another.</summary>
    public MetricCoupling? Coupling { get; init; }
    /// <summary>The kernel shall reach the next hop through the IPIP tunnel.</summary>
    public bool Tunnel { get; init; }
    /// <summary><see cref="NextHopChoice.Set"/>: to <see cref="NextHopAddress"/>.</summary>
    public NextHopChoice NextHop { get; init; }
    public Address? NextHopAddress { get; init; }
    /// <summary>RTA_PRIORITY and RTA_TABLE of the route in the kernel; 0 says nothing.</summary>
    public KernelHints Kernel { get; init; }

    /// <summary>
    /// Also a change that touches no attribute (kernel hints, the choice to keep the next hop) goes through the editor: whoever asks then
    /// knows by the verdict that one prefix's result is not another's.
    /// </summary>
    internal void Apply(ref FilterRun run)
    {
        var before = run.Summary;
        var editor = run.Edit();
        if (LocalPref is { } localPref) editor.SetLocalPref(localPref);
        Coupling?.Apply(ref run, editor, before);
        if (Origin is { } origin) editor.SetOrigin(origin);
        if (Prepend is { } prepend) editor.Prepend(prepend.As, prepend.Count);
        for (var i = PrependPath.Count - 1; i >= 0; i--) editor.Prepend(PrependPath[i]);
        Communities?.Apply(editor);
        LargeCommunities?.Apply(editor);
        ExtendedCommunities?.Apply(editor);
        ApplyMed(ref run, editor);
        ApplyNextHop(ref run, editor);
        if (Tunnel) run.Tunnel = true;
        if (Kernel.Metric != 0) run.Hints = run.Hints with { Metric = Kernel.Metric };
        if (Kernel.Table != 0) run.Hints = run.Hints with { Table = Kernel.Table };
    }

    private void ApplyMed(ref FilterRun run, AttributeEditor editor)
    {
        if (Med == null && !RemoveMed) return;
        editor.SetMed(RemoveMed ? null : Med);
        run.MedSet = !RemoveMed;
    }

    private void ApplyNextHop(ref FilterRun run, AttributeEditor editor)
    {
        if (NextHop == NextHopChoice.Auto) return;
        run.NextHop = NextHop;
        if (NextHop == NextHopChoice.Set) editor.SetNextHop(NextHopAddress!.Value);
        // On the way out the door knows better which of our addresses it is (link-local, extended next hop); a later match sees this one.
        else if (NextHop == NextHopChoice.Self && !run.Route.Self.IsUnspecified) editor.SetNextHop(run.Route.Self);
    }
}
