using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>A server of HTTP that answers whoever asks with the same, or takes him and says nothing; some have an answer of their
/// own.</summary>
internal sealed class HttpTarget : IDisposable
{
    private readonly Socket listener;
    private readonly ConcurrentBag<Socket> silent = [];
    private readonly ConcurrentDictionary<string, string?> own = [];

    public HttpTarget(Netns space, string address)
    {
        listener = space.Socket(AddressFamily.InterNetwork);
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        listener.Listen();
        Url = $"http://{address}:{Port}/well";
        _ = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public string Url { get; }

    /// <summary>The status line's last part; null: nothing.</summary>
    public string? Answer { get; set; }

    /// <summary>That address gets this one, whatever others get.</summary>
    public void AnswerTo(string address, string? answer) => own[address] = answer;

    private async Task ServeAsync()
    {
        try
        {
            while (true) _ = AnswerAsync(await listener.AcceptAsync());
        }
        catch (Exception closed) when (closed is ObjectDisposedException or SocketException) { }
    }

    private async Task AnswerAsync(Socket client)
    {
        var answer = own.GetValueOrDefault($"{((IPEndPoint)client.RemoteEndPoint!).Address}", Answer);
        if (answer == null)
        {
            silent.Add(client);
            return;
        }
        var location = answer.StartsWith('3') ? "Location: http://192.0.2.99/\r\n" : "";
        using (client)
            try
            {
                await client.ReceiveAsync(new byte[4096]);
                await client.SendAsync(Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 {answer}\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n"));
            }
            catch (SocketException) { } // who asked has gone
    }

    public void Dispose()
    {
        listener.Dispose();
        foreach (var client in silent) client.Dispose();
    }
}
