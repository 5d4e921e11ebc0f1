using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// <c>nat.onChange: cut</c>. The kernel decides a connection's translation on its first packet; when pools change, those that would be
/// treated otherwise now are cut, so that they begin anew. That the network translates, or has stopped to, is no such change: connections
/// keep what they have. The kernel can tell families and translated ones apart, and not prefixes: that much is left to us.
/// </summary>
internal sealed class ChangedConnections(ConnectionTable table, ILogger log)
{
    public long Count { get; private set; }

    public void Cut(NatPlan before, NatPlan after)
    {
        var cut = 0L;
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var (old, now) = (Treatments.Of(before, family), Treatments.Of(after, family));
            if (old == now) continue;
            cut += Cut(family, false, connection => old.For(connection) == null && now.For(connection) != null);
            cut += Cut(family, true, connection => old.For(connection) is { } to && to != now.For(connection));
        }
        Count += cut;
        if (cut > 0) DataplaneLog.Cut(log, cut);
    }

    private int Cut(IpFamily family, bool translated, Predicate<Connection> which)
    {
        var (cut, errno) = table.Cut(family, translated, which);
        if (errno != 0) DataplaneLog.CutRefused(log, Marshal.GetPInvokeErrorMessage(errno));
        return cut;
    }
}

/// <summary>
/// What a plan does to connections of one family where this node alone translates: what <see cref="NatExplainer"/> says without its words,
/// for many connections. Compared by value.
/// </summary>
internal sealed record Treatments(AddressRanges Sources, AddressRanges Except, string To)
{
    public static Treatments Of(NatPlan plan, IpFamily of)
    {
        if (plan.WithoutUpstream().Families.FirstOrDefault(family => family.Family == of) is not { } family)
            return new(AddressRanges.None, AddressRanges.None, "");
        var except = PrefixCover.Outermost([.. family.Inside, .. family.Hosts ?? []]);
        return new(Ranges(family.Translated.Select(pool => pool.Cidr)), Ranges(except), NatExplainer.To(plan, family));

        static AddressRanges Ranges(IEnumerable<Prefix> prefixes) => AddressRanges.Of(prefixes.Select(AddressRanges.Of));
    }

    /// <summary>What its source becomes; null: it stays.</summary>
    public string? For(Connection connection) =>
        Sources.Contains(connection.Source) && !Except.Contains(connection.Destination) ? To : null;
}
