namespace Calico.Bgp.Dataplane.Dns;

/// <summary>One direction of a connection.</summary>
/// <param name="IsAnswering">From the server.</param>
internal readonly record struct DnsStreamKey(DnsFlow Flow, bool IsAnswering);

/// <summary>
/// DNS over TCP (RFC 1035 section 4.2.2, RFC 7766): segments as they pass → messages, each behind its length of two octets. Segments may come
/// twice, in any order, and without those before them (we have started in between).
/// </summary>
internal sealed class DnsStreams
{
    /// <summary>A segment with data, or with SYN.</summary>
    /// <returns>The messages that it completes, to be read before the next segment; often none.</returns>
    public DnsStream Segment(in DnsStreamKey key, uint sequence, bool isSyn, ReadOnlySpan<byte> data, long now) =>
        throw new NotImplementedException();

    /// <summary>The connection has ended (FIN, RST), or its endpoint is gone.</summary>
    public void End(in DnsFlow flow) => throw new NotImplementedException();
}

/// <summary>What has come of one direction.</summary>
internal sealed class DnsStream
{
    /// <summary>The next whole message.</summary>
    /// <returns>False: none is whole yet.</returns>
    public bool Next(out ReadOnlySpan<byte> message) => throw new NotImplementedException();
}
