using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Net;

/// <summary>
/// Memory of the big tables. It is asked of the kernel directly, in blocks that may be backed with huge pages (madvise(2),
/// MADV_HUGEPAGE): a table of a million routes then costs some fifty page faults instead of twenty thousand, and a lookup in it
/// one TLB entry for 2 MiB instead of 4 KiB. It is given back when a table says so: the garbage collector knows nothing of it.
/// </summary>
/// <remarks>
/// Thread-safe. Memory is handed out zeroed. A piece that is given back is kept for the next who asks for that size. While tables grow the
/// next block is made ready by another thread: for the kernel to find and clear a block took a fifth of a shard's time under load.
/// </remarks>
internal static class TableMemory
{
    private const int Page = 1 << 12, HugePage = 1 << 21;
    /// <summary>A small table must not pay for huge pages: the first blocks are of ordinary ones, there once they are touched.</summary>
    private const int OrdinaryBlocks = 4;
    /// <summary>From so many blocks on the next one is made ready ahead: below, it would be a tenth of all, and the tables are soon there.</summary>
    private const int ManyBlocks = 16;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, Stack<nint>> Returned = [];
    /// <summary>What is left of the blocks.</summary>
    private static readonly List<(nint At, int Octets)> Open = [];
    private static int blocks;
    /// <summary>The block that is ready for whoever wants the next one; 0: none is.</summary>
    private static nint ready;
    private static bool isMakingReady;

    /// <summary>At most 2 MiB. Pieces of all tables lie side by side in one block, so that no table wastes most of a huge page.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel has none.</exception>
    public static nint Take(int octets)
    {
        var size = Rounded(octets);
        lock (Gate)
        {
            if (!Returned.TryGetValue(size, out var pieces) || !pieces.TryPop(out var piece)) return Cut(size);
            Clear(piece, size);
            return piece;
        }
    }

    public static void Return(nint at, int octets)
    {
        lock (Gate)
        {
            var size = Rounded(octets);
            if (!Returned.TryGetValue(size, out var pieces)) Returned[size] = pieces = new();
            pieces.Push(at);
        }
    }

    /// <summary>A mapping of its own, for one long array.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel has none.</exception>
    public static nint Map(nint octets)
    {
        var at = Ask(octets);
        if (octets >= HugePage) WantHugePages(at, octets);
        return at;
    }

    /// <summary>Gives a mapping back to the kernel.</summary>
    public static unsafe void Unmap(nint at, nint octets)
    {
        if (munmap((void*)at, (size_t)(ulong)octets) != 0)
            throw new InvalidOperationException($"munmap({at:x}, {octets}): {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static nint Cut(int size)
    {
        var index = Open.FindIndex(range => range.Octets >= size);
        if (index < 0)
        {
            index = Open.Count;
            Open.Add((NewBlock(), HugePage));
        }
        var (at, left) = Open[index];
        if (left == size) Open.RemoveAt(index);
        else Open[index] = (at + size, left - size);
        return at;
    }

    private static nint NewBlock()
    {
        if (++blocks <= OrdinaryBlocks) return Ask(HugePage);
        var block = ready != 0 ? ready : HugeBlock();
        ready = 0;
        if (blocks >= ManyBlocks && !isMakingReady) isMakingReady = ThreadPool.UnsafeQueueUserWorkItem(static _ => MakeReady(), null);
        return block;
    }

    private static unsafe void MakeReady()
    {
        const int MADV_POPULATE_WRITE = 23; // since Linux 5.14; an older one refuses, and the pages come when they are touched
        nint block = 0;
        try
        {
            block = HugeBlock();
            _ = madvise((void*)block, HugePage, MADV_POPULATE_WRITE);
        }
        catch (InsufficientMemoryException)
        {
            // Who needs the block will be told.
        }
        lock (Gate) (ready, isMakingReady) = (block, false);
    }

    private static nint HugeBlock()
    {
        // A huge page begins at a multiple of its size: of twice the room, the aligned half is kept.
        var at = Ask(2 * HugePage);
        var aligned = (at + HugePage - 1) & -HugePage;
        if (aligned > at) Unmap(at, aligned - at);
        Unmap(aligned + HugePage, at + HugePage - aligned);
        WantHugePages(aligned, HugePage);
        return aligned;
    }

    private static int Rounded(int octets) => (octets + Page - 1) & -Page;

    private static unsafe void Clear(nint at, int octets) => new Span<byte>((void*)at, octets).Clear();

    private static unsafe nint Ask(nint octets)
    {
        var at = (nint)mmap(null, (size_t)(ulong)octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return at != (nint)MAP_FAILED
            ? at : throw new InsufficientMemoryException($"mmap({octets}): {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Advice: a kernel without huge pages, or with none to give, refuses it, and nothing is lost.</summary>
    private static unsafe void WantHugePages(nint at, nint octets) => _ = madvise((void*)at, (size_t)(ulong)octets, MADV_HUGEPAGE);
}
