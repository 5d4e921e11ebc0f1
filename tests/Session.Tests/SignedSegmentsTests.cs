using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Session.Tests;

/// <summary>A password that the neighbour does not have: the kernel drops what is signed, and its counters are the only sign.</summary>
public class SignedSegmentsTests
{
    [Fact]
    public void The_counters_are_found_by_their_names() => Assert.Equal(
        new SignedSegments(7, 8, 9),
        SignedSegments.Parse(
        [
            "IpExt: InNoRoutes TCPMD5Failure", "IpExt: 1 2",
            "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted", "TcpExt: 1 7 8 9 0",
        ]));

    [Fact]
    public void A_kernel_without_them_has_none() => Assert.Null(SignedSegments.Parse(["IpExt: InNoRoutes", "IpExt: 1"]));

    [Fact]
    public void What_has_moved_is_told() => Assert.Equal(
        "meanwhile the kernel dropped segments of some neighbour: 2 with another password's signature (TCPMD5Failure), "
        + "1 unsigned, though a password is set here (TCPMD5NotFound)",
        new SignedSegments(1, 5, 3).Since(new(0, 5, 1)));

    [Fact]
    public void What_has_not_moved_is_not() => Assert.Null(new SignedSegments(1, 5, 3).Since(new(1, 5, 3)));

    [Fact]
    public async Task A_neighbour_that_does_not_answer_to_our_password_is_told_with_the_kernels_counters()
    {
        var (settings, _) = Loopback.Neighbours();
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), settings.PeerPort));
        deaf.Listen();
        await using var us = new Speaker(settings with { Password = "secret", ConnectRetryTime = TimeSpan.FromMilliseconds(500) });
        await Until.TrueAsync("it is told", () => us.Now.Faults.Why.Detail != null);
        Assert.Equal("No answer though a password is set", us.Now.Faults.Why.Text);
        // Both ends are in one namespace: the one without a password has counted.
        Assert.Contains("signed, though no password is set here (TCPMD5Unexpected)", us.Now.Faults.Why.Detail, StringComparison.Ordinal);
        Assert.Contains(us.Log.All, line => line.Contains("No answer though a password is set: meanwhile", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_with_another_password_is_told_where_we_only_wait()
    {
        var (settings, theirs) = Loopback.Neighbours();
        await using var us = new Speaker(settings with { Passive = true, Password = "secret" }, listen: Loopback.A);
        await using var caller = new Speaker(theirs with { Password = "another" });
        await Until.TrueAsync("it is told", () => us.Now.Hint?.Contains("with another password's signature (TCPMD5Failure)") == true);
    }
}
