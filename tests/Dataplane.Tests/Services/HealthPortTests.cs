using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Services;

public sealed class HealthPortTests : IDisposable
{
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly Loops loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (_, defect) => throw defect);

    public void Dispose() => http.Dispose();

    private static HealthCheck Of(int endpoints, int port = 0) => new((ushort)port, new("shop", "web"), endpoints);

    [Fact]
    public async Task A_load_balancer_is_answered_as_by_kube_proxy_with_what_holds_now()
    {
        await using var port = new HealthPort(Of(2), loops, TimeProvider.System);
        var at = new Uri($"http://127.0.0.1:{port.LocalPort}/healthz");
        using (var good = await http.GetAsync(at))
        {
            Assert.Equal((HttpStatusCode.OK, "application/json"), (good.StatusCode, good.Content.Headers.ContentType?.MediaType));
            Assert.Equal("2", Assert.Single(good.Headers.GetValues("X-Load-Balancing-Endpoint-Weight")));
            Assert.Equal("""{"service":{"namespace":"shop","name":"web"},"localEndpoints":2,"serviceProxyHealthy":true}""",
                (await good.Content.ReadFromJsonAsync<JsonNode>())!.ToJsonString());
        }
        port.Now = Of(0);
        using var bad = await http.GetAsync(at);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, 0),
            (bad.StatusCode, (int)(await bad.Content.ReadFromJsonAsync<JsonNode>())!["localEndpoints"]!));
        using var head = await http.SendAsync(new(HttpMethod.Head, at));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, head.StatusCode);
    }

    [Fact]
    public async Task A_client_that_says_nothing_holds_up_no_other_and_ends_with_the_port()
    {
        var port = new HealthPort(Of(1), loops, TimeProvider.System);
        using var silent = new TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, port.LocalPort);
        using var good = await http.GetAsync(new Uri($"http://127.0.0.1:{port.LocalPort}/"));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        await port.DisposeAsync();
        Assert.Empty(loops.Status);
    }

    [Fact]
    public async Task A_port_that_somebody_else_has_is_tried_again_until_it_is_free()
    {
        await using var ports = new HealthPorts(loops, TimeProvider.System, NullLogger.Instance);
        var check = Of(1, Ports.Next("127.0.0.1"));
        using var taken = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        taken.Bind(new IPEndPoint(IPAddress.IPv6Any, check.Port));
        taken.Listen();
        await ports.HaveAsync([check]);
        Assert.Empty(loops.Status);
        Assert.StartsWith($"Service/shop/web: health check port {check.Port} is not to be had", Assert.Single(ports.Problems).ToString(),
            StringComparison.Ordinal);
        taken.Dispose();
        await ports.HaveAsync([check]);
        Assert.Empty(ports.Problems);
        Assert.Single(loops.Status);
        await ports.HaveAsync([]);
        Assert.Empty(loops.Status);
    }
}
