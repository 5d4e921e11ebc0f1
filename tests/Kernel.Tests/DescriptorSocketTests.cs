using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Calico.Bgp.Kernel.Tests;

/// <summary>Descriptors that go over a Unix socket, from one process to another; here from one to itself.</summary>
public class DescriptorSocketTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    private static (DescriptorSocket From, DescriptorSocket To) Both()
    {
        var (from, theirs) = DescriptorSocket.Pair();
        var number = (int)theirs.DangerousGetHandle();
        theirs.SetHandleAsInvalid();
        return (from, new(number));
    }

    private static FileStream Memory(int says)
    {
        var memory = DescriptorSocket.Memory($"test {says}");
        memory.Write(BitConverter.GetBytes(says));
        memory.Position = 0;
        return memory;
    }

    private static int Read(int descriptor)
    {
        using var file = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, 0);
        var octets = new byte[4];
        file.ReadExactly(octets);
        return BitConverter.ToInt32(octets);
    }

    /// <summary>A message takes 253 at most (SCM_MAX_FD).</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(450)]
    public async Task However_many_they_are_they_come_in_their_order_and_are_the_same_files(int count)
    {
        var (from, to) = Both();
        using var one = from;
        using var other = to;
        var files = Enumerable.Range(0, count).Select(Memory).ToArray();
        var sending = from.SendAsync([.. files.Select(file => (SafeHandle)file.SafeFileHandle)], Never);
        var came = await to.ReceiveAsync(count, Never);
        await sending;
        foreach (var file in files) file.Dispose();
        Assert.Equal(Enumerable.Range(0, count), came.Select(Read));
    }

    [Fact]
    public async Task Octets_before_and_behind_them_stay_octets()
    {
        var (from, to) = Both();
        using var one = from;
        using var other = to;
        using var file = Memory(7);
        await from.Socket.SendAsync("before"u8.ToArray());
        await from.SendAsync([file.SafeFileHandle], Never);
        await from.Socket.SendAsync("behind"u8.ToArray());
        var octets = new byte[6];
        Assert.Equal(6, await to.Socket.ReceiveAsync(octets));
        Assert.Equal("before"u8, octets);
        Assert.Equal(7, Read((await to.ReceiveAsync(1, Never)).Single()));
        Assert.Equal(6, await to.Socket.ReceiveAsync(octets));
        Assert.Equal("behind"u8, octets);
    }

    [Fact]
    public async Task Octets_where_descriptors_are_expected_are_refused()
    {
        var (from, to) = Both();
        using var one = from;
        using var other = to;
        await from.Socket.SendAsync("x"u8.ToArray());
        var refused = await Assert.ThrowsAsync<IOException>(() => to.ReceiveAsync(1, Never));
        Assert.Equal("expected descriptors, got octets", refused.Message);
    }

    [Fact]
    public async Task An_end_that_is_closed_is_said_to_be()
    {
        var (from, to) = Both();
        using var other = to;
        using var file = Memory(1);
        from.Dispose();
        Assert.Equal(
            "expected descriptors, got the end", (await Assert.ThrowsAsync<IOException>(() => to.ReceiveAsync(1, Never))).Message);
        Assert.StartsWith(
            "sendmsg: ", (await Assert.ThrowsAsync<IOException>(() => to.SendAsync([file.SafeFileHandle], Never))).Message);
    }

    [Fact]
    public async Task What_has_come_is_not_for_programs_that_are_started_here()
    {
        var (from, to) = Both();
        using var one = from;
        using var other = to;
        using var file = Memory(1);
        await from.SendAsync([file.SafeFileHandle], Never);
        var came = (await to.ReceiveAsync(1, Never)).Single();
        // O_CLOEXEC in the flags of proc_pid_fdinfo(5), in octal.
        var flags = File.ReadLines($"/proc/self/fdinfo/{came}").Single(line => line.StartsWith("flags:", StringComparison.Ordinal));
        Assert.NotEqual(0, Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & 0x80000);
        Assert.Equal(1, Read(came));
    }

    [Fact]
    public async Task The_other_end_is_inherited_by_its_number_and_ours_is_not()
    {
        var (ours, theirs) = DescriptorSocket.Pair();
        using var socket = ours;
        var number = ((int)theirs.DangerousGetHandle()).ToString(CultureInfo.InvariantCulture);
        var isOurs = $"test -e /proc/$$/fd/{(int)ours.Socket.Handle} && echo ours too || echo theirs alone";
        using var child = Process.Start("/bin/bash", ["-c", $"({isOurs}) >&{number}"]);
        theirs.Dispose();
        var said = new MemoryStream();
        var octets = new byte[64];
        for (int got; (got = await socket.Socket.ReceiveAsync(octets, SocketFlags.None)) > 0;) said.Write(octets, 0, got);
        await child.WaitForExitAsync();
        Assert.Equal("theirs alone\n", System.Text.Encoding.UTF8.GetString(said.ToArray()));
    }
}
