using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Routes;

/// <summary>How targets compare when one is ours and the other the kernel's.</summary>
internal static class RouteTargetComparison
{
    private const uint IPv6DefaultMetric = 1024; // IP6_RT_PRIO_USER: what the kernel makes of 0
    private const uint MainTable = 254;          // RT_TABLE_MAIN: likewise
    private const int MostWeight = 256;          // rtnh_hops has 8 bits, and means one more

    /// <summary>The target as the kernel will show it, as far as that is known beforehand.</summary>
    public static RouteTarget AsKept(this RouteTarget target, IpFamily family) => target with
    {
        Metric = target.Metric == 0 && family == IpFamily.IPv6 ? IPv6DefaultMetric : target.Metric,
        Table = target.Table == 0 ? MainTable : target.Table,
        Hops = target.Type != RouteType.Unicast || target.Hops.IsDefault || target.NextHop != 0 ? [] : AsKept(target.Hops),
    };

    private static ImmutableArray<RouteHop> AsKept(ImmutableArray<RouteHop> hops) => hops.Length switch
    {
        1 => hops[0].Weight == 1 ? hops : [hops[0] with { Weight = 1 }],
        _ when hops.All(hop => hop.Weight is >= 1 and <= MostWeight) => hops,
        _ => [.. hops.Select(hop => hop with { Weight = Math.Clamp(hop.Weight, 1, MostWeight) })],
    };

    public static bool SameKey(this RouteTarget a, RouteTarget b) => a.SameKey(b.Metric, b.Table);

    public static bool SameKey(this RouteTarget target, uint metric, uint table) => target.Metric == metric && target.Table == table;

    public static bool LeadsThrough(this RouteTarget target, int through)
    {
        foreach (var hop in target.Hops)
            if (hop.Interface == through) return true;
        return false;
    }

    /// <summary>The hops that are left when the kernel has dropped some.</summary>
    public static RouteTarget Without(this RouteTarget target, ImmutableArray<RouteHop> dropped) =>
        target with
        {
            Hops =
            [
                .. target.Hops.Where(
                    hop => !dropped.Any(other => other with { Weight = hop.Weight } is var same && same.Satisfies(hop))),
            ],
        };

    /// <summary>The same way out, whatever its weight; the interface of either may be left open.</summary>
    public static bool LeadsAs(this RouteHop a, RouteHop b) =>
        a.Gateway == b.Gateway && a.OnLink == b.OnLink && (a.Interface == b.Interface || a.Interface == 0 || b.Interface == 0);

    /// <summary>The hops of both, each once.</summary>
    public static RouteTarget With(this RouteTarget target, RouteTarget more) =>
        target with { Hops = [.. target.Hops, .. more.Hops.Where(hop => !target.Hops.Contains(hop))] };

    public static bool Satisfies(this RouteTarget kept, RouteTarget asked)
    {
        if (ReferenceEquals(kept, asked)) return true;
        if (kept.Type != asked.Type || !kept.SameKey(asked) || kept.NextHop != asked.NextHop || kept.Hops.Length != asked.Hops.Length)
            return false;
        var left = kept.Hops;
        foreach (var hop in asked.Hops)
        {
            var at = IndexOf(left, hop);
            if (at < 0) return false;
            left = left.RemoveAt(at);
        }
        return true;
    }

    public static bool Satisfies(this RouteHop kept, RouteHop asked) =>
        kept.Gateway == asked.Gateway && kept.OnLink == asked.OnLink && kept.Weight == asked.Weight
        && (asked.Interface == 0 || kept.Interface == asked.Interface);

    private static int IndexOf(ImmutableArray<RouteHop> hops, RouteHop asked)
    {
        for (var i = 0; i < hops.Length; i++)
            if (hops[i].Satisfies(asked)) return i;
        return -1;
    }
}

/// <summary>
/// Targets by number, with the octets that a route to each needs: a million prefixes lead to a handful of them. Counted, so that a
/// target nobody leads to any more gives its number back. Number 0 is none.
/// </summary>
internal sealed class RouteTargets(byte protocol)
{
    private sealed class Entry
    {
        public required RouteTarget Target;
        public required IpFamily Family;
        public required RouteForm New;
        public required RouteForm Delete;
        public int Uses;
    }

    private readonly Dictionary<(IpFamily Family, RouteTarget Target), uint> numbers = [];
    private readonly List<Entry?> entries = [null];
    private readonly Stack<uint> free = [];
    private readonly uint[] recent = new uint[64];
    private (RouteTarget? Asked, IpFamily Family, uint Number) last;

    public int Count => numbers.Count;
    public bool Any(IpFamily family, Func<RouteTarget, bool> test) => numbers.Keys.Any(key => key.Family == family && test(key.Target));
    public RouteTarget this[uint number] => entries[(int)number]!.Target;
    public RouteForm New(uint number) => entries[(int)number]!.New;
    public RouteForm Delete(uint number) => entries[(int)number]!.Delete;

    /// <summary>The number of a target; it stays valid until as many <see cref="Release"/> as there were acquisitions.</summary>
    public uint Acquire(IpFamily family, RouteTarget asked)
    {
        if (!ReferenceEquals(asked, last.Asked) || family != last.Family) last = (asked, family, Find(family, asked.AsKept(family)));
        entries[(int)last.Number]!.Uses++;
        return last.Number;
    }

    /// <summary>The number of what the kernel shows, mostly without making an object of it first.</summary>
    public uint Acquire(in RouteView route)
    {
        ref var number = ref recent[route.HopHash & (recent.Length - 1)];
        var known = number == 0 ? null : entries[(int)number];
        if (known == null || known.Family != route.Family || !route.Is(known.Target))
            number = Find(route.Family, route.ToTarget().AsKept(route.Family));
        entries[(int)number]!.Uses++;
        return number;
    }

    public void Hold(uint number)
    {
        if (number != 0) entries[(int)number]!.Uses++;
    }

    public void Release(uint number)
    {
        if (number == 0) return;
        var entry = entries[(int)number]!;
        if (--entry.Uses > 0) return;
        numbers.Remove((entry.Family, entry.Target));
        entries[(int)number] = null;
        free.Push(number);
        if (last.Number == number) last = default;
    }

    private uint Find(IpFamily family, RouteTarget target)
    {
        if (numbers.TryGetValue((family, target), out var number)) return number;
        var entry = new Entry
        {
            Target = target,
            Family = family,
            New = RouteMessage.New(target, family, protocol),
            Delete = RouteMessage.Delete(target, family, protocol),
        };
        if (free.TryPop(out number)) entries[(int)number] = entry;
        else
        {
            number = (uint)entries.Count;
            entries.Add(entry);
        }
        return numbers[(family, target)] = number;
    }
}
