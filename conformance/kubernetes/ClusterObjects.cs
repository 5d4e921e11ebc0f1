using Calico.Bgp.Conformance.Fabric;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>A rack's objects in an API server.</summary>
internal sealed class ClusterObjects(KubeApi api) : IObjects
{
    public KubeApi Api => api;
    public string Source => api.Source;

    // By threads of the pool: a test's own synchronisation context may have none but the one that waits.
    public void Apply(params Manifest[] objects) => Task.Run(() => api.ApplyAsync(objects)).GetAwaiter().GetResult();

    public void Delete(string kind, string name) => Task.Run(() => api.DeleteAsync(kind, name)).GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => api.DisposeAsync();
}
