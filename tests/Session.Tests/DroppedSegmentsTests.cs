using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Session.Tests;

/// <summary>A password that the neighbour does not have, a TTL that it does not send with: the kernel drops what comes, and its counters
/// are the only sign.</summary>
public class DroppedSegmentsTests
{
    [Fact]
    public void The_counters_are_found_by_their_names() => Assert.Equal(
        new DroppedSegments(7, 8, 9, 3),
        DroppedSegments.Parse(
        [
            "IpExt: InNoRoutes TCPMD5Failure", "IpExt: 1 2",
            "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted TCPMinTTLDrop", "TcpExt: 1 7 8 9 0 3",
        ]));

    [Fact]
    public void A_kernel_without_them_has_none() => Assert.Null(DroppedSegments.Parse(["IpExt: InNoRoutes", "IpExt: 1"]));

    [Fact]
    public void What_has_moved_is_told() => Assert.Equal(
        "meanwhile the kernel dropped segments of some neighbour: 2 with another password's signature (TCPMD5Failure), "
        + "1 unsigned, though a password is set here (TCPMD5NotFound)",
        new DroppedSegments(1, 5, 3, 4).Since(new(0, 5, 1, 3), leastHops: 0));

    [Fact]
    public void What_came_from_too_far_away_is_told_to_those_who_mind() => Assert.Equal(
        "meanwhile the kernel dropped segments of some neighbour: 4 with a TTL below the 254 that ttlSecurity demands, "
        + "or refusals where nobody listens (TCPMinTTLDrop)",
        new DroppedSegments(1, 5, 3, 7).Since(new(1, 5, 3, 3), leastHops: 254));

    [Fact]
    public void What_has_not_moved_is_not() => Assert.Null(new DroppedSegments(1, 5, 3, 4).Since(new(1, 5, 3, 4), leastHops: 255));

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
        await Until.TrueAsync(
            "the log says it", () => us.Log.All.Any(line => line.Contains("No answer though a password is set: meanwhile")));
    }

    [Fact]
    public async Task A_call_with_another_password_is_told_where_we_only_wait()
    {
        var (settings, theirs) = Loopback.Neighbours();
        await using var us = new Speaker(settings with { Passive = true, Password = "secret" }, listen: Loopback.A);
        await using var caller = new Speaker(theirs with { Password = "another" });
        await Until.TrueAsync("it is told", () => us.Now.Hint?.Contains("with another password's signature (TCPMD5Failure)") == true);
    }

    /// <summary>As every daemon without TTL security answers: with TTL 1 or 64.</summary>
    [Fact]
    public async Task A_neighbour_that_answers_from_too_far_away_is_told_with_the_kernels_counter()
    {
        var (settings, _) = Loopback.Neighbours();
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        far.Ttl = 64;
        far.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), settings.PeerPort));
        far.Listen();
        await using var us = new Speaker(settings with { TtlSecurity = true, ConnectRetryTime = TimeSpan.FromMilliseconds(500) });
        await Until.TrueAsync("it is told", () => us.Now.Faults.Why.Detail != null);
        Assert.Equal("No answer", us.Now.Faults.Why.Text);
        Assert.Contains(
            "with a TTL below the 255 that ttlSecurity demands, or refusals where nobody listens (TCPMinTTLDrop)", us.Now.Faults.Why.Detail,
            StringComparison.Ordinal);
        await Until.TrueAsync("the log says it", () => us.Log.All.Any(line => line.Contains("not up: Socket: No answer: meanwhile")));
    }

    [Fact]
    public async Task A_call_from_too_far_away_is_told_where_we_only_wait()
    {
        var (settings, theirs) = Loopback.Neighbours();
        await using var us = new Speaker(settings with { Passive = true, TtlSecurity = true }, listen: Loopback.A);
        await using var caller = new Speaker(theirs);
        await Until.TrueAsync("it is told", () =>
            us.Now.Hint is { } hint && hint.StartsWith("no call: ", StringComparison.Ordinal) && hint.Contains("(TCPMinTTLDrop)"));
    }

    /// <summary>The listening socket lets it in for the sake of another peer. Its OPEN may be here before its own demand holds, what
    /// answers ours is not.</summary>
    [Fact]
    public async Task A_call_from_too_far_away_that_another_peers_demand_lets_in_is_told_while_words_are_awaited()
    {
        var (settings, theirs) = Loopback.Neighbours();
        await using var us = new Speaker(settings with { Passive = true, TtlSecurity = true }, listen: Loopback.A);
        us.Expect(settings with { Name = "other", PeerAddress = Address.Parse("127.0.0.77") });
        await using var caller = new Speaker(theirs);
        await Until.TrueAsync("it is told", () => us.Now.Hint is { } hint
            && (hint.StartsWith("no OPEN: ", StringComparison.Ordinal) || hint.StartsWith("no KEEPALIVE: ", StringComparison.Ordinal))
            && hint.Contains("(TCPMinTTLDrop)"));
    }
}
