using System.Collections.Immutable;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker;

/// <content>Whom BFD watches, and what follows.</content>
public sealed partial class SpeakerLoop
{
    /// <summary>Whom BFD is to watch may be others afterwards, or stand on other links.</summary>
    private static bool MovesNeighbours(SpeakerNews news) => news
        is SpeakerNews.Begin or SpeakerNews.TakeOver or SpeakerNews.Configure or SpeakerNews.KernelMoved or SpeakerNews.Order
        or SpeakerNews.Called or SpeakerNews.RouterHeard or SpeakerNews.PatienceEnded;

    private async Task HearOfNeighboursAsync()
    {
        bfdNews.Hear();
        foreach (var peer in Bfd.Tell(peers.Values)) GiveUp(peer);
        await JudgeOwnRoutesAsync().ConfigureAwait(false);
        Moved?.Invoke();
    }

    private async Task WatchAsync()
    {
        Bfd.Look(Peers, Config.Routes, latest);
        await JudgeOwnRoutesAsync().ConfigureAwait(false);
    }

    private void SetOwnRoutes(ImmutableArray<OwnRouteConfig> judged)
    {
        OwnRouteList = judged;
        OwnRoutes = judged.ToImmutableDictionary(route => route.Prefix);
    }

    /// <summary>Gateways of own routes may be heard now, or no longer.</summary>
    private async Task JudgeOwnRoutesAsync()
    {
        var judged = Bfd.Judge(Config.Routes);
        if (judged == OwnRouteList || judged.AsSpan().SequenceEqual(OwnRouteList.AsSpan())) return;
        SetOwnRoutes(judged);
        Rib.NextHopsChanged(NextHopsBy(latest));
        fib?.Configure(Config.Kernel, OwnRoutes);
        foreach (var source in Sources)
            if (!source.MovesItself && source.Origin == RouteOrigin.Static)
                await source.SetAsync(WantedOf(source, latest)).ConfigureAwait(false);
    }
}
