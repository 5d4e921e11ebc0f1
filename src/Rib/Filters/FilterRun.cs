using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// A route on its way through a chain. The editor is loaded when the first change comes and not before: most routes are only looked at.
/// After a change the octets and their summary are read again, but only once a later rule asks for them.
/// </summary>
internal ref struct FilterRun(in FilterInput route, AttributeEditor editor)
{
    public readonly FilterInput Route = route;
    public KernelHints Hints = route.Hints;
    public NextHopChoice NextHop;
    public bool MedSet;
    public bool Tunnel;
    public bool IsTold;

    private ReadOnlySpan<byte> attributes = route.Attributes;
    private AttributeSummary summary = route.Summary;
    private bool changed;
    private bool stale;

    public ReadOnlySpan<byte> Attributes
    {
        get
        {
            Refresh();
            return attributes;
        }
    }

    [UnscopedRef]
    public ref readonly AttributeSummary Summary
    {
        get
        {
            Refresh();
            return ref summary;
        }
    }

    /// <summary>The editor, holding the route as the rules before have left it. What was read of attributes is stale after it.</summary>
    public AttributeEditor Edit()
    {
        if (!changed) editor.Load(Route.Attributes);
        changed = stale = true;
        return editor;
    }

    public readonly FilterResult Accept(string rule) =>
        new(changed ? FilterVerdict.AcceptChanged : FilterVerdict.Accept, Hints, rule, NextHop, MedSet, Tunnel, IsTold);

    public readonly FilterResult Reject(string rule) => new(FilterVerdict.Reject, Hints, rule, IsTold: IsTold);

    private void Refresh()
    {
        if (!stale) return;
        attributes = editor.Finish(out summary);
        stale = false;
    }
}
