using System.Text;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>A port on which a kubelet hears whether a gateway pod is ready, whatever path it asks for.</summary>
public sealed class ReadinessPort : IAsyncDisposable
{
    private readonly ushort number;
    private readonly HealthPort port;

    /// <param name="number">0: any that is free.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The port is not to be had.</exception>
    public ReadinessPort(ushort number, Loops loops, TimeProvider clock)
    {
        this.number = number;
        port = new(new Readiness(number, false, "it begins"), loops, clock);
    }

    public int LocalPort => port.LocalPort;

    public void Say(bool isReady, string words) => port.Now = new Readiness(number, isReady, words);

    public ValueTask DisposeAsync() => port.DisposeAsync();

    private sealed record Readiness(ushort Port, bool IsReady, string Words) : HealthCheck(Port, default, IsReady ? 1 : 0)
    {
        public override byte[] Answer(bool withBody) => Encoding.UTF8.GetBytes(string.Join("\r\n",
        [
            IsReady ? "HTTP/1.1 200 OK" : "HTTP/1.1 503 Service Unavailable", "Content-Type: text/plain; charset=utf-8",
            "Connection: close", $"Content-Length: {Encoding.UTF8.GetByteCount(Words) + 1}", "", withBody ? Words + "\n" : "",
        ]));
    }
}
