using Calico.Bgp.Conformance.Fabric;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Etcd;

/// <summary>A rack's objects in an etcd; those that are Kubernetes' own in a folder beside it, in place of an API server.</summary>
internal sealed class EtcdObjects(EtcdStore etcd) : IObjects
{
    private readonly ResourceFolder kubernetes = new();
    private readonly Dictionary<(string Kind, string Name), Manifest> there = [];

    public string Source => $"{{ etcd: {{ endpoints: [\"{etcd.Endpoint}\"] }} }}, {kubernetes.Source}";

    private static bool IsCalicos(Manifest one) => one.Text.Contains("projectcalico.org/", StringComparison.Ordinal);

    // By threads of the pool: a test's own synchronisation context may have none but the one that waits.
    public void Apply(params Manifest[] objects)
    {
        foreach (var one in objects.Where(IsCalicos)) there[(one.Kind, one.Name)] = one;
        Task.Run(() => etcd.PutAsync(objects.Where(IsCalicos))).GetAwaiter().GetResult();
        kubernetes.Apply([.. objects.Where(one => !IsCalicos(one))]);
    }

    public void Delete(string kind, string name)
    {
        if (there.Remove((kind, name), out var one)) Task.Run(() => etcd.DeleteAsync(one)).GetAwaiter().GetResult();
        else kubernetes.Delete(kind, name);
    }

    public void Cordon(string node, bool cordoned) => kubernetes.Cordon(node, cordoned);

    public async ValueTask DisposeAsync()
    {
        await etcd.DisposeAsync();
        kubernetes.Dispose();
    }
}
