using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Net;

/// <summary>
/// Memory of the big tables, asked of the kernel directly, in blocks. It is given back when a table says so: the garbage collector knows
/// nothing of it.
/// </summary>
/// <remarks>
/// Thread-safe. Memory is handed out zeroed. A piece that is given back is kept for the next who asks for that size. While tables grow the
/// next block is made ready by another thread: for the kernel to find and clear a block took a fifth of a shard's time under load.
/// Pages are ordinary ones. Huge ones (MADV_HUGEPAGE) spare TLB entries, but in a virtual machine they come from memory that its host may
/// have taken back (free page reporting), and the host has to find each again: 0.5 GB/s were seen where ordinary ones came at 3 GB/s, and a
/// million routes took 0.39 s in place of 0.34.
/// </remarks>
internal static class TableMemory
{
    private const int Page = 1 << 12, Block = 1 << 21;
    /// <summary>From so many blocks on the next one is made ready ahead: below, it would be a tenth of all, and the tables are soon
    /// there.</summary>
    private const int ManyBlocks = 16;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, Stack<nint>> Returned = [];
    /// <summary>What is left of the blocks.</summary>
    private static readonly List<(nint At, int Octets)> Open = [];
    private static int blocks;
    /// <summary>The block that is ready for whoever wants the next one; 0: none is.</summary>
    private static nint ready;
    private static bool isMakingReady;

    /// <summary>At most 2 MiB. Pieces of all tables lie side by side in one block.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel has none.</exception>
    public static nint Allocate(int octets)
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

    /// <summary>A mapping of its own, for one long array, which will be written all over.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel has none.</exception>
    public static nint Map(nint octets)
    {
        var at = Ask(octets);
        Populate(at, octets);
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
            Open.Add((NewBlock(), Block));
        }
        var (at, left) = Open[index];
        if (left == size) Open.RemoveAt(index);
        else Open[index] = (at + size, left - size);
        return at;
    }

    private static nint NewBlock()
    {
        var block = ready != 0 ? ready : Ask(Block);
        ready = 0;
        if (++blocks >= ManyBlocks && !isMakingReady) isMakingReady = ThreadPool.UnsafeQueueUserWorkItem(static _ => MakeReady(), null);
        return block;
    }

    private static void MakeReady()
    {
        nint block = 0;
        try
        {
            block = Ask(Block);
            Populate(block, Block);
        }
        catch (InsufficientMemoryException)
        {
            // Who needs the block will be told.
        }
        lock (Gate) (ready, isMakingReady) = (block, false);
    }

    /// <summary>
    /// All pages at once, and for writing: one that is read first is the kernel's page of zeros, and its first write then interrupts every
    /// other processor that runs us.
    /// </summary>
    private static unsafe void Populate(nint at, nint octets)
    {
        const int MADV_POPULATE_WRITE = 23; // since Linux 5.14; an older one refuses, and the pages come when they are touched
        _ = madvise((void*)at, (size_t)(ulong)octets, MADV_POPULATE_WRITE);
    }

    private static int Rounded(int octets) => (octets + Page - 1) & -Page;

    private static unsafe void Clear(nint at, int octets) => new Span<byte>((void*)at, octets).Clear();

    private static unsafe nint Ask(nint octets)
    {
        var at = (nint)mmap(null, (size_t)(ulong)octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return at != (nint)MAP_FAILED
            ? at : throw new InsufficientMemoryException($"mmap({octets}): {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
