using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What others ask and tell of egress gateways.</summary>
public sealed partial class DataplaneLoop
{
    private volatile Lazy<EgressView> egressView;
    private volatile EgressTidings tidings = EgressTidings.None;

    public EgressView Egress => egressView.Value.As(kernel.Status) with
    {
        FlowLog = flowLog.View,
        Replication = replication.View,
        Counts = egressCounts.Now,
    };

    /// <summary>What others do for egress gateways, as of now.</summary>
    public EgressTidings Tidings => tidings;

    /// <summary>Called on the dataplane's loop after <see cref="Tidings"/> has changed; must not block.</summary>
    public event Action? Telling;

    /// <summary>Those of <see cref="EgressTidings.Watched"/> that are not heard.</summary>
    public ValueTask TellUnheardAsync(ImmutableHashSet<Address> unheard) => inbox.Writer.WriteAsync(new DataplaneNews.Unheard(unheard));

    /// <summary>Gateways of <see cref="EgressTidings.Probed"/>, and nodes of others, that lead nowhere.</summary>
    public ValueTask TellFailingAsync(EgressFailing now) => inbox.Writer.WriteAsync(new DataplaneNews.Failing(now));

    public Task<EgressExplanation?> ExplainEgressAsync(ResourceKey pod, Address destination, CancellationToken stop = default) =>
        EgressAsync(known => known.Explain(pod, destination, kernel.Status), stop);

    public async Task<EgressFlowCounts?> CountEgressFlowsAsync(CancellationToken stop = default) =>
        await EgressAsync(known => known.Flows, stop).ConfigureAwait(false) is { } flows ? EgressFlowCounts.Read(flows) : null;

    private async Task<T> EgressAsync<T>(Func<Egress.Egress, T> look, CancellationToken stop)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await inbox.Writer.WriteAsync(new DataplaneNews.AskEgress(known => answer.TrySetResult(look(known))), stop).ConfigureAwait(false);
        return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    private void Say(Egress.Egress known)
    {
        egressView = known.View;
        var newer = new EgressTidings(known.Announced, known.Watched, known.Probing)
        {
            Claimed = known.Claimed,
            Probed = known.Probed,
            IsBehind = known.IsBehind,
        };
        if (newer == tidings) return;
        tidings = newer;
        Telling?.Invoke();
    }
}
