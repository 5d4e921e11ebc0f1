using System.Collections.Immutable;
using System.Net.NetworkInformation;
using Calico.Bgp.Bfd;
using Calico.Bgp.Bgpd.Probing;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// What egress gateways need of the other rooms: the speaker announces the addresses that this node is the gateway of, links are told of
/// them, BFD watches the nodes that hand packets to each other, and the dataplane hears who of them is lost, or leads nowhere. One that was
/// heard is lost
/// when it is not heard any more, unless its node answers and a restart is waited for (<c>egress.restartTime</c>); one that has never been
/// heard is believed to be there for a while, so that a daemon that begins takes nothing away that works.
/// </summary>
internal sealed class GatewayObserver(
    RouteProducer announced, IBfd bfd, ClaimedAddresses claimed, DataplaneLoop dataplane, Loops loops, TimeProvider time)
{
    /// <summary>A session that is not up sends once a second (RFC 5880 section 6.8.3), and needs three packets to come up.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(10);

    /// <summary>Timers know whole milliseconds, and none too many: what is left of one would be waited for in a circle.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly Bell bell = new();
    private readonly Dictionary<BfdKey, Watched> watched = [];

    /// <summary>Null: nothing yet, and what the process before has announced stays.</summary>
    private ListOf<EgressAnnounced>? said;
    private ImmutableHashSet<Address> unheard = [];
    private EgressFailing failing = EgressFailing.None;

    /// <param name="Since">When it was heard first, or when it was lost: since when it is as it is.</param>
    /// <param name="IsGone">Its node does not answer.</param>
    private readonly record struct Watched(long Since, bool WasHeard, bool IsUp = false, bool IsGone = false);

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        await using var probes = new GatewayProbes(loops, time, bell.Ring);
        dataplane.Telling += bell.Ring;
        bfd.Changed += bell.Ring;
        bell.Ring();
        try
        {
            while (true)
            {
                var tidings = dataplane.Tidings;
                await loop.WaitForAsync(probes.HaveAsync(tidings.Probed)).ConfigureAwait(false);
                var (silent, left) = probes.Now;
                Look(tidings, silent.Keys);
                await loop.WaitForAsync(TellFailingAsync(silent)).ConfigureAwait(false);
                // While flows of others are waited for, what the process before has announced is theirs, or still this node's.
                if (!ReferenceEquals(tidings, EgressTidings.None) && (said != null || !tidings.IsBehind))
                    await loop.WaitForAsync(SayAsync(tidings.Announced)).ConfigureAwait(false);
                await loop.WaitForAsync(claimed.HaveAsync(tidings.Claimed)).ConfigureAwait(false);
                await loop.WaitForAsync(TellAsync(tidings.Probing)).ConfigureAwait(false);
                if (Suspects(tidings.Probing) is { Length: > 0 } suspects)
                {
                    await loop.WaitForAsync(AskAsync(suspects, tidings.Probing)).ConfigureAwait(false);
                    await loop.WaitForAsync(TellAsync(tidings.Probing)).ConfigureAwait(false);
                }
                var patience = new[] { Patience(tidings.Probing), left + Tick }.Min();
                loop.Rest();
                if (patience is { } wait) await bell.HeardAsync(wait, time, stop).ConfigureAwait(false);
                else await bell.HeardAsync(stop).ConfigureAwait(false);
                loop.Beat();
            }
        }
        finally
        {
            dataplane.Telling -= bell.Ring;
            bfd.Changed -= bell.Ring;
            await claimed.HaveAsync([]).ConfigureAwait(false);
        }
    }

    /// <summary>An address that several nodes may have bears their order as its MED, so that a router that is told of two ways takes the
    /// one that the pods' nodes take, too.</summary>
    private async Task SayAsync(ListOf<EgressAnnounced> addresses)
    {
        if (addresses == said) return;
        await announced.SetAsync([.. addresses.Select(one => new RouteMove(new(one.Address, one.Address.Family.Bits()), true)
        {
            Med = one.Place,
        })]).ConfigureAwait(false);
        said = addresses;
    }

    private async Task TellAsync(EgressProbing probing)
    {
        ImmutableHashSet<Address> now = [.. watched.Where(one => IsLost(one.Value, probing)).Select(one => one.Key.Peer)];
        if (now.SetEquals(unheard)) return;
        await dataplane.TellUnheardAsync(unheard = now).ConfigureAwait(false);
    }

    private async Task TellFailingAsync(ImmutableDictionary<ResourceKey, string> here)
    {
        // Whoever says more behind his packets does not mean the one word that they have room for.
        var said = bfd.Current.Where(one => one.State == BfdState.Up && watched.ContainsKey(one.Key))
            .Select(one => (one.Key.Peer, Word: one.RemoteDiagnostic, Remark: GatewayRemark.Read(one.RemoteRemark.Items))).ToArray();
        var now = new EgressFailing(here,
        [
            .. said.Where(one => one.Remark == null ? one.Word == BfdDiagnostic.ConcatenatedPathDown : one.Remark.Failing == null)
                .Select(one => one.Peer),
        ])
        {
            There = [.. said.SelectMany(one => one.Remark?.Failing ?? [], (one, gateway) => (one.Peer, gateway))],
            Behind = [.. said.Where(one => one.Remark?.IsBehind ?? one.Word == BfdDiagnostic.ForwardingPlaneReset).Select(one => one.Peer)],
        };
        if (now.Says(failing)) return;
        await dataplane.TellFailingAsync(failing = now).ConfigureAwait(false);
    }

    private bool IsUp(BfdKey key) => bfd.Current.Any(one => one.Key == key && one.State == BfdState.Up);

    private bool IsLost(Watched known, EgressProbing probing) => !known.IsUp
        && (known.IsGone || time.GetElapsedTime(known.Since) >= (known.WasHeard ? probing.RestartTime : Believed));

    /// <summary>Their daemons are not heard any more: their nodes may be there all the same, and forward as they did.</summary>
    private BfdKey[] Suspects(EgressProbing probing) =>
        [.. watched.Where(one => one.Value is { IsUp: false, WasHeard: true } && !IsLost(one.Value, probing)).Select(one => one.Key)];

    /// <param name="silent">Gateways that are this node, whose targets do not answer.</param>
    private void Look(EgressTidings tidings, IEnumerable<ResourceKey> silent)
    {
        var (saysPathDown, remark) = (silent.Any(), GatewayRemark.Of(tidings.IsBehind, silent, BfdTarget.LongestRemark).Write());
        var (probing, now) = (tidings.Probing, time.GetTimestamp());
        var times = new BfdTimes(probing.Interval, probing.Interval, probing.Multiplier);
        var targets = tidings.Watched.Select(one => new BfdTarget(
            new(one.Host, one.Interface, Multihop: one.Interface == 0), times, one.Local)
        {
            SaysPathDown = saysPathDown,
            SaysReset = tidings.IsBehind,
            Remark = remark,
        }).ToImmutableArray();
        foreach (var gone in watched.Keys.Except(targets.Select(target => target.Key)).ToArray()) watched.Remove(gone);
        foreach (var target in targets) watched.TryAdd(target.Key, new(now, false));
        bfd.Want(targets);
        foreach (var (key, known) in watched.ToArray())
            if (IsUp(key) is var isUp && isUp != known.IsUp) watched[key] = new(now, known.WasHeard || isUp, isUp);
    }

    /// <returns>When one is believed no more, or is to be asked again; null: there is none.</returns>
    private TimeSpan? Patience(EgressProbing probing)
    {
        var waits = watched.Values.Where(one => one is { IsUp: false, WasHeard: false } && !IsLost(one, probing))
            .Select(one => Believed - time.GetElapsedTime(one.Since)).ToList();
        if (Suspects(probing).Length > 0) waits.Add(probing.Interval);
        return waits.Count == 0 ? null : waits.Min() is var least && least > TimeSpan.Zero ? least : TimeSpan.Zero;
    }

    private async Task AskAsync(BfdKey[] suspects, EgressProbing probing)
    {
        var answers = await Task.WhenAll(suspects.Select(one => AnswersAsync(one.Peer, probing))).ConfigureAwait(false);
        for (var at = 0; at < suspects.Length; at++)
            if (!answers[at]) watched[suspects[at]] = watched[suspects[at]] with { IsGone = true };
    }

    /// <summary>Whether the node's kernel is there, which needs no daemon to answer.</summary>
    private static async Task<bool> AnswersAsync(Address host, EgressProbing probing)
    {
        using var ping = new Ping();
        for (var sent = 0; sent < probing.Multiplier; sent++)
            try
            {
                var answer = await ping.SendPingAsync(host.ToIPAddress(), probing.Interval).ConfigureAwait(false);
                if (answer.Status == IPStatus.Success) return true;
            }
            catch (Exception refused) when (refused is PingException or PlatformNotSupportedException)
            {
                return false; // no way there, or no right to ask
            }
        return false;
    }
}
