using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib;

/// <summary>
/// One shard of the RIB: sole owner of its prefixes, on a thread of its own. It takes messages from its inbox, lets the Loc-RIB
/// decide, and carries what moved to the export groups and the FIB; long work (readings, re-imports) goes in slices between.
/// </summary>
internal sealed class RibShard : IDisposable
{
    /// <summary>Batches taken before what moved is sent on: enough to pack well, little enough to stay quick.</summary>
    private const int BatchesPerTurn = 4;
    private const int StepsPerTurn = 64;
    private const int Slice = 4096;

    private readonly IRibOwner owner;
    private readonly ILogger log;
    private readonly PeerTable peers = new();
    private readonly NextHops nextHops;
    private readonly AttributeInterner attributes;
    private readonly ImportFilter import;
    private readonly LocRib[] ribs;
    private readonly FibFeed?[] fibs = new FibFeed?[2];
    private readonly List<ExportGroup>[] groups = [[], []];
    private readonly DirtyQueue[] emptied = [new(), new()];
    private readonly HashSet<ushort> gone = [];
    private readonly List<RouteRead> readings = [];
    private readonly Queue<IEnumerator<bool>> chores = new();
    private int choosing;
    private readonly List<TaskCompletionSource> idlers = [];
    private readonly Thread thread;
    private volatile bool isStopping;

    public RibShard(int number, DecisionSettings settings, INextHopResolver resolver, IFibSink? fib, IRibOwner owner, ILogger log)
    {
        this.owner = owner;
        this.log = log;
        nextHops = new(resolver);
        attributes = new(nextHops);
        import = new(attributes, nextHops);
        ribs = [New(IpFamily.IPv4), New(IpFamily.IPv6)];
        if (fib != null)
            foreach (var rib in ribs) fibs[(int)rib.Family] = new(rib, attributes, nextHops, peers, fib);
        thread = new(Run) { Name = $"rib-{number}", IsBackground = true };

        LocRib New(IpFamily family) => new(family, attributes, nextHops, peers, settings);
    }

    public Inbox Inbox { get; } = new();

    /// <summary>Octets of tables, and of attribute sets; approximate when read from another thread.</summary>
    public (long Tables, long Attributes) Octets =>
        (ribs.Sum(rib => rib.Octets) + groups.Sum(list => list.ToArray().Sum(group => group.Octets)) + fibs.Sum(fib => fib?.Octets ?? 0), attributes.Octets);
    public (int Prefixes, int Paths, int AttributeSets) Sizes =>
        (ribs.Sum(rib => rib.Table.Count), ribs.Sum(rib => rib.Paths.Count), attributes.Count);

    public void Start() => thread.Start();

    public void Stop()
    {
        isStopping = true;
        Inbox.Close();
        if (thread.IsAlive) thread.Join();
    }

    public void Dispose() => Inbox.Dispose();

    private void Run()
    {
        while (!isStopping)
        {
            var batches = 0;
            var handled = false;
            while (batches < BatchesPerTurn && Inbox.TryTake(out var message))
            {
                handled = true;
                if (message is ShardMessage.Routes) batches++;
                Handle(message);
            }
            ForgetGone();
            if (Work() || handled || !Inbox.IsEmpty) continue;
            idlers.ForEach(idler => idler.SetResult());
            idlers.Clear();
            Inbox.Wait(Patience());
        }
        foreach (var reading in readings) reading.Answers.Writer.TryComplete();
    }

    /// <summary>Milliseconds until a group's advertisement interval ends; -1: nothing is due.</summary>
    private int Patience()
    {
        long? due = null;
        foreach (var list in groups)
            foreach (var group in list)
                if (group.DueAt is { } at && (due == null || at < due)) due = at;
        return due is { } next ? (int)Math.Clamp(next - Environment.TickCount64, 0, 60_000) : Timeout.Infinite;
    }

    private bool Work()
    {
        var worked = Distribute();
        for (var step = 0; step < StepsPerTurn; step++)
        {
            var stepped = false;
            foreach (var list in groups)
                for (var i = 0; i < list.Count; i++) stepped |= list[i].Step(Environment.TickCount64);
            if (!stepped) break;
            worked = true;
        }
        foreach (var fib in fibs) worked |= fib?.Step() ?? false;
        worked |= RemoveEmptied();
        worked |= DoChore();
        for (var i = readings.Count - 1; i >= 0; i--) worked |= Advance(readings[i]);
        return worked;
    }

    private bool Distribute()
    {
        var any = false;
        foreach (var rib in ribs)
        {
            var (list, fib, empties) = (groups[(int)rib.Family], fibs[(int)rib.Family], emptied[(int)rib.Family]);
            while (rib.Moved.Count > 0)
            {
                any = true;
                foreach (var node in rib.Moved.Take(Slice))
                {
                    foreach (var group in list) group.Add(node);
                    fib?.Add(node);
                    if (rib.First(node) == 0) empties.Add(node);
                }
            }
        }
        return any;
    }

