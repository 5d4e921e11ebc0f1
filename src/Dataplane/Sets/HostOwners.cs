using System.Runtime.InteropServices;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>Lists of members by their slots, short ones: rows of eight octets in one array. A list is its first row; -1 is the empty
/// one.</summary>
internal sealed class OwnerLists
{
    public const int Empty = -1;

    private readonly List<(int Member, int Next)> rows = [];
    private int free = Empty;

    public void Add(ref int list, int member)
    {
        if (free == Empty)
        {
            rows.Add((member, list));
            list = rows.Count - 1;
            return;
        }
        var row = free;
        free = rows[row].Next;
        rows[row] = (member, list);
        list = row;
    }

    public void Remove(ref int list, int member)
    {
        var before = Empty;
        for (var row = list; row != Empty; before = row, row = rows[row].Next)
        {
            if (rows[row].Member != member) continue;
            if (before == Empty) list = rows[row].Next;
            else rows[before] = rows[before] with { Next = rows[row].Next };
            rows[row] = (0, free);
            free = row;
            return;
        }
    }

    /// <summary>The member at this place of a list, and the place behind it.</summary>
    public (int Member, int Next) At(int place) => rows[place];
}

/// <summary>
/// Of which members each address is. No set keeps whose its elements are: that an address is still in a set when one of its members goes
/// is asked here.
/// </summary>
internal sealed class HostOwners(OwnerLists lists)
{
    private readonly Dictionary<Address, int> owners = [];

    public void Add(Address host, int member)
    {
        ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(owners, host, out var isKnown);
        if (!isKnown) list = OwnerLists.Empty;
        lists.Add(ref list, member);
    }

    public void Remove(Address host, int member)
    {
        ref var list = ref CollectionsMarshal.GetValueRefOrNullRef(owners, host);
        lists.Remove(ref list, member);
        if (list == OwnerLists.Empty) owners.Remove(host);
    }

    public int Of(Address host) => owners.TryGetValue(host, out var list) ? list : OwnerLists.Empty;
}
