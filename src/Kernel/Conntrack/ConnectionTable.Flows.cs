using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>Flows of another node's, which this kernel shall be able to go on with.</summary>
public sealed partial class ConnectionTable
{
    /// <summary>A copy that would be forgotten this much sooner than it is said to is told anew.</summary>
    private const uint Slack = 30;

    /// <summary>What others are told that comes from here bears this (nlmsg_pid).</summary>
    public uint Port => socket.Port;

    /// <summary>
    /// They are there when it ends. Whoever has their place with another translation has to yield; where <paramref name="yields"/> says so
    /// they do, and what is there with the same one goes on from where it is said to be.
    /// </summary>
    /// <returns>How many the kernel has not taken, and its last word on that; 0.</returns>
    public (int Refused, int Errno) Put(IReadOnlyCollection<Flow> flows, bool yields)
    {
        var (refused, errno) = (0, 0);
        lock (asking)
            foreach (var some in flows.Chunk(AtOnce))
            {
                var taken = Try(some.ConvertAll(one => FlowMessage.Create(one)), ref errno, EEXIST);
                refused += taken.Count(one => one != 0 && one != EEXIST);
                Flow[] left = [.. some.Where((_, at) => taken[at] == EEXIST)];
                if (left.Length > 0) Settle(left, yields, ref errno);
            }
        return (refused, errno);
    }

    /// <summary>Of those whose place is taken.</summary>
    private void Settle(Flow[] flows, bool yields, ref int errno)
    {
        var there = Find(flows);
        var stale = new List<NetlinkMessage>();
        var (older, others) = (new List<Flow>(), new List<Flow>());
        for (var at = 0; at < flows.Length; at++)
            if (there[at] is not { } one || one.Key != flows[at].Key)
            {
                // Another has its answers, or its client's packets are translated otherwise.
                stale.Add(there[at] is { } other ? FlowMessage.Remove(other.Key) : FlowMessage.RemoveAny(flows[at].Key));
                others.Add(flows[at]);
            }
            // What is there of TCP may be what this node has seen of it itself, and windows have moved on since without it.
            else if (one.Tcp != 0 || !one.StandsAs(flows[at]) || one.Left + Slack < flows[at].Left) older.Add(flows[at]);
        if (older.Count > 0) Try([.. older.Select(one => FlowMessage.Update(one))], ref errno, ENOENT, EBUSY);
        if (stale.Count == 0 || yields) return;
        Try([.. stale], ref errno, ENOENT);
        Try([.. others.Select(one => FlowMessage.Create(one))], ref errno, EEXIST);
    }

    private Flow?[] Find(Flow[] flows)
    {
        var found = new Flow?[flows.Length];
        Exchange(flows.ConvertAll(one => FlowMessage.Find(one.Key)), (number, in header, body) =>
        {
            if (header.Type != MessageType.Error && FlowMessage.TryRead(body, out var one)) found[number] = one;
        });
        return found;
    }

    /// <summary>What each has come to; what is not forgiven is the last word.</summary>
    private int[] Try(NetlinkMessage[] messages, ref int errno, params ReadOnlySpan<int> forgiven)
    {
        var said = new int[messages.Length];
        Array.Fill(said, EAGAIN); // of what is not answered
        Exchange(messages, (number, in header, body) => said[number] = new NetlinkAnswer(header, body).Errno);
        foreach (var one in said)
            if (one != 0 && !forgiven.Contains(one)) errno = one;
        return said;
    }

    /// <summary>They are gone when it ends; who is translated otherwise stays.</summary>
    /// <returns>How many there were.</returns>
    public int Remove(IReadOnlyCollection<FlowKey> flows)
    {
        var (gone, errno) = (0, 0);
        lock (asking)
            foreach (var some in flows.Chunk(AtOnce))
                gone += Try(some.ConvertAll(one => FlowMessage.Remove(one)), ref errno, ENOENT).Count(one => one == 0);
        return gone;
    }

    /// <summary>
    /// Each stands in the place of whatever its client's packets, and its answers, have been till now: a server that has spoken while its
    /// answers had no entry has got one of its own, by another port where its client's stood in the way. Whoever speaks between an end and
    /// a begin gets one, too, so that the two follow each other, and are done again where something has come between.
    /// </summary>
    public void Exchange(IReadOnlyCollection<Flow> flows)
    {
        var errno = 0;
        lock (asking)
            foreach (var some in flows.Chunk(AtOnce / 3))
            {
                var left = some;
                for (var attempt = 0; attempt < Attempts && left.Length > 0; attempt++)
                {
                    var said = Try([.. left.SelectMany(one => (NetlinkMessage[])
                        [FlowMessage.RemoveAny(one.Key), FlowMessage.Remove(one.Key), FlowMessage.Create(one)])],
                        ref errno, ENOENT, EEXIST);
                    left = [.. left.Where((_, at) => said[(3 * at) + 2] == EEXIST)];
                }
            }
    }

    /// <summary>Each that another kernel can go on with, as it stands. Of a table that changes meanwhile some may be missed.</summary>
    /// <returns>The kernel's error where it refused; 0.</returns>
    public int WalkFlows(IpFamily family, Action<Flow> tell)
    {
        lock (asking)
        {
            dump.Read(ConnectionMessage.Dump(family, sourceTranslated: true), Tell, out var errno);
            return errno;
        }

        void Tell(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (FlowMessage.TryRead(body, out var one)) tell(one);
        }
    }
}

file static class Each
{
    public static TResult[] ConvertAll<T, TResult>(this T[] all, Converter<T, TResult> by) => Array.ConvertAll(all, by);
}
