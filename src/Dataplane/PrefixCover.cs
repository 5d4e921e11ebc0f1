using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

internal static class PrefixCover
{
    /// <summary>Those that no other of them contains, in order: what nf_tables takes as one set of intervals.</summary>
    public static IEnumerable<Prefix> Outermost(IEnumerable<Prefix> prefixes)
    {
        Prefix? last = null;
        foreach (var prefix in prefixes.Order())
        {
            if (last is { } outer && outer.Contains(prefix)) continue;
            last = prefix;
            yield return prefix;
        }
    }
}
