using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Handover;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <content>Another process's sessions and tables, and all else that it knew, are taken over; nobody is told anything before they are
/// ours.</content>
public sealed partial class SpeakerLoop
{
    private bool isTakingOver;

    /// <summary>After <see cref="StartAsync"/>, and once all own routes are announced.</summary>
    /// <exception cref="HandoverException">It cannot be; the other process goes on, and this one is to end.</exception>
    public async Task TakeOverAsync(ITestator from)
    {
        if (await AskAsync<string?>(done => new SpeakerNews.TakeOver(from, done)).ConfigureAwait(false) is { } words)
            throw new HandoverException(words);
        Settle();
    }

    /// <summary>What OPENs of sessions say that were not established there: nobody has restarted.</summary>
    private void BeginTakingOver() => beginning = new(time, DateTimeOffset.MinValue, HasOldRoutes: true, fib != null);

    private async Task TakeOverAsync(Loop loop, ITestator from, TaskCompletionSource<string?> done)
    {
        try
        {
            var work = TakeOverAllAsync(from);
            await loop.WaitForAsync(Task.WhenAny(work)).ConfigureAwait(false);
            var (taken, moments) = await work.ConfigureAwait(false);
            isTakingOver = false;
            for (var i = 0; i < taken.Count; i++)
            {
                taken[i].Session.Start();
                taken[i].Session.GoOn(new(TimeSpan.FromSeconds(moments.SilentSeconds[i])));
            }
            foreach (var left in Peers.Where(peer => peer.Up == null)) StartLeft(left);
            // The node may not be cordoned any more.
            LookAtCordon(Config.IsDrained);
            StartPeers();
            foreach (var name in from.State.Disabled) PeerNamed(name)?.Session.Disable();
            listener.Start();
            done.SetResult(null);
        }
        catch (Exception refused) when (refused is HandoverException or InvalidDataException or IOException or OperationCanceledException)
        {
            done.SetResult(refused.Message);
        }
    }

    private async Task<(List<Peer> Taken, HandedMoments Moments)> TakeOverAllAsync(ITestator from)
    {
        var state = from.State;
        TakeDrains(state);
        foreach (var lease in state.Leases) await TakeLeaseAsync(lease).ConfigureAwait(false);
        foreach (var produced in state.Produced ?? []) await TakeProducedAsync(produced).ConfigureAwait(false);
        var taken = state.Peers.Where(handed => handed.Life != null).Select(handed => Take(handed, handed.Life!, from)).ToList();
        foreach (var handed in state.Peers)
            if (handed.Loss is { } loss) TakeLeft(handed, loss);
        // Whom BFD is to watch is known from here on.
        await WatchAsync().ConfigureAwait(false);
        var told = await RestoreAsync(from).ConfigureAwait(false);
        await Rib.EndRestoringAsync(told).ConfigureAwait(false);
        var moments = await from.RestoredAsync(stopping.Token).ConfigureAwait(false);
        if (moments.SilentSeconds.Length != taken.Count)
            throw new HandoverException($"expected a moment for each of {taken.Count} sessions, got {moments.SilentSeconds.Length}");
        BfdWatch.Check(moments.Bfd);
        await from.TakenAsync(stopping.Token).ConfigureAwait(false);
        Bfd.Adopt(moments.Bfd);
        return (taken, moments);
    }

    private Peer Take(HandedPeer handed, HandedLife life, ITestator from)
    {
        if (life.Socket < from.State.Listeners || life.Socket >= from.Sockets.Count)
            throw new HandoverException($"{handed.Name}: expected one of {from.Sockets.Count} sockets, got number {life.Socket}");
        var peer = MakeAgain(handed);
        var session = new HandedSession(
            from.Sockets[life.Socket], life.Ours, new(life.Sent, life.Received), life.Unread, life.Since);
        if (peer.Session.Adopt(session) is { } words) throw GoesOnNoMore(handed, words);
        peer.Up = peer.Door.Life;
        peer.Up!.Complete = (FamilySet)life.Complete;
        Keep(peer, RetentionOf(handed));
        return peer;
    }

    private static HandoverException GoesOnNoMore(HandedPeer handed, string words) =>
        new($"{handed.Name}: the session does not go on by the configuration of now ({words}): reload it first");

