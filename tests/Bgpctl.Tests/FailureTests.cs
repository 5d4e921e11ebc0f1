using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Bgpctl.Tests;

public sealed class FailureTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task An_unknown_peer_is_told_the_known_ones()
    {
        Assert.Equal(1, await lab.RunAsync("peers", "tor7"));
        Assert.Equal("bgpctl: expected the name of a peer (tor1, node2, new-tor, off), got \"tor7\"\n", lab.Errors.ToString());
    }

    [Fact]
    public async Task Without_a_socket_it_is_said_what_was_tried()
    {
        await lab.StopServerAsync();
        Assert.Equal(1, await lab.RunAsync("status"));
        Assert.StartsWith($"bgpctl: is bgpd running? tried {lab.Socket}: there is no such socket", lab.Errors.ToString());
    }

    [Fact]
    public async Task A_socket_that_nobody_serves_is_told_apart()
    {
        await lab.StopServerAsync();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(lab.Socket));
        Assert.Equal(1, await lab.RunAsync("status"));
        Assert.Contains("nobody answers", lab.Errors.ToString());
    }

    [Fact]
    public async Task A_daemon_that_does_not_know_the_path_is_called_too_old() => await AnswerAsync(
        "404 Not Found", """{"error":"expected one of /live, /ready, got /v1/status"}""",
        "does not know /v1/status (it answered 404): it is older than this bgpctl");

    [Fact]
    public async Task An_answer_that_lacks_a_field_is_called_another_release() =>
        await AnswerAsync("200 OK", """{"version":"0.0.1"}""", "different releases");

    [Theory]
    [InlineData("routes 10.0.0/8", "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, or an address, got \"10.0.0/8\"")]
    [InlineData("routes --received", "expected --peer P beside --received, got none")]
    [InlineData("routes --peer tor1 --received --advertised", "expected one of --received, --advertised, --filtered and --best")]
    [InlineData("peers tor1 explode", "explode")]
    [InlineData("weather", "weather")]
    [InlineData("", "command")]
    public async Task Misuse_ends_with_2_and_says_what_was_expected(string command, string error)
    {
        Assert.Equal(2, await lab.RunAsync(command.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains(error, lab.Errors.ToString());
    }

    private async Task AnswerAsync(string status, string body, string expected)
    {
        await lab.StopServerAsync();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(lab.Socket));
        listener.Listen();
        var head = $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        var served = ServeAsync(listener, head + body);
        Assert.Equal(1, await lab.RunAsync("status"));
        await served;
        Assert.Contains(expected, lab.Errors.ToString());
    }

    private static async Task ServeAsync(Socket listener, string answer)
    {
        using var client = await listener.AcceptAsync();
        await client.ReceiveAsync(new byte[4096]);
        await client.SendAsync(Encoding.UTF8.GetBytes(answer));
    }
}
