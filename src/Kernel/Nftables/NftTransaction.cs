using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>What the kernel would not take, in its words.</summary>
internal readonly record struct NftRefusal(NftPart Part, int Errno, string Words);

internal enum NftOutcome : byte { Committed, Refused, Unknown }

/// <summary>
/// Many changes in one send(), of which the kernel puts into force all or none. It looks at every message before it gives up, so each
/// part that it minds answers for itself; a question behind the batch tells when all answers are there, on kernels, too, that do not
/// acknowledge a batch's end. One after the other: what it writes into is kept.
/// </summary>
internal sealed class NftTransaction(NetlinkSocket socket)
{
    private const int MostKept = 1 << 20;

    private readonly List<(NftPart Part, Func<int, NftPart>? Inner)> parts = [];
    private readonly List<byte> octets = [];
    private readonly byte[] answers = new byte[1 << 16];
    private uint first;
    private byte[]? room;

    /// <summary>For a long message at a time, until it is added.</summary>
    public byte[] Room => room ??= new byte[1 << 16];

    public bool IsEmpty => parts.Count == 0;
    public int Octets => octets.Count;
    public List<NftRefusal> Refusals { get; } = [];

    /// <summary>How often nf_tables had been changed, by whomever, when the kernel had answered; 0: it did not.</summary>
    public uint Generation { get; private set; }

    public void Begin()
    {
        parts.Clear();
        octets.Clear();
        if (octets.Capacity > MostKept) octets.Capacity = MostKept;
        Refusals.Clear();
        Generation = 0;
    }

    /// <summary>So much more is to come.</summary>
    public void Reserve(int more) => octets.EnsureCapacity(octets.Count + more);

    /// <summary>What has no form that the kernel could take is refused before it is asked; nothing else need wait for that.</summary>
    public void Add(NftPart part, Func<IEnumerable<NetlinkMessage>> encode)
    {
        try
        {
            foreach (var message in encode().ToArray()) Add(part, message);
        }
        catch (Exception unfit) when (unfit is ArgumentException or OverflowException)
        {
            Refusals.Add(new(part, ERANGE, unfit.Message));
        }
    }

    /// <param name="inner">Which smaller part stands in the message at a place.</param>
    public void Add(NftPart part, NetlinkMessage message, Func<int, NftPart>? inner = null)
    {
        if (IsEmpty)
        {
            first = socket.Sequences(1);
            Append(NftMessage.Begin(), first);
        }
        parts.Add((part, inner));
        Append(message, socket.Sequences(1));
    }

    private void Append(NetlinkMessage message, uint sequence)
    {
        octets.AddRange(message.Numbered(sequence).Span);
        while (octets.Count % 4 != 0) octets.Add(0);
    }

    /// <param name="sent">Done when the kernel has worked it off, and before it is asked for its count of changes.</param>
    public NftOutcome Exchange(Action? sent = null)
    {
        Append(NftMessage.End(), socket.Sequences(1));
        var error = socket.Send(CollectionsMarshal.AsSpan(octets));
        sent?.Invoke();
        if (error != SocketError.Success) return NftOutcome.Unknown;
        var barrier = socket.Sequences(1);
        if (socket.Send(NftMessage.Barrier().Numbered(barrier).Span) != SocketError.Success) return NftOutcome.Unknown;
        while (true)
        {
            var count = socket.Receive(answers, out error);
            if (error != SocketError.Success) return NftOutcome.Unknown;
            if (TakeAnswers(answers.AsSpan(0, count), barrier)) break;
        }
        return Refusals.Count == 0 ? NftOutcome.Committed : NftOutcome.Refused;
    }

    /// <summary>True when the question behind the batch has its answer.</summary>
    private bool TakeAnswers(ReadOnlySpan<byte> datagram, uint barrier)
    {
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
        {
            if (header.Sequence == barrier)
            {
                if (header.Type == NftMessage.NewGeneration) Generation = NftMessage.ReadGeneration(body);
                return true;
            }
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
        return inner == null || offset == 0 ? part : inner(offset);
    }
}
