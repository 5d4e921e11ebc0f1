using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>What a member brings before and after a change, and what of it goes and comes: found once for all sets that it is in.</summary>
internal sealed class MemberChange
{
    private readonly ReadOnlyMemory<Prefix>[] hostsGone = new ReadOnlyMemory<Prefix>[2], hostsCome = new ReadOnlyMemory<Prefix>[2],
        netsGone = new ReadOnlyMemory<Prefix>[2], netsCome = new ReadOnlyMemory<Prefix>[2];

    public MemberChange(MemberNets from, MemberNets to)
    {
        (From, To) = (from, to);
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6])
        {
            var at = (int)family;
            hostsGone[at] = Beyond(from.Hosts(family), to.Hosts(family));
            hostsCome[at] = Beyond(to.Hosts(family), from.Hosts(family));
            netsGone[at] = Beyond(from.Nets(family), to.Nets(family));
            netsCome[at] = Beyond(to.Nets(family), from.Nets(family));
        }
    }

    public MemberNets From { get; }
    public MemberNets To { get; }

    public ReadOnlySpan<Prefix> HostsGone(IpFamily family) => hostsGone[(int)family].Span;
    public ReadOnlySpan<Prefix> HostsCome(IpFamily family) => hostsCome[(int)family].Span;
    public ReadOnlySpan<Prefix> NetsGone(IpFamily family) => netsGone[(int)family].Span;
    public ReadOnlySpan<Prefix> NetsCome(IpFamily family) => netsCome[(int)family].Span;

    public bool HadNets(IpFamily family) => !From.Nets(family).IsEmpty;
    public bool HasNets(IpFamily family) => !To.Nets(family).IsEmpty;

    /// <summary>Those of one list that the other has not; both in order.</summary>
    private static ReadOnlyMemory<Prefix> Beyond(ReadOnlyMemory<Prefix> these, ReadOnlyMemory<Prefix> those)
    {
        if (these.IsEmpty || those.IsEmpty) return these;
        var beyond = new List<Prefix>();
        var others = those.Span;
        var at = 0;
        foreach (var prefix in these.Span)
        {
            while (at < others.Length && others[at] < prefix) at++;
            if (at == others.Length || others[at] != prefix) beyond.Add(prefix);
        }
        return beyond.ToArray();
    }
}
