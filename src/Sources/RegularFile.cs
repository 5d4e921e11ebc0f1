using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Sources;

/// <summary>What the kernel says of a path without opening it, links followed: another look says whether it is the same.</summary>
/// <param name="Kind">S_IFMT of its mode (inode(7)).</param>
/// <param name="Changed">Its status (ctime): nobody can set it back, whatever dates a copy is given.</param>
public readonly record struct FileLook(ulong Device, ulong Inode, uint Kind, long Length, DateTime Changed)
{
    public bool IsRegular => Kind == (uint)S_IFREG;

    /// <summary>What it is instead of a regular file, as ls(1) and find(1) tell them apart.</summary>
    public string KindInWords =>
        Kind == (uint)S_IFIFO ? "a FIFO" : Kind == (uint)S_IFSOCK ? "a socket" : Kind == (uint)S_IFCHR ? "a character device"
        : Kind == (uint)S_IFBLK ? "a block device" : Kind == (uint)S_IFDIR ? "a folder" : "something else";

    /// <summary>Null: nothing is there now, or it may not be looked at.</summary>
    public static unsafe FileLook? At(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            return Of(AT_FDCWD, name, 0);
    }

    internal static unsafe FileLook? Of(int descriptor)
    {
        byte nothing = 0;
        return Of(descriptor, &nothing, AT_EMPTY_PATH);
    }

    private static unsafe FileLook? Of(int descriptor, byte* path, int flags)
    {
        statx found;
        if (LibC.statx(descriptor, path, flags, STATX_BASIC_STATS, &found) != 0) return null;
        var device = (ulong)found.stx_dev_major << 32 | found.stx_dev_minor;
        var changed = DateTime.UnixEpoch.AddSeconds(found.stx_ctime.tv_sec).AddTicks(found.stx_ctime.tv_nsec / 100);
        return new(device, found.stx_ino, (uint)found.stx_mode & (uint)S_IFMT, (long)(ulong)found.stx_size, changed);
    }
}

/// <summary>
/// Files that others put where we read: judged before they are opened, for a FIFO, a device or a socket keeps who opens it waiting, or
/// never ends (open(2), fifo(7)). Between judging and opening a path may come to lead elsewhere; so it is opened without waiting
/// (O_NONBLOCK), and judged once more by its descriptor.
/// </summary>
public static class RegularFile
{
    /// <exception cref="IOException">It is no regular file, larger than <paramref name="limit"/>, or cannot be read; the message says
    /// which.</exception>
    public static byte[] Read(string path, long limit)
    {
        Judge(FileLook.At(path) ?? throw new IOException("it is not there"), limit);
        using var file = Open(path);
        if (FileLook.Of(file.Descriptor) is { } opened) Judge(opened, limit);
        return file.ReadAll(limit);
    }

    private static void Judge(FileLook look, long limit)
    {
        if (!look.IsRegular) throw new IOException($"expected a regular file, got {look.KindInWords}");
        if (look.Length > limit) throw new IOException(TooLarge(limit, $"{look.Length}"));
    }

    private static string TooLarge(long limit, string got) => $"expected at most {limit} octets (maxSize), got {got}";

    /// <summary>
    /// Somebody has it open and may write, as far as can be known. The kernel gives a read lease for no such file (F_SETLEASE, fcntl(2)),
    /// and that answer covers every process on the machine, whatever namespace it is in; /proc shows only those that we may look at, and
    /// inotify only what was opened after we began to watch. Who comes to write in the moment that we hold the lease waits until it is
    /// returned, and the signal that announces him is one that nobody heeds. False where leases are not to be had: for others' files
    /// without CAP_LEASE, and on most network file systems.
    /// </summary>
    public static unsafe bool IsOpenForWriting(string path)
    {
        if (FileLook.At(path) is not { IsRegular: true }) return false;
        try
        {
            using var file = Open(path);
            // By default it is SIGIO, which ends the process.
            if (fcntl(file.Descriptor, F_SETSIG, SIGURG) != 0) return false;
            if (fcntl(file.Descriptor, F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
            _ = fcntl(file.Descriptor, F_SETLEASE, F_UNLCK);
            return false;
        }
        // Gone, or not ours to open: then reading it says so.
        catch (IOException) { return false; }
    }

    private static unsafe Opened Open(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var descriptor = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
            return descriptor >= 0 ? new(descriptor) : throw Refused();
        }
    }

    private static IOException Refused() => new(new System.ComponentModel.Win32Exception(errno).Message);

    private sealed unsafe class Opened(int descriptor) : IDisposable
    {
        public int Descriptor => descriptor;

        /// <summary>Whatever length was told: a file may grow while it is read, and those of /proc tell none.</summary>
        public byte[] ReadAll(long limit)
        {
            using var all = new MemoryStream();
            var octets = new byte[64 << 10];
            while (true)
            {
                int count;
                fixed (byte* into = octets) count = (int)read(descriptor, into, octets.Length);
                if (count < 0 && errno == EINTR) continue;
                if (count < 0) throw Refused();
                if (count == 0) return all.ToArray();
                if (all.Length + count > limit) throw new IOException(TooLarge(limit, "more: it grew while it was read"));
                all.Write(octets, 0, count);
            }
        }

        public void Dispose() => _ = close(descriptor);
    }
}
