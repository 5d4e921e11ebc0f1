using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>
/// A Kubernetes API server that nodes in namespaces reach, and a hand that edits its objects. Objects are given as Calico's API spells
/// them, and lie there as they do in a cluster: in crd.projectcalico.org/v1, and nodes' in annotations.
/// </summary>
internal abstract partial class ApiServer : IAsyncDisposable
{
    /// <summary>Who applies, as the server notes it of each object (<c>managedFields</c>).</summary>
    protected const string Manager = "calico-bgp-conformance";

    protected const string CalicoGroup = "crd.projectcalico.org";

    private static readonly Dictionary<string, string> Paths = new()
    {
        ["Node"] = "/api/v1/nodes",
        ["Service"] = "/api/v1/namespaces/NS/services",
        ["Secret"] = "/api/v1/namespaces/NS/secrets",
        ["EndpointSlice"] = "/apis/discovery.k8s.io/v1/namespaces/NS/endpointslices",
        ["CustomResourceDefinition"] = Definitions,
        ["ClusterRole"] = "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        ["ClusterRoleBinding"] = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    };

    protected const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    private readonly HttpClient client;

    /// <param name="way">By which the hand reaches the server.</param>
    protected ApiServer(SocketsHttpHandler way) => client = new(way);

    /// <summary>By which a daemon in a namespace reaches the server.</summary>
    public abstract string Kubeconfig { get; }

    /// <summary>As <c>sources</c> of bgpd.yaml name it.</summary>
    public string Source => $"{{ kubernetes: {{ kubeconfig: {Kubeconfig} }} }}";

    /// <summary>Where the hand finds it, and as whom it comes.</summary>
    protected abstract Task<(string Url, string? Token)> DoorAsync();

    /// <summary>The cluster that <c>KUBECONFIG_FOR_TESTS</c> names; else a server of the tests' own.</summary>
    /// <param name="space">Where it is.</param>
    /// <param name="address">Of that namespace; others reach it by this.</param>
    public static async Task<ApiServer> StartAsync(Netns space, string address) =>
        Needs.NamedCluster is { } kubeconfig ? await NamedCluster.JoinAsync(kubeconfig, space, address)
            : await KubeApi.StartAsync(space, address);

    /// <summary>Nodes reach it no more, from one moment to the next; edits do where <see cref="BesideAsync"/> was asked
    /// before.</summary>
    public abstract Task KillAsync();

    public abstract Task RestartAsync(params string[] options);

    /// <summary>The same.</summary>
    /// <returns>When its port was open again, and when it answered with a list of Calico's, by <see cref="Stopwatch"/>.</returns>
    public abstract Task<(long Listened, long Served)> ReturnAsync();

    /// <summary>A way for edits, until it is disposed of, whatever becomes of the server that nodes reach; null: they have one
    /// anyway.</summary>
    public abstract Task<IAsyncDisposable?> BesideAsync();

    /// <summary>Server-side apply, as kubectl does it; a status goes in by its own door.</summary>
    public async Task ApplyAsync(params IEnumerable<Manifest> objects)
    {
        foreach (var one in objects)
        {
            var text = Spelled(one);
            await MakeReadyAsync(one, $"{PathOf(one)}/{one.Name}");
            await SendAsync(HttpMethod.Patch, $"{PathOf(one)}/{one.Name}?fieldManager={Manager}&force=true", text);
            if (one.Text.Contains("\nstatus:", StringComparison.Ordinal))
                await SendAsync(HttpMethod.Patch, $"{PathOf(one)}/{one.Name}/status?fieldManager={Manager}&force=true", text);
        }
    }

    /// <summary>Before an object is applied.</summary>
    protected virtual Task MakeReadyAsync(Manifest one, string path) => Task.CompletedTask;

    public Task DeleteAsync(Manifest one) => SendAsync(HttpMethod.Delete, $"{PathOf(one)}/{one.Name}", null);

    /// <exception cref="MachineException">The server answers, and it is no.</exception>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public async Task<string> SendAsync(HttpMethod method, string path, string? body, string type = "application/apply-patch+yaml")
    {
        var (url, token) = await DoorAsync();
        return Worked(await AskAsync(url, token, method, path, body, type), method, path, body);
    }

    /// <summary>Null: there is no such thing.</summary>
    protected async Task<JsonNode?> FindAsync(string path)
    {
        var (url, token) = await DoorAsync();
        var answer = await AskAsync(url, token, HttpMethod.Get, path);
        return answer.Code == HttpStatusCode.NotFound ? null : JsonNode.Parse(Worked(answer, HttpMethod.Get, path));
    }

    protected static string Worked((HttpStatusCode Code, string Said) answer, HttpMethod method, string path, string? body = null) =>
        (int)answer.Code is >= 200 and < 300 || (method == HttpMethod.Delete && answer.Code == HttpStatusCode.NotFound) ? answer.Said
            : throw new MachineException($"{method} {path} should have worked: {answer.Said}\n{body}");

    protected async Task<(HttpStatusCode Code, string Said)> AskAsync(
        string url, string? token, HttpMethod method, string path, string? body = null, string type = "application/apply-patch+yaml")
    {
        using var question = new HttpRequestMessage(method, url + path);
        if (token != null) question.Headers.Authorization = new("Bearer", token);
        if (body != null) question.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type));
        using var answer = await client.SendAsync(question);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static string PathOf(Manifest one) => Paths.GetValueOrDefault(one.Kind, Crd(one.Kind)).Replace(
        "NS", NamespaceLine().Match(one.Text) is { Success: true } match ? match.Groups[1].Value : "default");

