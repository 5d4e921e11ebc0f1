using System.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>The one thing that is written to a cluster: the status of a CalicoNodeStatus, at the door of its own that a status
/// has.</summary>
public sealed class StatusWriter : IDisposable
{
    /// <summary>Two who write at once; the server tries a few times itself.</summary>
    private const int Attempts = 3;

    private readonly ApiServer server;
    private readonly CalicoGroup group;

    public StatusWriter(KubernetesSettings settings, TimeProvider time)
    {
        server = new(() => ClusterAccess.Read(settings), time, () => { });
        group = new(server, settings.CalicoGroup, time);
    }

    /// <summary>Waits while the server is away.</summary>
    /// <param name="patch">A merge patch (RFC 7386) of <c>status</c>: what somebody else has written meanwhile is no obstacle.</param>
    /// <returns>Why it was not written; null: it was.</returns>
    public async Task<string?> WriteAsync(string name, byte[] patch, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var kind = await group.NameAsync(Kinds.CalicoNodeStatus, stop).ConfigureAwait(false);
                await server.PatchAsync($"{kind.Path()}/{name}/status", patch, stop).ConfigureAwait(false);
                return null;
            }
            catch (ApiRefusal conflict) when (conflict.Status == HttpStatusCode.Conflict && attempt < Attempts) { }
            catch (Exception not) when (not is ApiRefusal or ApiLost) { return not.Message; }
        }
    }

    public void Dispose()
    {
        group.Dispose();
        server.Dispose();
    }
}
