using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// What egress gateways need of the other rooms: the speaker announces the addresses that this node is the gateway of, BFD watches the
/// nodes that hand packets to each other, and the dataplane hears who of them is lost. One that was heard is lost when it is not heard any
/// more; one that has never been heard is believed to be there for a while, so that a daemon that begins takes nothing away that works.
/// </summary>
internal sealed class GatewayObserver(RouteProducer announced, IBfd bfd, DataplaneLoop dataplane, TimeProvider time)
{
    /// <summary>A session that is not up sends once a second (RFC 5880 section 6.8.3), and needs three packets to come up.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(10);

    private readonly Bell bell = new();
    private readonly Dictionary<BfdKey, (long Since, bool WasHeard)> watched = [];
    private ListOf<Address> said = [];
    private ImmutableHashSet<Address> unheard = [];

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        dataplane.Telling += bell.Ring;
        bfd.Changed += bell.Ring;
        bell.Ring();
        try
        {
            while (true)
            {
                var patience = Look(dataplane.Tidings);
                await loop.WaitForAsync(SayAsync(dataplane.Tidings.Announced)).ConfigureAwait(false);
                await loop.WaitForAsync(TellAsync()).ConfigureAwait(false);
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
        }
    }

    private async Task SayAsync(ListOf<Address> addresses)
    {
        if (addresses == said) return;
        await announced.SetAsync([.. addresses.Select(address => new RouteMove(new(address, address.Family.Bits()), true))])
            .ConfigureAwait(false);
        said = addresses;
    }

    private async Task TellAsync()
    {
        ImmutableHashSet<Address> now = [.. watched.Where(one => IsLost(one.Key, one.Value)).Select(one => one.Key.Peer)];
        if (now.SetEquals(unheard)) return;
        await dataplane.TellUnheardAsync(unheard = now).ConfigureAwait(false);
    }

    private bool IsUp(BfdKey key) => bfd.Current.Any(one => one.Key == key && one.State == BfdState.Up);

    private bool IsLost(BfdKey key, (long Since, bool WasHeard) known) =>
        !IsUp(key) && (known.WasHeard || time.GetElapsedTime(known.Since) >= Believed);

    /// <returns>How long until one that was never heard is believed no more; null: there is none.</returns>
    private TimeSpan? Look(Dataplane.Egress.EgressTidings tidings)
    {
        var (probing, now) = (tidings.Probing, time.GetTimestamp());
        var times = new BfdTimes(probing.Interval, probing.Interval, probing.Multiplier);
        var targets = tidings.Watched.Select(one => new BfdTarget(
            new(one.Host, one.Interface, Multihop: one.Interface == 0), times, one.Local)).ToImmutableArray();
        foreach (var gone in watched.Keys.Except(targets.Select(target => target.Key)).ToArray()) watched.Remove(gone);
        foreach (var target in targets) watched.TryAdd(target.Key, (now, false));
        bfd.Want(targets);
        foreach (var heard in watched.Keys.Where(IsUp).ToArray()) watched[heard] = (now, true);
        var waits = watched.Values.Where(one => !one.WasHeard && time.GetElapsedTime(one.Since, now) < Believed)
            .Select(one => Believed - time.GetElapsedTime(one.Since, now)).ToArray();
        return waits.Length == 0 ? null : waits.Min();
    }
}
