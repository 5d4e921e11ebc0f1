using Calico.Bgp.Conformance.Etcd;
using Calico.Bgp.Conformance.Kubernetes;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>What kind of place the objects lie in that nodes follow. CONFORMANCE_OBJECTS=kubernetes runs every scenario on an API server
/// (which KUBECONFIG_FOR_TESTS may name), and CONFORMANCE_OBJECTS=etcd on an etcd.</summary>
internal abstract class ObjectPlace
{
    public static readonly ObjectPlace Folder = new InFolder();
    public static readonly ObjectPlace Kubernetes = new InKubernetes();
    public static readonly ObjectPlace Etcd = new InEtcd();

    public static ObjectPlace Asked => Environment.GetEnvironmentVariable("CONFORMANCE_OBJECTS") switch
    {
        null or "" or "files" => Folder,
        "kubernetes" => Kubernetes,
        "etcd" => Etcd,
        var other => throw new MachineException($"CONFORMANCE_OBJECTS: expected files, kubernetes or etcd, got {other}"),
    };

    /// <param name="beside">A namespace for a server that the nodes reach: by the role and the address that it is to have.</param>
    public abstract Task<IObjects> MakeAsync(Func<string, string, Task<Netns>> beside);

    private sealed class InFolder : ObjectPlace
    {
        public override Task<IObjects> MakeAsync(Func<string, string, Task<Netns>> beside) =>
            Task.FromResult<IObjects>(new ResourceFolder());
    }

    private sealed class InKubernetes : ObjectPlace
    {
        private const string Address = "10.192.0.200";

        public override async Task<IObjects> MakeAsync(Func<string, string, Task<Netns>> beside) =>
            new ClusterObjects(await ApiServer.StartAsync(await beside("api", Address), Address));
    }

    private sealed class InEtcd : ObjectPlace
    {
        private const string Address = "10.192.0.201";

        public override async Task<IObjects> MakeAsync(Func<string, string, Task<Netns>> beside)
        {
            var etcd = new EtcdStore(await beside("etcd", Address), Address);
            await etcd.StartAsync();
            return new EtcdObjects(etcd);
        }
    }
}