    /// <summary>Rows of prefixes that nobody has a path to, holds, or waits for.</summary>
    private bool RemoveEmptied()
    {
        var any = false;
        foreach (var rib in ribs)
        {
            var (list, fib, empties) = (groups[(int)rib.Family], fibs[(int)rib.Family], emptied[(int)rib.Family]);
            if (empties.Count == 0) continue;
            var kept = new List<uint>();
            foreach (var node in empties.Take(Slice))
            {
                if (!rib.Table.IsUsed(node) || rib.First(node) != 0) continue;
                if (!rib.Moved.Contains(node) && (fib?.IsDone(node) ?? true) && list.TrueForAll(group => group.IsDone(node)))
                {
                    rib.Table.Remove(node);
                    any = true;
                }
                else kept.Add(node);
            }
            foreach (var node in kept) empties.Add(node);
        }
        return any;
    }

    private void Handle(ShardMessage message)
    {
        if (message is not (ShardMessage.PeerDown or ShardMessage.Routes)) ForgetGone();
        switch (message)
        {
            case ShardMessage.Routes routes:
                Take(routes.Batch);
                break;
            case ShardMessage.PeerUp up:
                Admit(up.Peer, up.Outlet);
                break;
            case ShardMessage.PeerDown down:
                foreach (var group in groups.SelectMany(list => list)) group.Leave(down.Peer);
                DissolveEmptyGroups();
                gone.Add(down.Peer);
                break;
            case ShardMessage.PeerChanged changed:
                Change(changed.Peer);
                break;
            case ShardMessage.Refresh refresh:
                foreach (var group in groups[(int)refresh.Family]) group.Refresh(refresh.Peer);
                break;
            case ShardMessage.Reimport again:
                chores.Enqueue(Reimport(again.Peer).GetEnumerator());
                break;
            case ShardMessage.NextHopsChanged next:
                var since = nextHops.Generation;
                if (nextHops.Take(next.Resolver)) BeginToChooseAgain(since);
                break;
            case ShardMessage.SettingsChanged settings:
                foreach (var rib in ribs) rib.Settings = settings.Settings;
                BeginToChooseAgain(null);
                break;
            case ShardMessage.FibFilterChanged:
                foreach (var rib in ribs)
                    for (uint node = 1; node < rib.Table.End && fibs[(int)rib.Family] is { } fib; node++)
                        if (rib.Table.IsUsed(node)) fib.Add(node);
                break;
            case ShardMessage.Idle idle:
                idlers.Add(idle.Reached);
                break;
            case ShardMessage.Read read:
                readings.Insert(0, read.Job);
                break;
        }
    }

    private void Take(RouteBatch batch)
    {
        var peer = peers.Find(batch.Peer);
        var octets = batch.Octets;
        while (peer != null && !octets.IsEmpty && !gone.Contains(batch.Peer))
        {
            var record = RouteRecord.Read(ref octets);
            var rib = ribs[(int)record.Family];
            if (record.Kind == RecordKind.Announce) Announce(peer, record);
            else if (record.Kind == RecordKind.Withdraw) Withdraw(peer, record);
            else if (record.Kind == RecordKind.BeginOfRefresh) rib.Unconfirm(peer.Index);
            else if (record.Kind == RecordKind.EndOfRefresh) rib.RemoveUnconfirmed(peer.Index);
            else owner.EndOfRib(peer.Index, record.Family);
        }
        batch.Return();
        if (peer?.PrefixLimit is { } limit) HoldToLimit(peer, limit);
    }

