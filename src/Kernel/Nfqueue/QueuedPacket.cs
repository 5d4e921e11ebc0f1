using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Kernel.Nfqueue;

/// <summary>What is listened to.</summary>
/// <param name="Repeats">
/// What nobody decides meets its chain again, and what finds no room is dropped (<see cref="ActQueue.Repeats"/>); else either goes on.
/// </param>
public readonly record struct PacketQueue(ushort Number, bool Repeats = false)
{
    /// <summary>How many packets may wait: of those that are to be denied fewer than of what has to go on.</summary>
    internal uint MostWaiting => Repeats ? 256u : 4096u;

    /// <summary>How much of a packet is told: all of it, or where it goes.</summary>
    internal uint Octets => Repeats ? 40u : 0xffff;

    /// <summary>Of what nobody decides.</summary>
    internal QueueVerdict Otherwise => Repeats ? QueueVerdict.Repeat : QueueVerdict.Accept;
}

/// <summary>By which a verdict names a packet; numbers are a queue's own.</summary>
public readonly record struct QueueTicket(ushort Queue, uint Id);

/// <summary>A packet that waits for a verdict (<see cref="ActQueue"/>); of the listener's buffer, and gone with its turn.</summary>
public readonly ref struct QueuedPacket
{
    public QueueTicket Ticket { get; init; }

    /// <summary>Where the rule stood that queued it.</summary>
    public NftHookPoint Place { get; init; }

    /// <summary>Interfaces by number; 0: none.</summary>
    public int In { get; init; }
    public int Out { get; init; }

    /// <summary>From its network header on: all of it, up to 64 KiB, or as much as its queue tells.</summary>
    public ReadOnlySpan<byte> Octets { get; init; }
}

/// <summary>NF_…: what becomes of a queued packet.</summary>
public enum QueueVerdict : uint
{
    Drop = 0,
    /// <summary>It goes on behind the chain that queued it, as it was.</summary>
    Accept = 1,
    /// <summary>It meets the chain that queued it again.</summary>
    Repeat = 4,
}

/// <summary>Who looks at queued packets, on the queues' loop. He sees to it that each gets its verdict, be it later.</summary>
public interface IQueueReader
{
    void Read(in QueuedPacket packet);

    /// <summary>No more wait at the moment.</summary>
    void EndTurn();

    /// <summary>A defect has ended a turn in its midst. All that he has seen is decided without him, and verdicts on it mean nothing any
    /// more.</summary>
    void BeginAgain();
}
