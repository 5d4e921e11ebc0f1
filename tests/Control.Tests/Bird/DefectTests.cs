namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>What a defect in this room's loops does: a client's ends that client; the socket's ends the process.</summary>
public sealed class DefectTests
{
    [Fact]
    public async Task A_clients_defect_ends_that_client_and_no_other()
    {
        await using var socket = new SocketFixture(new());
        using var other = socket.Connect();
        other.ReadReply();
        using var struck = socket.Connect();
        struck.ReadReply();
        socket.Loops.Provoke("birdc client");
        Assert.ThrowsAny<Exception>(() => struck.Ask("show status"));
        Assert.Contains("Daemon is up and running", other.Ask("show status"), StringComparison.Ordinal);
        Assert.False(socket.Ended.IsCompleted);
        Assert.Null(socket.Loops.NotLiveBecause);
    }

    [Fact]
    public async Task A_socket_that_meets_a_defect_ends_the_process()
    {
        await using var socket = new SocketFixture(new());
        socket.Loops.Provoke("birdc socket");
        using var client = socket.Connect();
        Assert.Equal("birdc socket", await socket.Ended.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal($"the loop birdc socket {socket.Path} has ended on a defect", socket.Loops.NotLiveBecause);
    }
}
