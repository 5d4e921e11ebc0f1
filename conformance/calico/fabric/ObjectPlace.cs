using Calico.Bgp.Conformance.Kubernetes;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>What kind of place a rack's objects lie in. CONFORMANCE_OBJECTS=kubernetes runs every scenario on an API server.</summary>
internal abstract class ObjectPlace
{
    public static readonly ObjectPlace Folder = new InFolder();
    public static readonly ObjectPlace Kubernetes = new InKubernetes();

    public static ObjectPlace Asked => Environment.GetEnvironmentVariable("CONFORMANCE_OBJECTS") switch
    {
        null or "" or "files" => Folder,
        "kubernetes" => Kubernetes,
        var other => throw new MachineException($"CONFORMANCE_OBJECTS: expected files or kubernetes, got {other}"),
    };

    /// <param name="rack"></param>
    /// <param name="tor">Whose bridge the nodes are joined to.</param>
    public abstract Task<IObjects> MakeAsync(Rack rack, Netns tor);

    private sealed class InFolder : ObjectPlace
    {
        public override Task<IObjects> MakeAsync(Rack rack, Netns tor) => Task.FromResult<IObjects>(new ResourceFolder());
    }

    private sealed class InKubernetes : ObjectPlace
    {
        private const string Address = "10.192.0.200";

        public override async Task<IObjects> MakeAsync(Rack rack, Netns tor) =>
            new ClusterObjects(await KubeApi.StartAsync(await rack.BesideAsync(tor, "api", Address), Address));
    }
}