    /// <summary>Its session is lost, and its routes stay.</summary>
    private void TakeLeft(HandedPeer handed, HandedLoss loss)
    {
        var peer = MakeAgain(handed);
        if (!Address.TryParse(loss.Local, out var local)) throw new HandoverException($"expected an address, got {loss.Local}");
        var opens = new BothOpens(loss.Sent, loss.Received);
        if (opens.Agree(peer.Session.Settings, local, peer.Session.Settings.PeerAddress, out var agreed) is { } words)
            throw GoesOnNoMore(handed, words);
        peer.LeftBy = agreed;
        peer.Door.Remember(peer.Session, agreed!);
        Keep(peer, RetentionOf(handed));
    }

    private static Retention RetentionOf(HandedPeer handed)
    {
        if (handed.Kept.FirstOrDefault(kept => !Enum.IsDefined(kept.Family)) is { } wrong)
            throw new HandoverException($"{handed.Name}: expected a family whose routes are kept, got {wrong.Family}");
        return new([.. handed.Kept.Select(
            kept => new KeptFamily(kept.Family, kept.IsLong, kept.Until, TimeSpan.FromSeconds(kept.LongSeconds)))]);
    }

    private void StartLeft(Peer peer)
    {
        // Down while it is being drained, it may come back for the rest of that, as it might have before.
        peer.Session.Start(isDisabled: peer.Drain is { Stage: DrainStage.Down } or { StaysDown: true });
        peer.LookAtWay(latest);
        dynamics.Watch(peer);
    }

    private Peer MakeAgain(HandedPeer handed)
    {
        if (!Address.TryParse(handed.Address, out var address)) throw new HandoverException($"expected an address, got {handed.Address}");
        if (Config.Peers.FirstOrDefault(peer => peer.Session.Name == handed.Name && peer.Session.PeerAddress == address) is { } named)
            return MakePeer(named, null, null, null);
        if (Config.Links.FirstOrDefault(link => link.Each.Session.Name == handed.Name && link.Interface == handed.Interface) is { } link)
            return MakePeer(link.For(address), null, null, link);
        if (PeerRange.For(Config.Ranges, address) is { } range && range.For(address) is var called && called.Session.Name == handed.Name)
            return MakePeer(called, null, range, null);
        throw new HandoverException($"no peer {handed.Name} with address {address} is configured now: reload the configuration first");
    }

    /// <returns>What peers were told.</returns>
    private async Task<ToldTables> RestoreAsync(ITestator from)
    {
        var indexes = from.State.Peers.ToDictionary(peer => peer.Index, peer => IndexOf(peer.Name));
        var inlets = new Dictionary<ushort, RouteInlet>();
        var readers = from.Images.Select(image => new TableImageReader(image)).ToArray();
        var told = new ToldTables(Rib.ShardCount);
        try
        {
            for (var age = PathAge.LongStale; age <= PathAge.Present; age++)
            {
                var families = new Dictionary<ushort, FamilySet>();
                foreach (var reader in readers)
                    while (RestoreSome(reader, indexes, inlets, families) is { } filled)
                        await filled.FlushAsync().ConfigureAwait(false);
                if (age <= PathAge.Stale)
                    foreach (var (index, its) in families) Rib.Age(index, its, isLong: age == PathAge.LongStale);
                // What was said before a refresh that has not ended is still to be confirmed (RFC 7313).
                if (age == PathAge.Unconfirmed)
                    foreach (var inlet in inlets.Values)
                    {
                        inlet.BeginRefresh(IpFamily.IPv4);
                        inlet.BeginRefresh(IpFamily.IPv6);
                        await inlet.FlushAsync().ConfigureAwait(false);
                    }
            }
            foreach (var reader in readers) ReadTold(reader, from.State, indexes, told);
        }
        finally
        {
            foreach (var reader in readers) reader.Dispose();
        }
        return told;
    }

