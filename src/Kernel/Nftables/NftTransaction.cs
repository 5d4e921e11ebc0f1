using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>What the kernel would not take, in its words.</summary>
internal readonly record struct NftRefusal(NftPart Part, int Errno, string Words);

internal enum NftOutcome : byte { Committed, Refused, Unknown }

/// <summary>
/// Many changes in one send(), of which the kernel puts into force all or none. It looks at every message before it gives up, so each
/// part that it minds answers for itself; a question behind the batch tells when all answers are there, on kernels, too, that do not
/// acknowledge a batch's end.
/// </summary>
internal sealed class NftTransaction(NetlinkSocket socket)
{
    private readonly List<(NftPart Part, IReadOnlyList<(int At, NftPart Part)> Inner)> parts = [];
    private readonly List<byte> octets = [];
    private readonly byte[] answers = new byte[1 << 16];
    private uint first;

    public bool IsEmpty => parts.Count == 0;
    public int Octets => octets.Count;
    public List<NftRefusal> Refusals { get; } = [];

    /// <summary>What has no form that the kernel could take is refused before it is asked; nothing else need wait for that.</summary>
    public void Add(NftPart part, Func<NetlinkMessage> encode)
    {
        try
        {
            Add(part, encode());
        }
        catch (Exception unfit) when (unfit is ArgumentException or OverflowException)
        {
            Refusals.Add(new(part, ERANGE, unfit.Message));
        }
    }

    /// <param name="inner">Smaller parts inside the message, by where they begin.</param>
    public void Add(NftPart part, NetlinkMessage message, IReadOnlyList<(int At, NftPart Part)>? inner = null)
    {
        if (IsEmpty)
        {
            first = socket.Sequences(1);
            Append(NftMessage.Begin(), first);
        }
        parts.Add((part, inner ?? []));
        Append(message, socket.Sequences(1));
    }

    private void Append(NetlinkMessage message, uint sequence)
    {
        octets.AddRange(message.Numbered(sequence).Span);
        while (octets.Count % 4 != 0) octets.Add(0);
    }

    public NftOutcome Exchange()
    {
        Append(NftMessage.End(), socket.Sequences(1));
        if (socket.Send(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(octets)) != SocketError.Success) return NftOutcome.Unknown;
        var barrier = socket.Sequences(1);
        if (socket.Send(NftMessage.Barrier().Numbered(barrier).Span) != SocketError.Success) return NftOutcome.Unknown;
        while (true)
        {
            var count = socket.Receive(answers, out var error);
            if (error != SocketError.Success) return NftOutcome.Unknown;
            if (Take(answers.AsSpan(0, count), barrier)) break;
        }
        return Refusals.Count == 0 ? NftOutcome.Committed : NftOutcome.Refused;
    }

    /// <summary>True when the question behind the batch has its answer.</summary>
    private bool Take(ReadOnlySpan<byte> datagram, uint barrier)
    {
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
        {
            if (header.Sequence == barrier) return true;
            var index = (int)(header.Sequence - first) - 1;
            if (header.Type != MessageType.Error || index < -1 || index > parts.Count) continue;
            var answer = new NetlinkAnswer(header, body);
            if (answer.Errno != 0) Refusals.Add(new(PartAt(index, answer.Offset), answer.Errno, answer.Words));
        }
        return false;
    }

    /// <summary>What is minded at the batch's own beginning or end concerns all of it.</summary>
    private NftPart PartAt(int index, int offset)
    {
        if (index < 0 || index >= parts.Count) return parts[0].Part;
        var (part, inner) = parts[index];
        for (var i = inner.Count - 1; i >= 0; i--)
            if (offset >= inner[i].At) return inner[i].Part;
        return part;
    }
}