    protected static string Crd(string kind) => $"/apis/{CalicoGroup}/v1/{Plural(kind)}";

    private static string Plural(string kind) => kind == "BlockAffinity" ? "blockaffinities"
        : $"{kind.ToLowerInvariant()}{(kind.EndsWith('s') ? "es" : "s")}";

    protected static bool IsCalicos(string kind) => !Paths.ContainsKey(kind);

    /// <summary>A kind of Calico's, any fields.</summary>
    public static Manifest Definition(string kind) => Manifest.Of($$$"""
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: {{{Plural(kind)}}}.{{{CalicoGroup}}}
        spec:
          group: {{{CalicoGroup}}}
          scope: Cluster
          names: { kind: {{{kind}}}, listKind: {{{kind}}}List, plural: {{{Plural(kind)}}}, singular: {{{kind.ToLowerInvariant()}}} }
          versions:
            - name: v1
              served: true
              storage: true
              schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
        """);

    private static string Spelled(Manifest one) => one.Kind switch
    {
        "Node" when one.Text.Contains("projectcalico.org/v3", StringComparison.Ordinal) => KubernetesNode(one),
        // No server takes one without ports.
        "Service" when !one.Text.Contains("ports:", StringComparison.Ordinal) =>
            one.Text.Replace("spec: { ", "spec: { ports: [{ port: 80 }], "),
        _ => one.Text.Replace("apiVersion: projectcalico.org/v3", $"apiVersion: {CalicoGroup}/v1"),
    };

    /// <summary>calico-node's start writes what it finds into annotations.</summary>
    private static string KubernetesNode(Manifest one)
    {
        var notes = new List<string>();
        foreach (var (field, annotation) in ((string, string)[])[("ipv4Address", "IPv4Address"), ("ipv6Address", "IPv6Address"),
            ("asNumber", "ASNumber"), ("routeReflectorClusterID", "RouteReflectorClusterID"), ("ipv4IPIPTunnelAddr", "IPv4IPIPTunnelAddr")])
            if (Regex.Match(one.Text, $@"{field}: *'?""?([^,'""}}\s]+)") is { Success: true } match)
                notes.Add($"projectcalico.org/{annotation}: '{match.Groups[1].Value}'");
        var labels = LabelsLine().Match(one.Text) is { Success: true } found ? found.Groups[1].Value : "{}";
        var metadata = $"{{ name: {one.Name}, labels: {labels}, annotations: {{ {string.Join(", ", notes)} }} }}";
        return $"apiVersion: v1\nkind: Node\nmetadata: {metadata}\n";
    }

    [GeneratedRegex(@"^  namespace:\s*(\S+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^  labels:\s*(\{.*\})", RegexOptions.Multiline)]
    private static partial Regex LabelsLine();

    public virtual ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }
}
