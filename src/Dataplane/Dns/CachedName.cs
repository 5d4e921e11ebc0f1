using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>By which response something is known.</summary>
/// <param name="Ttl">As it was said.</param>
/// <param name="Since">When it was said last.</param>
internal readonly record struct Learning(Address Server, uint Ttl, long Since, long Until);

/// <summary>A name that an endpoint has been answered of: its addresses, and the names that it is an alias of.</summary>
internal sealed class CachedName(byte[] octets)
{
    public byte[] Octets => octets;
    /// <summary>Ids of the sets that it is of.</summary>
    public int[] Sets { get; set; } = [];
    public List<(Address Address, Learning By)> Addresses { get; } = [];
    /// <summary>A name has one alias at a time; over time there may be several.</summary>
    public List<(CachedName Target, Learning By)> Aliases { get; } = [];
    /// <summary>The names that are aliases of it.</summary>
    public List<CachedName> Sources { get; } = [];

    /// <summary>In its list, of those that some set asks for or of the others: used later, and used earlier.</summary>
    public CachedName? Newer { get; set; }
    public CachedName? Older { get; set; }
    /// <summary>Which list that is.</summary>
    public bool IsAskedFor { get; set; }

    /// <summary>The walk that was here last, and until when the way there lasts.</summary>
    public long Walk { get; set; }
    public long WalkUntil { get; set; }
    /// <summary>The response that named it last: it is not given up for what else that says.</summary>
    public long Response { get; set; }

    /// <summary>Nothing that lasts leads from it, or to it: an alias may know its name before the address.</summary>
    public bool HasEnded(long now) =>
        Addresses.TrueForAll(one => one.By.Until <= now) && Aliases.TrueForAll(one => one.By.Until <= now)
        && Sources.TrueForAll(source => source.Aliases.TrueForAll(one => one.Target != this || one.By.Until <= now));

    /// <returns>False: another had to go for it, the one that would have ended first.</returns>
    public bool Set(Address address, in Learning by, int most)
    {
        for (var index = 0; index < Addresses.Count; index++)
            if (Addresses[index].Address == address)
            {
                Addresses[index] = (address, Later(Addresses[index].By, by));
                return true;
            }
        var now = by.Since;
        if (Addresses.Count >= most) Addresses.RemoveAll(one => one.By.Until <= now);
        var hasRoom = Addresses.Count < most;
        if (!hasRoom) Addresses.RemoveAt(First(Addresses));
        Addresses.Add((address, by));
        return hasRoom;
    }

    /// <summary>A shorter TTL takes nothing back: who was told the longer one may still use it.</summary>
    public static Learning Later(in Learning known, in Learning said) =>
        said.Until >= known.Until ? said : said with { Ttl = known.Ttl, Until = known.Until };

    private static int First<T>(List<(T Of, Learning By)> all)
    {
        var first = 0;
        for (var index = 1; index < all.Count; index++)
            if (all[index].By.Until < all[first].By.Until) first = index;
        return first;
    }

    /// <returns>False: an alias had to go for it.</returns>
    public bool Alias(CachedName target, in Learning by, int mostAliases, int mostSources)
    {
        for (var index = 0; index < Aliases.Count; index++)
            if (Aliases[index].Target == target)
            {
                Aliases[index] = (target, Later(Aliases[index].By, by));
                return true;
            }
        var hasRoom = Aliases.Count < mostAliases && target.Sources.Count < mostSources;
        if (Aliases.Count >= mostAliases) Unalias(Aliases[First(Aliases)].Target);
        if (target.Sources.Count >= mostSources) target.Sources[0].Unalias(target);
        Aliases.Add((target, by));
        target.Sources.Add(this);
        return hasRoom;
    }

    private void Unalias(CachedName target)
    {
        Aliases.RemoveAll(one => one.Target == target);
        target.Sources.Remove(this);
    }

    /// <summary>Nobody leads to it or from it any more.</summary>
    public void Leave()
    {
        while (Sources.Count > 0) Sources[^1].Unalias(this);
        while (Aliases.Count > 0) Unalias(Aliases[^1].Target);
    }
}
