using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Rib;

/// <content>The shard's tables for the process that takes over.</content>
internal sealed partial class RibShard
{
    /// <summary>Prefixes whose paths are sorted together.</summary>
    private const uint ImageSlice = 1 << 14;

    private bool isRestoring;

    private readonly record struct ImagePath(ushort Peer, uint Received, uint Changed, uint Node, uint Id);

    private void Freeze(ShardMessage.Freeze order)
    {
        try
        {
            using var image = new TableImageWriter(order.Image);
            // Of a peer's table the older parts come first, as they came here.
            var oldest = OldestAge();
            for (var age = PathAge.LongStale; age <= PathAge.Present; age++)
            {
                foreach (var rib in ribs)
                    if (age >= oldest) WritePaths(rib, age, image);
                image.AgeEnds(age);
            }
            foreach (var outflow in outflows) outflow.WriteTo(image);
            image.End();
            order.Written.SetResult();
        }
        catch (IOException refused)
        {
            order.Written.SetException(refused);
        }
        // Others may have its turn as little as its inbox: it holds both.
        loop!.Rest();
        order.GoesOn.Wait();
        loop.Beat();
    }

    /// <summary>As when a session was lost that said all this, but for who is told: that is over.</summary>
    private void Age(ushort peer, FamilySet families, bool isLong)
    {
        if (peers.Find(peer) == null) return;
        foreach (var rib in ribs)
        {
            if (!families.Has(rib.Family)) continue;
            var counts = peers.Counts(peer, rib.Family);
            // The peer's table has just begun here: there are cycles enough.
            peers.Cycle(peer, rib.Family).Keep(counts.Held, staleToo: true);
            counts.Reset();
        }
        if (isLong) BeginLongStale(peer, families);
    }

    private PathAge OldestAge() => ribs.Any(rib => peers.All.Any(
        peer => peer.Origin == RouteOrigin.Bgp && peers.Cycle(peer.Index, rib.Family).Outdated > 0)) ? PathAge.LongStale : PathAge.Present;

    private void WritePaths(LocRib rib, PathAge age, TableImageWriter image)
    {
        var slice = new List<ImagePath>();
        for (uint node = 1; node < rib.Table.End; node++)
        {
            if (!rib.Table.IsUsed(node)) continue;
            for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
            {
                ref var path = ref rib.Paths[at];
                if (peers[path.Peer].Origin != RouteOrigin.Bgp || AgeOf(path, rib.Family) != age) continue;
                slice.Add(new(path.Peer, path.Received, path.Changed, node, path.PathId));
            }
            if (slice.Count >= ImageSlice) Flush();
        }
        Flush();

        void Flush()
        {
            slice.Sort(static (a, b) => (a.Peer, a.Received, a.Changed, a.Node).CompareTo((b.Peer, b.Received, b.Changed, b.Node)));
            WriteRuns(rib, age, CollectionsMarshal.AsSpan(slice), image);
            slice.Clear();
        }
    }

    /// <summary>Null: it is gone, and still there.</summary>
    private PathAge? AgeOf(in PathRow path, IpFamily family)
    {
        var cycle = peers.Cycle(path.Peer, family);
        if (cycle.IsGone(path.Cycle)) return null;
        var state = cycle.StateOf(path.Cycle);
        if ((state & PathState.Stale) != 0) return cycle.IsLongStale(path.Cycle) ? PathAge.LongStale : PathAge.Stale;
        return (state & PathState.Unconfirmed) != 0 ? PathAge.Unconfirmed : PathAge.Present;
    }

    private void WriteRuns(LocRib rib, PathAge age, ReadOnlySpan<ImagePath> slice, TableImageWriter image)
    {
        var nlri = new byte[TableImageWriter.MostNlriOctets];
        var (used, run, hasIds) = (0, default(ImagePath), false);
        foreach (var path in slice)
        {
            var isSame = path with { Node = run.Node, Id = run.Id } == run && hasIds == (path.Id != 0);
            if (!isSame || used > nlri.Length - 32) Cut();
            (run, hasIds) = (path, path.Id != 0);
            if (hasIds)
            {
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(nlri.AsSpan(used), path.Id);
                used += 4;
            }
            used += rib.Table.WriteNlri(path.Node, nlri.AsSpan(used));
        }
        Cut();

        void Cut()
        {
            if (used > 0)
                image.Paths(run.Peer, age, run.Changed, new() { Family = rib.Family, AddPath = hasIds, Octets = nlri.AsSpan(0, used) },
                    attributes.OctetsOf(run.Received));
            used = 0;
        }
    }
}