    /// <param name="families">Whose routes have come, of which families.</param>
    /// <returns>Whose routes wait in which inlet; null: there are no more of this age.</returns>
    private RouteInlet? RestoreSome(
        TableImageReader reader, Dictionary<ushort, ushort> indexes, Dictionary<ushort, RouteInlet> inlets,
        Dictionary<ushort, FamilySet> families)
    {
        if (!reader.Next(out var record)) throw new HandoverException("the image of the tables ends before its paths do");
        if (record.Kind == ImageRecordKind.AgeEnds) return null;
        if (record.Kind != ImageRecordKind.Paths) throw new HandoverException($"expected paths, got {record.Kind}");
        if (!indexes.TryGetValue(record.Peer, out var index)) throw new HandoverException($"nobody said who peer {record.Peer} is");
        if (!inlets.TryGetValue(index, out var inlet)) inlets[index] = inlet = Rib.InletFor(index);
        families[index] = families.GetValueOrDefault(index) | record.Nlri.Family.Bit();
        inlet.Restore(record.Announced, record.Changed);
        return inlet;
    }

    private void ReadTold(TableImageReader reader, HandedState state, Dictionary<ushort, ushort> indexes, ToldTables told)
    {
        var sources = new Dictionary<ushort, ushort>(indexes);
        foreach (var source in state.Sources)
            sources[source.Index] = Sources.FirstOrDefault(ours => ours.Index == source.Index && ours.Name == source.Name)?.Index
                ?? Sources.FirstOrDefault(ours => ours.Name == source.Name)?.Index ?? Sources[0].Index;
        while (reader.Next(out var record))
        {
            if (record.Kind == ImageRecordKind.Holding) told.Begin(record.Nlri.Family, MembersOf(record, indexes));
            else if (record.Kind == ImageRecordKind.Told && sources.TryGetValue(record.Peer, out var source)) told.Add(source, record);
            else throw new HandoverException($"expected what peers were told, got {record.Kind} of {record.Peer}");
        }
    }

    private static List<(ushort, MemberDebts)> MembersOf(in ImageRecord holding, Dictionary<ushort, ushort> indexes)
    {
        var members = new List<(ushort, MemberDebts)>();
        for (var rest = holding.Members; !rest.IsEmpty; rest = rest[3..])
            if (indexes.TryGetValue((ushort)(rest[0] << 8 | rest[1]), out var index)) members.Add((index, (MemberDebts)rest[2]));
        return members;
    }

    private async Task TakeLeaseAsync(HandedLease lease)
    {
        if (!Prefix.TryParse(lease.Prefix, out var prefix)) throw new HandoverException($"expected a lease's prefix, got {lease.Prefix}");
        var large = lease.LargeCommunities.Chunk(3).Select(three => new LargeCommunity(three[0], three[1], three[2]));
        var said = new SaidAttributes
        {
            NextHop = lease.NextHop is { } text && Address.TryParse(text, out var nextHop) ? nextHop : null,
            Communities = [.. lease.Communities.Select(community => new Community(community))],
            LargeCommunities = [.. large],
            LocalPref = lease.LocalPref,
            Med = lease.Med,
        };
        var ttl = lease.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        // What bars it by other quotas is taken back then.
        await AnnounceNowAsync(new(lease.Producer, prefix, ttl, said)).ConfigureAwait(false);
    }

    /// <summary>Who says here what there is before anything is taken over needs nobody's word for it.</summary>
    private async Task TakeProducedAsync(HandedProduced produced)
    {
        if (!awaited.Contains(produced.Producer)) return;
        var moves = ImmutableArray.CreateBuilder<RouteMove>();
        foreach (var text in produced.Prefixes)
            moves.Add(Prefix.TryParse(text, out var prefix) ? new(prefix, Announced: true)
                : throw new HandoverException($"expected a prefix of {produced.Producer}, got {text}"));
        foreach (var source in producers.SourcesOf(produced.Producer, Moving))
            await RouteProducers.ApplyAsync(source, moves, all: false).ConfigureAwait(false);
    }

    private void TakeDrains(HandedState state)
    {
        if (state.DrainOfAll is { } later) all = (later.Reason, later.Since, later.IsByCordon);
        foreach (var drain in state.Drains)
        {
            var mine = drains[drain.Peer] = new(drain.Reason, drain.Since)
            {
                IsByCordon = drain.IsByCordon,
                StaysDown = drain.StaysDown,
                Looks = drain.Looks,
            };
            mine.Become(drain.Stage, drain.Since, drain.Until);
            if (drain.Until is { } until) mine.Timer = TimerOf(drain.Peer, mine, Until(until));
        }
    }
}
