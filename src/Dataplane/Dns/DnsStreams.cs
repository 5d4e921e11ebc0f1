// DNS over TCP (RFC 1035 section 4.2.2, RFC 7766): segments as they pass → messages, each behind its length of two octets.
//
//     +--+--+--------------------+--+--+------------
//     |length|      message      |length|   message …
//     +--+--+--------------------+--+--+------------
//
// We look on and hold nothing up but the segment that completes a message; so segments may come twice, in any order, and without those
// before them (we have started in between: then where a message begins is guessed, and a wrong guess matches no query). Octets that came
// first stay: who sends others for the same place is not believed.

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>One direction of a connection.</summary>
/// <param name="IsAnswering">From the server.</param>
internal readonly record struct DnsStreamKey(DnsFlow Flow, bool IsAnswering);

/// <summary>All connections that are looked at: bounded, and of too many the one goes that was silent longest.</summary>
internal sealed class DnsStreams(int most = DnsStreams.Most)
{
    private const int Most = 4096;

    private readonly Dictionary<DnsStreamKey, LinkedListNode<(DnsStreamKey Key, DnsStream Stream)>> streams = [];
    private readonly LinkedList<(DnsStreamKey Key, DnsStream Stream)> byUse = new();

    public int Count => streams.Count;
    /// <summary>Connections that were forgotten for others.</summary>
    public long GivenUp { get; private set; }

    /// <summary>A segment with data, or with SYN.</summary>
    /// <returns>The messages that it completes, to be read before the next segment; often none.</returns>
    public DnsStream Segment(in DnsStreamKey key, uint sequence, bool isSyn, ReadOnlySpan<byte> data)
    {
        if (!streams.TryGetValue(key, out var node))
        {
            if (streams.Count >= most) GiveUp();
            node = byUse.AddLast((key, new()));
            streams.Add(key, node);
        }
        else if (node != byUse.Last)
        {
            byUse.Remove(node);
            byUse.AddLast(node);
        }
        node.Value.Stream.Add(sequence, isSyn, data);
        return node.Value.Stream;
    }

    private void GiveUp()
    {
        streams.Remove(byUse.First!.Value.Key);
        byUse.RemoveFirst();
        GivenUp++;
    }

    /// <summary>The connection has ended (FIN, RST).</summary>
    public void End(in DnsFlow flow)
    {
        foreach (var isAnswering in new[] { false, true })
            if (streams.Remove(new(flow, isAnswering), out var node)) byUse.Remove(node);
    }

    /// <summary>An endpoint is gone.</summary>
    public void Forget(string endpoint)
    {
        foreach (var flow in streams.Keys.Where(key => key.Flow.Endpoint == endpoint).Select(key => key.Flow).ToArray()) End(flow);
    }
}

/// <summary>What has come of one direction, from the first octet that is not read yet.</summary>
internal sealed class DnsStream
{
    /// <summary>A message of the greatest length, but for an octet, and the largest segment behind it.</summary>
    private const int Window = 2 + 65535 + 65536;
    /// <summary>Parts that came ahead of others.</summary>
    private const int MostParts = 64;

    private byte[] octets = [];
    /// <summary>What is there, as from and to, in order, not touching; the first begins at 0 once anything may be read.</summary>
    private readonly List<(int From, int To)> parts = [];
    /// <summary>The sequence number of the first octet; null: nothing has come.</summary>
    private uint? start;
    /// <summary>Octets of a message that is read.</summary>
    private int read;

    /// <summary>With what the last response waits, or has waited, until what it opens is in force; null: none has.</summary>
    public DnsBatch? Held { get; set; }

    public void Add(uint sequence, bool isSyn, ReadOnlySpan<byte> data)
    {
        if (isSyn)
        {
            // SYN has a number of its own (RFC 9293 section 3.4).
            sequence++;
            if (start != sequence) parts.Clear();
            start = sequence;
            read = 0;
        }
        start ??= sequence;
        Drop();
        var from = (long)(int)(sequence - start.Value);
        if (from < 0)
        {
            if (-from >= data.Length) return;
            data = data[(int)-from..];
            from = 0;
        }
        if (data.IsEmpty) return;
        if (from + data.Length > Window)
        {
            // What lies between went another way, or was not kept: from here on again.
            parts.Clear();
            (start, from) = (sequence, 0);
            if (data.Length > Window) return;
        }
        if (octets.Length < from + data.Length)
            Array.Resize(ref octets, (int)Math.Min(Window, Math.Max(from + data.Length, octets.Length * 2)));
        Put((int)from, data);
    }

    /// <summary>Copies what is not there yet, between the parts that are.</summary>
    private void Put(int from, ReadOnlySpan<byte> data)
    {
        var (to, at, index) = (from + data.Length, from, 0);
        while (index < parts.Count && parts[index].To < from) index++;
        if (parts.Count >= MostParts && (index == parts.Count || parts[index].From > to)) return;
        var (first, last) = (from, to);
        while (index < parts.Count && parts[index].From <= to)
        {
            var part = parts[index];
            if (part.From > at) data[(at - from)..(part.From - from)].CopyTo(octets.AsSpan(at));
            at = Math.Max(at, part.To);
            (first, last) = (Math.Min(first, part.From), Math.Max(last, part.To));
            parts.RemoveAt(index);
        }
        if (at < to) data[(at - from)..].CopyTo(octets.AsSpan(at));
        parts.Insert(index, (first, last));
    }

    /// <summary>The next whole message.</summary>
    /// <returns>False: none is whole yet.</returns>
    public bool Next(out ReadOnlySpan<byte> message)
    {
        message = default;
        var whole = parts.Count > 0 && parts[0].From == 0 ? parts[0].To : 0;
        if (whole < read + 2) return false;
        var length = octets[read] << 8 | octets[read + 1];
        if (whole < read + 2 + length) return false;
        message = octets.AsSpan(read + 2, length);
        read += 2 + length;
        return true;
    }

    /// <summary>What was read goes.</summary>
    private void Drop()
    {
        if (read == 0) return;
        octets.AsSpan(read, parts[^1].To - read).CopyTo(octets);
        for (var index = parts.Count - 1; index >= 0; index--)
        {
            var (from, to) = (parts[index].From - read, parts[index].To - read);
            if (to <= 0) parts.RemoveAt(index);
            else parts[index] = (Math.Max(from, 0), to);
        }
        start += (uint)read;
        read = 0;
        if (parts.Count == 0) octets = [];
    }
}
