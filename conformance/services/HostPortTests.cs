using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>Host ports of a pod on this node as packets; the first backend is the pod, another one stands where portmap leads.</summary>
public sealed class HostPortTests : IAsyncLifetime
{
    private const int HostPort = 8081;
    private static readonly bool[] Both = [false, true];

    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static string Objects(string node = "node1") => ServiceSite.Objects + $$"""
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: web, namespace: shop }
        spec:
          nodeName: {{node}}
          containers:
            - name: web
              ports:
                - { containerPort: {{Port}}, hostPort: {{HostPort}} }
                - { containerPort: {{Port}}, hostPort: {{HostPort}}, protocol: UDP }
                - { containerPort: {{Port}}, hostPort: {{HostPort + 1}}, hostIP: {{Gateway(2, false)}} }
        status: { phase: Running, podIPs: [{ ip: {{Backend(0, false)}} }, { ip: "{{Backend(0, true)}}" }] }

        """;

    private async Task<string> AskAsync(Netns from, string source, string address, int port, bool tcp, int attempts = 4) =>
        await Answerer.AskAsync(from, source, address, port, tcp, attempts: attempts) is { } answer
            ? $"{answer.Server} sees {answer.Seen.Address}" : "nobody";

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Who_calls_the_nodes_port_gets_the_pod_which_sees_him_whatever_portmap_says()
    {
        using var folder = new Scratch();
        var file = folder.PathOf("all.yaml");
        await File.WriteAllTextAsync(file, Objects());
        // As CNI's portmap has it: in the chain that everybody uses, and to another place, so that one sees who was first.
        site.Node.Tell($$"""
            table ip portmap {
              chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                fib daddr type local tcp dport {{HostPort}} dnat to {{Backend(1, false)}}:{{Port}}
              }
            }

            """, "nft", "-f", "-");
        await site.StartAsync($"sources: [{{ files: {folder.PathOf("")} }}]\nservices: {{ kubernetes: true }}");
        await site.TableAsync(table => table.Contains($"{HostPort}", StringComparison.Ordinal), "its host ports are there");
        foreach (var six in Both)
        {
            var (own, client, pod) = (six ? Node6 : Node4, six ? Client6 : Client4, Backend(0, six));
            foreach (var tcp in Both)
            {
                Assert.Equal($"{pod} sees {client}", await AskAsync(site.Client, client, own, HostPort, tcp));
                Assert.Equal($"{pod} sees {own}", await AskAsync(site.Node, own, own, HostPort, tcp));
                Assert.Equal($"{pod} sees {Gateway(0, six)}", await AskAsync(site.Backends[0], pod, own, HostPort, tcp));
                Assert.Equal($"{pod} sees {Backend(2, six)}", await AskAsync(site.Backends[2], Backend(2, six), own, HostPort, tcp));
            }
            Assert.Equal("nobody", await AskAsync(site.Client, client, own, HostPort + 1, tcp: true, attempts: 1));
        }
        Assert.Equal($"{Backend(0, false)} sees {Client4}",
            await AskAsync(site.Client, Client4, Gateway(2, false), HostPort + 1, tcp: true));

        // Without it portmap is asked.
        await site.ReloadAsync($"sources: [{{ files: {folder.PathOf("")} }}]\nservices: {{ kubernetes: true, hostPorts: false }}");
        await site.TableAsync(table => !table.Contains($"{HostPort}", StringComparison.Ordinal), "its host ports are gone");
        Assert.Equal($"{Backend(1, false)} sees {Client4}", await AskAsync(site.Client, Client4, Node4, HostPort, tcp: true));
        await site.ReloadAsync($"sources: [{{ files: {folder.PathOf("")} }}]\nservices: {{ kubernetes: true }}");
        await site.TableAsync(table => table.Contains($"{HostPort}", StringComparison.Ordinal), "its host ports are back");
        Assert.Equal($"{Backend(0, false)} sees {Client4}", await AskAsync(site.Client, Client4, Node4, HostPort, tcp: true));

        // A pod of another node is that one's affair.
        await File.WriteAllTextAsync(file, Objects("node2"));
        await site.TableAsync(table => !table.Contains($"{HostPort}", StringComparison.Ordinal), "its host ports are gone with it");
        Assert.Equal("nobody", await AskAsync(site.Client, Client4, Node4, HostPort, tcp: false, attempts: 1));
    }
}
