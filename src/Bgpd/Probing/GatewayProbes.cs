using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Bgpd.Probing;

/// <summary>Targets upstream of the gateways that this node is. A gateway is believed to lead somewhere until they have been silent for
/// their time, so that a daemon that begins takes nothing away that works.</summary>
/// <param name="changed">A target has answered that may not have before. From any thread; must not block.</param>
internal sealed class GatewayProbes(Loops loops, TimeProvider time, Action changed) : IAsyncDisposable
{
    private readonly Dictionary<EgressProbed, UpstreamProbes> asked = [];

    /// <summary>These are asked from now on, and no others.</summary>
    public async Task HaveAsync(ListOf<EgressProbed> wanted)
    {
        foreach (var gone in asked.Keys.Except(wanted).ToArray())
        {
            await asked[gone].DisposeAsync().ConfigureAwait(false);
            asked.Remove(gone);
        }
        foreach (var one in wanted)
            if (!asked.ContainsKey(one))
                asked[one] = new($"{one.Gateway}", [.. one.Probes], one.Mark, isBelieved: true, loops, time, changed);
    }

    /// <summary>One look for all: who leads nowhere, and how long until that may be another.</summary>
    public (ImmutableDictionary<ResourceKey, string> Failing, TimeSpan? Left) Now
    {
        get
        {
            var verdicts = asked.ToDictionary(one => one.Key.Gateway, one => one.Value.Now);
            return (verdicts.Where(one => one.Value.Problem != null).ToImmutableDictionary(one => one.Key, one => one.Value.Problem!),
                verdicts.Values.Min(verdict => verdict.Left));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in asked.Values) await one.DisposeAsync().ConfigureAwait(false);
    }
}
