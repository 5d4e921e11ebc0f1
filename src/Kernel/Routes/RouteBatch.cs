using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Routes;

internal enum RouteChange : byte
{
    /// <summary>Nothing of ours is there: EXCL lets the kernel guard a foreign route that we have not heard of yet.</summary>
    Create,
    /// <summary>What is there is known to be ours.</summary>
    Replace,
    Delete,
    /// <summary>IPv6: hops beside those that are there.</summary>
    AddHops,
    /// <summary>IPv6: these hops, of several.</summary>
    RemoveHops,
}

internal readonly record struct PlannedChange(RowName Row, RouteChange Change, uint Target);

/// <summary>
/// Many route changes in one send(). Only the last asks to be acknowledged: those that fail answer by themselves, with the number of
/// their message, and what has not answered when the last one has is done.
/// </summary>
internal sealed class RouteBatch(NetlinkSocket socket)
{
    public const int Most = 256;

    private readonly PlannedChange[] changes = new PlannedChange[Most];
    private readonly int[] errnos = new int[Most];
    private readonly string?[] words = new string?[Most];
    private readonly byte[] answers = new byte[1 << 16];
    private byte[] octets = new byte[1 << 16];
    private uint first;
    private int used, lastStart;

    public int Count { get; private set; }

    public PlannedChange this[int index] => changes[index];
    public int Errno(int index) => errnos[index];
    public string Words(int index) => words[index] ?? "";

    /// <summary>False where the batch is full; one message always fits an empty batch.</summary>
    public bool TryAdd(PlannedChange change, Prefix prefix, RouteForm form)
    {
        var need = RouteMessage.Octets(form);
        if (Count == Most || (Count > 0 && used + need > octets.Length)) return false;
        if (need > octets.Length) Array.Resize(ref octets, need);
        if (Count == 0) first = socket.Sequences(Most);
        var (type, flags) = change.Change switch
        {
            RouteChange.Create => (MessageType.NewRoute, NetlinkFlags.Create | NetlinkFlags.Exclusive),
            RouteChange.Replace => (MessageType.NewRoute, NetlinkFlags.Create | NetlinkFlags.Replace),
            RouteChange.AddHops => (MessageType.NewRoute, NetlinkFlags.Create | NetlinkFlags.Append),
            _ => (MessageType.DelRoute, NetlinkFlags.None),
        };
        lastStart = used;
        used += RouteMessage.Write(octets.AsSpan(used), type, flags, first + (uint)Count, prefix, form);
        changes[Count++] = change;
        return true;
    }

    public void Clear()
    {
        Array.Clear(errnos, 0, Count);
        Array.Clear(words, 0, Count);
        (Count, used) = (0, 0);
    }

    /// <summary>
    /// Hands the batch to the kernel and collects its answers; false where some are lost, and nobody knows what has been done.
    /// </summary>
    public bool Exchange()
    {
        System.Runtime.InteropServices.MemoryMarshal.AsRef<NetlinkHeader>(octets.AsSpan(lastStart)) = LastHeader();
        if (socket.Send(octets.AsSpan(0, used)) != SocketError.Success) return false;
        while (true)
        {
            var count = socket.Receive(answers, out var error);
            if (error != SocketError.Success) return false;
            if (ReadAnswers(answers.AsSpan(0, count))) return true;
        }
    }

    private NetlinkHeader LastHeader()
    {
        var header = System.Runtime.InteropServices.MemoryMarshal.Read<NetlinkHeader>(octets.AsSpan(lastStart));
        return header with { Flags = header.Flags | NetlinkFlags.Ack };
    }

    /// <summary>True when the last message has its answer.</summary>
    private bool ReadAnswers(ReadOnlySpan<byte> datagram)
    {
        var messages = new NetlinkReader(datagram);
        var last = false;
        while (messages.Next(out var header, out var body))
        {
            var index = header.Sequence - first;
            if (header.Type != MessageType.Error || index >= Count) continue;
            var answer = new NetlinkAnswer(header, body);
            if (answer.Errno != 0) (errnos[index], words[index]) = (answer.Errno, answer.AdvisedWords);
            last |= index == Count - 1;
        }
        return last;
    }
}
