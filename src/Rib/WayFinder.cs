using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib;

/// <summary>
/// Finds the routes of one shard that lie over next hops, and brings both to rest with each other: such a route may be best because of
/// where next hops lead, and they may lead elsewhere because of it. One prefix after the other, in order, each seen by all before the next
/// is looked at; then the rest of the table follows in slices (<see cref="Chores"/>). Without a FIB the kernel has no routes of ours, and
/// this rests.
/// </summary>
/// <param name="tell">Tells the other shards of a way of ours.</param>
/// <param name="watch">Tells the other shards of a next hop that we begin or cease to have.</param>
internal sealed class WayFinder(
    LocRib[] ribs, FibFeed?[] fibs, NextHops nextHops, Chores chores, Action<Prefix, Way?> tell, Action<Address, bool> watch, ILogger log)
{
    /// <summary>
    /// Two routes over each other's next hops come to rest within as many rounds as there are such routes; this is for a mistake of ours.
    /// </summary>
    private const int MostRounds = 256;

    private readonly WatchedAddresses watched = new();
    private readonly SortedSet<Prefix> covering = [];
    private bool isDue;
    /// <summary>The changes of next hops up to here have been told to the table.</summary>
    private uint followed;

    private bool IsAtWork => fibs[0] != null;

    /// <summary>This shard begins to have a next hop, or has it no more.</summary>
    public void Hold(Address address, bool begins)
    {
        HoldElsewhere(address, begins);
        watch(address, begins);
    }

    /// <summary>Another shard does.</summary>
    public void HoldElsewhere(Address address, bool begins)
    {
        if (begins ? watched.Add(address) : watched.Remove(address)) Follow(address, begins);
    }

    private void Follow(Address address, bool begins)
    {
        // What lies over nothing any more is found when it is looked at next.
        isDue |= !begins && covering.Count > 0;
        if (!begins) return;
        var rib = ribs[(int)address.Family];
        for (var length = address.Family.Bits(); length >= 0; length--)
        {
            var prefix = new Prefix(address, length);
            var node = rib.Table.Find(prefix);
            if (node == 0 || !covering.Add(prefix)) continue;
            isDue = true;
            Publish(prefix, fibs[(int)address.Family]!.WayOf(node));
        }
    }

    /// <summary>A prefix whose best path moved, or may lead elsewhere.</summary>
    public void Look(Prefix prefix)
    {
        if (!watched.IsOver(prefix)) return;
        covering.Add(prefix);
        isDue = true;
    }

    /// <summary>What the ways are made of has changed: the kernel's tables, its filter, a way of another shard.</summary>
    public void LookAgain()
    {
        isDue = IsAtWork && covering.Count > 0;
        TellTable();
    }

    /// <summary>False: there was nothing to do.</summary>
    public bool Settle()
    {
        if (!isDue) return false;
        var rounds = 0;
        while (isDue && Round())
            if (++rounds == MostRounds)
            {
                log.WaysUnsettled(covering.Count, string.Join(", ", covering.Take(4)));
                break;
            }
        isDue = false;
        return true;
    }

    private bool Round()
    {
        var moved = false;
        foreach (var prefix in covering.ToArray())
        {
            var rib = ribs[(int)prefix.Family];
            var node = rib.Table.Find(prefix);
            var isOver = node != 0 && watched.IsOver(prefix);
            if (!isOver) covering.Remove(prefix);
            if (node != 0) rib.Reconsider(node);
            moved |= Publish(prefix, isOver ? fibs[(int)prefix.Family]!.WayOf(node) : null);
        }
        return moved;
    }

    private bool Publish(Prefix prefix, Way? way)
    {
        if (!nextHops.TakeWay(prefix, way)) return false;
        TellTable();
        tell(prefix, way);
        return true;
    }

    private void TellTable()
    {
        if (nextHops.LastChange <= followed) return;
        chores.ChooseAgain(followed);
        followed = nextHops.Generation;
    }
}
