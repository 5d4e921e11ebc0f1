using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Egress;

/// <summary>
/// What others write on a pod whose gateway is about to go (annotations <c>egress.projectcalico.org/gatewayMaintenance…</c>): which one it
/// is, by the address that it sends with or is reached by, since when, and until when.
/// </summary>
/// <param name="Started">Null: it has begun.</param>
/// <param name="Finished">Null: it has no end yet.</param>
public sealed record EgressMaintenance(Address Gateway, DateTimeOffset? Started, DateTimeOffset? Finished)
{
    public bool HasBegun(DateTimeOffset now) => Started == null || now >= Started;

    public bool IsOver(DateTimeOffset now) => now >= Finished;

    /// <summary>When it begins or ends next; null: it does not.</summary>
    public DateTimeOffset? Next(DateTimeOffset now) => IsOver(now) ? null : HasBegun(now) ? Finished : Started;
}
