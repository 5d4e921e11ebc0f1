using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Rib;

/// <summary>
/// Batches into the tables: attributes are interned once a record, the import filter runs once where it does not look at prefixes.
/// </summary>
internal sealed class Intake(
    LocRib[] ribs, AttributeInterner attributes, ImportFilter import, PeerTable peers, Chores chores, IRibOwner owner)
{
    public void Apply(RouteBatch batch)
    {
        var peer = peers.Find(batch.Peer);
        Prefetch(batch.Octets);
        var octets = batch.Octets;
        var now = Rib.Ticks(Environment.TickCount64);
        while (peer != null && !octets.IsEmpty)
        {
            var record = RouteRecord.Read(ref octets);
            if (record.Kind == RecordKind.Announce) Announce(peer, record, now);
            else if (record.Kind == RecordKind.Withdraw) Withdraw(peer, record);
            else if (record.Kind == RecordKind.Martians) CountMartians(peer, record);
            else if (record.Kind == RecordKind.Restore) Restore(peer, record);
            else Mark(peer.Index, record.Family, record.Kind);
        }
        batch.Return();
        if (peer?.PrefixLimit is { } limit) HoldToLimit(peer, limit);
    }

    /// <summary>Each prefix's lookup waits for memory; all of a batch asked for beforehand wait together.</summary>
    private void Prefetch(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            var record = RouteRecord.Read(ref octets);
            var table = ribs[(int)record.Family].Table;
            if (record.Kind == RecordKind.Announce) attributes.Prefetch(record.Hash);
            for (var rest = record.Nlri; !rest.IsEmpty;)
            {
                if (record.AddPath) rest = rest[4..];
                var end = 1 + (rest[0] + 7) / 8;
                table.Prefetch(rest[0], rest[1..end]);
                rest = rest[end..];
            }
        }
    }

    private void Announce(RibPeer peer, in RouteRecord record, uint now)
    {
        var rib = ribs[(int)record.Family];
        var scope = record.Summary.NextHopLength == 16 && record.Summary.NextHop.IsLinkLocal ? peer.Interface : record.Interface;
        var received = attributes.Intern(record.Attributes, record.Summary, new(default, scope), record.Hash);
        var looksAtPrefix = peer.Import.LooksAtPrefix;
        var forAll = looksAtPrefix ? 0 : import.Run(peer, received, default, record.Family);
        var counts = peers.Counts(peer.Index, record.Family);
        var before = counts.UpdatesReceived;
        var said = new PathRow { Peer = peer.Index, Received = received, Changed = now, Cycle = rib.CycleOf(peer.Index) };
        for (var rest = record.Nlri; !rest.IsEmpty;)
        {
            said.PathId = PathId(record.AddPath, ref rest);
            var length = rest[0];
            var octets = rest.Slice(1, (length + 7) / 8);
            rest = rest[(1 + octets.Length)..];
            said.Accepted = looksAtPrefix ? import.Run(peer, received, PrefixOf(record.Family, length, octets), record.Family) : forAll;
            rib.Announce(said, length, octets);
            if (looksAtPrefix) attributes.Release(said.Accepted);
        }
        if (ImportDoor.HasBarredSet(peer, record.Summary)) counts.AsSets += counts.UpdatesReceived - before;
        attributes.Release(forAll);
        attributes.Release(received);
    }

    /// <summary>What another process was told, by its age.</summary>
    private void Restore(RibPeer peer, RouteRecord record)
    {
        var changed = (uint)record.Interface;
        record.Interface = 0;
        Announce(peer, record, changed);
    }

    private void CountMartians(RibPeer peer, in RouteRecord record)
    {
        var counts = peers.Counts(peer.Index, record.Family);
        counts.UpdatesReceived += record.Interface;
        counts.UpdatesRejected += record.Interface;
    }

    private void Withdraw(RibPeer peer, in RouteRecord record)
    {
        var rib = ribs[(int)record.Family];
        for (var rest = record.Nlri; !rest.IsEmpty;)
        {
            var pathId = PathId(record.AddPath, ref rest);
            var octets = rest.Slice(1, (rest[0] + 7) / 8);
            rib.Withdraw(peer.Index, pathId, rest[0], octets);
            rest = rest[(1 + octets.Length)..];
        }
    }

    private void Mark(ushort peer, IpFamily family, RecordKind kind)
    {
        var cycle = peers.Cycle(peer, family);
        if (kind == RecordKind.BeginOfRefresh)
        {
            cycle.BeginRefresh(peers.Counts(peer, family).Held);
            return;
        }
        if (kind == RecordKind.EndOfRefresh) cycle.EndRefresh();
        else cycle.EndStale();
        chores.RemoveGone(cycle, family);
        if (kind == RecordKind.EndOfRib) owner.EndOfRib(peer, family);
    }

    private static uint PathId(bool has, ref ReadOnlySpan<byte> rest)
    {
        if (!has) return 0;
        var id = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(rest);
        rest = rest[4..];
        return id;
    }

    private static Prefix PrefixOf(IpFamily family, int length, ReadOnlySpan<byte> octets)
    {
        Span<byte> all = stackalloc byte[16];
        all.Clear();
        octets.CopyTo(all);
        return new(Address.FromOctets(all[..family.Octets()]), length);
    }

    public void HoldToLimit(RibPeer peer, int limit)
    {
        foreach (var rib in ribs)
        {
            var counts = peers.Counts(peer.Index, rib.Family);
            // What an earlier session left here was counted there.
            var held = counts.Held - peers.Cycle(peer.Index, rib.Family).Left;
            if (held > limit) owner.PrefixLimitExceeded(peer.Index, rib.Family, limit);
        }
    }
}