    private void Announce(RibPeer peer, in RouteRecord record)
    {
        var rib = ribs[(int)record.Family];
        var scope = record.Summary.NextHopLength == 16 && record.Summary.NextHop.IsLinkLocal ? peer.Interface : record.Interface;
        var received = attributes.Intern(record.Attributes, record.Summary, new(default, scope));
        var forAll = peer.Import.LooksAtPrefix ? 0 : import.Run(peer, received, default, record.Family);
        var now = Rib.Ticks(Environment.TickCount64);
        for (var rest = record.Nlri; !rest.IsEmpty;)
        {
            var pathId = PathId(record.AddPath, ref rest);
            var length = rest[0];
            var octets = rest.Slice(1, (length + 7) / 8);
            rest = rest[(1 + octets.Length)..];
            var accepted = peer.Import.LooksAtPrefix ? import.Run(peer, received, PrefixOf(record.Family, length, octets), record.Family) : forAll;
            rib.Announce(peer.Index, pathId, received, accepted, now, length, octets);
            if (peer.Import.LooksAtPrefix) attributes.Release(accepted);
        }
        attributes.Release(forAll);
        attributes.Release(received);
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

    private void HoldToLimit(RibPeer peer, int limit)
    {
        foreach (var rib in ribs)
        {
            var counts = peers.Counts(peer.Index, rib.Family);
            if (counts.Imported + counts.Filtered > limit) owner.PrefixLimitExceeded(peer.Index, rib.Family, limit);
        }
    }

    private void Admit(RibPeer peer, IPeerOutlet? outlet)
    {
        peers.Set(peer, family => owner.CountsOf(peer.Index, family));
        if (outlet == null) return;
        foreach (var rib in ribs)
            if (peer.Families.Has(rib.Family)) GroupFor(peer, rib).Join(new(peer, outlet, peers.Counts(peer.Index, rib.Family)));
    }

    private ExportGroup GroupFor(RibPeer peer, LocRib rib)
    {
        var list = groups[(int)rib.Family];
        var treatment = peer.Treatment;
        var group = list.Find(group => group.Treatment == treatment);
        if (group != null) return group;
        group = new(rib.Family, treatment, rib, attributes, peers, nextHops, () => Inbox.Put(ShardMessage.Wake.Up))
        {
            EndOfRib = (member, family) => owner.TableSent(member.Outlet, family),
            TooLong = prefix => log.AttributesTooLong(prefix, treatment.Encode.MaxMessageLength),
        };
        list.Add(group);
        return group;
    }

    private void Change(RibPeer peer)
    {
        var before = peers.Find(peer.Index);
        if (before == null) return;
        peers.Set(peer, family => owner.CountsOf(peer.Index, family));
        if (before.Import != peer.Import || before.AllowLocalAs != peer.AllowLocalAs) chores.Enqueue(Reimport(peer.Index).GetEnumerator());
        foreach (var rib in ribs)
        {
            var group = groups[(int)rib.Family].Find(group => group.Members.Any(member => member.Peer.Index == peer.Index));
            if (group == null || group.Treatment == peer.Treatment) continue;
            var member = group.Members.First(member => member.Peer.Index == peer.Index);
            GroupFor(peer, rib).Join(new(peer, member.Outlet, member.Counts) { AwaitsEndOfRib = member.AwaitsEndOfRib }, group);
            group.Leave(peer.Index);
        }
        DissolveEmptyGroups();
    }

    private void DissolveEmptyGroups()
    {
        foreach (var list in groups)
        {
            foreach (var group in list.FindAll(group => group.IsEmpty))
            {
                group.Dissolve();
                list.Remove(group);
            }
        }
    }

    /// <summary>One walk for all peers that went down together.</summary>
    private void ForgetGone()
    {
        if (gone.Count == 0) return;
        foreach (var rib in ribs)
        {
            if (rib.Paths.Count == 0) continue;
            for (uint node = 1; node < rib.Table.End; node++)
                if (rib.First(node) != 0 && rib.Table.IsUsed(node)) rib.RemoveWhere(node, path => gone.Contains(path.Peer));
        }
        foreach (var index in gone)
            foreach (var rib in ribs) peers.Counts(index, rib.Family).Reset();
        gone.Clear();
    }

    private IEnumerable<bool> Reimport(ushort index)
    {
        foreach (var rib in ribs)
        {
            for (uint node = 1; node < rib.Table.End; node++)
            {
                if (node % Slice == 0) yield return true;
                if (peers.Find(index) is not { } peer) yield break;
                for (var at = rib.Table.IsUsed(node) ? rib.First(node) : 0; at != 0;)
                {
                    var (next, path) = (rib.Paths[at].Next, rib.Paths[at]);
                    if (path.Peer == index) Reaccept(rib, peer, node, at);
                    at = next;
                }
            }
        }
    }

    private void Reaccept(LocRib rib, RibPeer peer, uint node, uint at)
    {
        var accepted = import.Run(peer, rib.Paths[at].Received, rib.Table[node], rib.Family);
        rib.Reaccept(node, at, accepted, Rib.Ticks(Environment.TickCount64));
        attributes.Release(accepted);
    }

    private void BeginToChooseAgain(uint? since)
    {
        choosing++;
        foreach (var rib in ribs) rib.IsUnsettled = true;
        chores.Enqueue(ChooseAgain(since).GetEnumerator());
    }

    /// <param name="since">Only prefixes with a next hop whose state changed after this generation; null: all.</param>
    private IEnumerable<bool> ChooseAgain(uint? since)
    {
        foreach (var rib in ribs)
        {
            for (uint node = 1; node < rib.Table.End; node++)
            {
                if (node % Slice == 0) yield return true;
                if (!rib.Table.IsUsed(node) || !IsAffected(rib, node, since)) continue;
                rib.ChooseAgain(node);
            }
        }
        choosing--;
        foreach (var rib in ribs) rib.IsUnsettled = choosing > 0;
    }

    private bool IsAffected(LocRib rib, uint node, uint? since)
    {
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            if (since is not { } generation) return true;
            if (rib.Paths[at].Accepted is var accepted and not 0 && nextHops.ChangedSince(attributes[accepted].NextHop, generation)) return true;
        }
        return false;
    }

    private bool DoChore()
    {
        if (!chores.TryPeek(out var chore)) return false;
        if (!chore.MoveNext())
        {
            chores.Dequeue();
            chore.Dispose();
        }
        return true;
    }

    private bool Advance(RouteRead reading)
    {
        if (reading.IsAbandoned)
        {
            readings.Remove(reading);
            return true;
        }
        var list = groups[(int)reading.Request.Family];
        var reader = new RouteReader(ribs[(int)reading.Request.Family], list, attributes, nextHops);
        if (!reader.Advance(reading, () => Inbox.Put(ShardMessage.Wake.Up), out var isDone)) return false;
        if (isDone) readings.Remove(reading);
        return true;
    }
}
