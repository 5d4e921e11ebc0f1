using Calico.Bgp.Conformance.Fabric;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>A rack's objects in an API server.</summary>
internal sealed class ClusterObjects(ApiServer api) : IObjects
{
    private readonly Dictionary<(string Kind, string Name), Manifest> there = [];

    public ApiServer Api => api;
    public string Source => api.Source;

    // By threads of the pool: a test's own synchronisation context may have none but the one that waits.
    public void Apply(params Manifest[] objects)
    {
        foreach (var one in objects) there[(one.Kind, one.Name)] = one;
        Task.Run(() => api.ApplyAsync(objects)).GetAwaiter().GetResult();
    }

    public void Delete(string kind, string name)
    {
        if (there.Remove((kind, name), out var one)) Task.Run(() => api.DeleteAsync(one)).GetAwaiter().GetResult();
    }

    public void Cordon(string node, bool cordoned)
    {
        var patch = $$$"""{"spec":{"unschedulable":{{{(cordoned ? "true" : "null")}}}}}""";
        Task.Run(() => api.SendAsync(HttpMethod.Patch, $"/api/v1/nodes/{node}", patch, "application/merge-patch+json"))
            .GetAwaiter().GetResult();
    }

    public ValueTask DisposeAsync() => api.DisposeAsync();
}
