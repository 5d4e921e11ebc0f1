using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// Carries what the speaker knows (<see cref="RoutingWatch"/>) to the dataplane, which decides upstream NAT by it, in the dataplane's
/// words. While nothing moves, or nobody translates upstream, it does nothing. The longer a look takes, the longer it rests, so that a
/// storm of routes is not made worse.
/// </summary>
internal sealed class UpstreamObserver
{
    private const int RestFactor = 10;

    private readonly Bell bell = new();
    private readonly RoutingWatch watch;
    private readonly IKernel kernel;
    private readonly DataplaneLoop dataplane;
    private readonly TimeProvider time;
    private RoutesInUse routes = new();
    private RoutingFacts facts = RoutingFacts.None;
    private bool isAsked;

    public UpstreamObserver(SpeakerView speaker, IKernel kernel, DataplaneLoop dataplane, TimeProvider time)
    {
        (this.kernel, this.dataplane, this.time) = (kernel, dataplane, time);
        watch = new(speaker, bell);
    }

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        dataplane.Asking += bell.Ring;
        bell.Ring();
        try
        {
            while (true)
            {
                loop.Rest();
                await bell.HeardAsync(stop).ConfigureAwait(false);
                loop.Beat();
                var began = time.GetTimestamp();
                await LookAsync(dataplane.Question, stop).ConfigureAwait(false);
                loop.Rest();
                await Task.Delay(time.GetElapsedTime(began) * RestFactor, time, stop).ConfigureAwait(false);
            }
        }
        finally
        {
            dataplane.Asking -= bell.Ring;
            TurnTo(asked: false);
        }
    }

    private async Task LookAsync(RoutingQuestion question, CancellationToken stop)
    {
        TurnTo(question.IsAsked);
        if (!question.IsAsked) return;
        var isMoved = TakeArrived();
        var peers = new ListOf<PeerFact>([.. (await watch.PeersAsync(question.Pools, stop).ConfigureAwait(false)).Select(Fact)]);
        if (!isMoved && peers == facts.Peers) return;
        facts = new(peers, isMoved ? routes.Facts(watch.MetricOf) : facts.Routes);
        await dataplane.TellAsync(facts).ConfigureAwait(false);
    }

    private void TurnTo(bool asked)
    {
        if (asked == isAsked) return;
        isAsked = asked;
        if (asked) watch.Begin();
        else watch.End();
        (routes, facts) = (new(), RoutingFacts.None);
    }

    /// <returns>Whether any packet may go another way now.</returns>
    private bool TakeArrived()
    {
        var isMoved = false;
        HashSet<Prefix> others = [.. kernel.Current.Routes.Keys.Select(route => route.Prefix)];
        foreach (var change in watch.Arrived()) isMoved |= routes.Update(change.Prefix, change.Peers, others);
        return isMoved;
    }

    private static PeerFact Fact(PeerReach peer) => new(
        peer.Name, peer.Object is { Kind: var kind, Key.Name: var name } && kind == Kinds.BgpPeer ? name : null, peer.Established,
        peer.Announced, peer.DefaultCommunities);
}
