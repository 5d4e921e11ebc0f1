using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Answers;

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

    [Theory]
    [InlineData("routes --peer tor7", "a source of routes (kernel1, tor1, node2, new-tor, off)")]
    [InlineData("routes --peer tor7 --best", "a source of routes (kernel1, tor1, node2, new-tor, off)")]
    [InlineData("routes --peer tor7 --received", "a peer (tor1, node2, new-tor, off)")]
    [InlineData("explain peer tor7", "a peer (tor1, node2, new-tor, off)")]
    public async Task A_selection_that_names_nothing_is_told_what_there_is(string command, string known)
    {
        Assert.Equal(1, await lab.RunAsync(command.Split(' ')));
        Assert.Equal(("", $"bgpctl: expected the name of {known}, got \"tor7\"\n"), (lab.Output.ToString(), lab.Errors.ToString()));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("peers --json")]
    [InlineData("--help")]
    public async Task An_answer_that_cannot_be_written_is_said_and_no_success(string command)
    {
        using var full = new StreamWriter(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1));
        var words = command.Split(' ').Append("--socket").Append(lab.Socket).ToArray();
        Assert.Equal(1, await Commands.RunAsync(words, new Screen(full, lab.Errors, null), TimeProvider.System));
        Assert.StartsWith("bgpctl: the answer cannot be written: No space left on device", lab.Errors.ToString());
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
    public async Task Who_takes_over_from_another_is_waited_for()
    {
        await lab.StopServerAsync();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(lab.Socket));
        var asking = lab.RunAsync("status");
        await Task.Delay(TimeSpan.FromMilliseconds(200)); // it has been refused once by then
        listener.Listen();
        var served = ServeAsync(listener, "0001 BIRD 2.0.12 ready.\n");
        Assert.Equal(1, await asking);
        listener.Dispose();
        await served;
        Assert.Contains("what it says is no HTTP", lab.Errors.ToString());
    }

    [Theory]
    [InlineData("404 Not Found", """{"code":"unknownPath","message":"expected one of /live, got /v1/status","where":"/v1/status"}""")]
    [InlineData("200 OK", """{"version":"0.0.1"}""")]
    [InlineData("404 Not Found", "<html>")]
    public async Task A_daemon_of_another_release_that_is_not_understood_is_told_by_its_version(string status, string body) =>
        Assert.StartsWith(
            $"bgpctl: this bgpctl is {Release.Version}, the daemon at {lab.Socket} 0.0.1: take both from one release (",
            await AnswerAsync(status, body, "Server: bgpd/0.0.1"));

    [Theory]
    [InlineData("404 Not Found", """{"error":"expected one of /live, /ready, got /v1/status"}""", "")]
    [InlineData("200 OK", """{"version":"0.0.1"}""", "")]
    [InlineData("404 Not Found", """{"code":"unknownPath","message":"not here","where":"/"}""", "Server: nginx/1.22.1")]
    public async Task Who_does_not_say_its_release_is_an_older_one_or_another_program(string status, string body, string server) =>
        Assert.Contains("it is an older one, or another program", await AnswerAsync(status, body, server));

    [Theory]
    [InlineData("404 Not Found", """{"code":"unknownPath","message":"expected one of /live","where":"/"}""", "expected one of /live\n")]
    [InlineData("200 OK", """{"version":"0.0.1"}""", "is not understood, though it is of this bgpctl's release")]
    public async Task The_same_release_is_not_called_another_one(string status, string body, string expected) =>
        Assert.Contains(expected, await AnswerAsync(status, body, $"Server: {Release.Server}"));

    [Theory]
    [InlineData("", "does not answer: it has hung up")]
    [InlineData("0001 BIRD 2.0.12 ready.\n", "does not answer: what it says is no HTTP; is it another program's socket?")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "bgpctl: bgpd has ended in the middle of its answer")]
    public async Task What_is_no_answer_is_told_in_plain_words(string octets, string expected) =>
        Assert.Contains(expected, await HearAsync(octets));

    [Fact]
    public async Task The_message_of_a_newer_daemons_error_is_shown_whatever_its_code() => Assert.Equal(
        "bgpctl: the moon is full\n",
        await AnswerAsync("409 Conflict", """{"code":"fullMoon","message":"the moon is full","where":"/"}""", "Server: bgpd/99.0"));

    [Theory]
    [InlineData("routes 10.0.0/8", "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, or an address, got \"10.0.0/8\"")]
    [InlineData("routes 10.0.0.1/8", "expected no host bits in a prefix (10.0.0.0/8), or an address alone, got \"10.0.0.1/8\"")]
    [InlineData("explain service web", "expected NAMESPACE/NAME, got \"web\"")]
    [InlineData("explain service /web", "expected NAMESPACE/NAME, got \"/web\"")]
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

    /// <returns>What bgpctl says of it.</returns>
    private Task<string> AnswerAsync(string status, string body, string field)
    {
        var fields = field.Length == 0 ? "" : field + "\r\n";
        var head = $"HTTP/1.1 {status}\r\n{fields}Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        return HearAsync(head + body);
    }

    /// <returns>What bgpctl says where this is answered.</returns>
    private async Task<string> HearAsync(string octets)
    {
        await lab.StopServerAsync();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(lab.Socket));
        listener.Listen();
        var served = ServeAsync(listener, octets);
        Assert.Equal(1, await lab.RunAsync("status"));
        listener.Dispose();
        await served;
        return lab.Errors.ToString();
    }

    /// <summary>Whoever calls: a client whose connection ends without an answer calls again. Until the listener is gone.</summary>
    private static async Task ServeAsync(Socket listener, string answer)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptAsync();
                await client.ReceiveAsync(new byte[4096]);
                await client.SendAsync(Encoding.UTF8.GetBytes(answer));
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The listener, or a client that did not wait for the end of what it is told.
        }
    }
}
