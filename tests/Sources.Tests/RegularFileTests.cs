using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Sources.Tests;

/// <summary>What keeps its reader waiting, or never ends, is told apart before it is opened. A failure of most of these is a test that
/// does not end.</summary>
public sealed class RegularFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("files").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Of(string name) => Path.Combine(folder, name);

    private static string Refusal(string path, long limit = 1024) =>
        Assert.Throws<IOException>(() => RegularFile.Read(path, limit)).Message;

    internal static void MakeFifo(string path)
    {
        using var made = Process.Start("mkfifo", path);
        made.WaitForExit();
    }

    [Fact]
    public void A_regular_file_is_read_also_behind_a_link()
    {
        File.WriteAllText(Of("a"), "words");
        File.CreateSymbolicLink(Of("b"), "a");
        Assert.Equal("words", Encoding.UTF8.GetString(RegularFile.Read(Of("a"), 5)));
        Assert.Equal("words", Encoding.UTF8.GetString(RegularFile.Read(Of("b"), 5)));
    }

    [Fact]
    public void A_FIFO_is_not_opened()
    {
        MakeFifo(Of("fifo"));
        Assert.Equal("expected a regular file, got a FIFO", Refusal(Of("fifo")));
    }

    [Fact]
    public void A_device_behind_a_link_is_not_read()
    {
        File.CreateSymbolicLink(Of("zero"), "/dev/zero");
        Assert.Equal("expected a regular file, got a character device", Refusal(Of("zero")));
    }

    [Fact]
    public void A_socket_and_a_folder_are_none()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Of("socket")));
        Assert.Equal("expected a regular file, got a socket", Refusal(Of("socket")));
        Assert.Equal("expected a regular file, got a folder", Refusal(folder));
    }

    [Fact]
    public void What_is_larger_than_the_limit_is_not_read()
    {
        File.WriteAllText(Of("a"), "words!");
        Assert.Equal("expected at most 5 octets (maxSize), got 6", Refusal(Of("a"), 5));
    }

    /// <summary>As /proc's files do it, and a log that others write while it is read.</summary>
    [Fact]
    public void What_holds_more_than_the_length_that_it_told_is_read_to_the_limit_and_no_further()
    {
        Assert.Equal(0, FileLook.At("/proc/self/maps")!.Value.Length);
        Assert.Equal("expected at most 10 octets (maxSize), got more: it grew while it was read", Refusal("/proc/self/maps", 10));
    }

    [Fact]
    public void What_is_not_there_says_so()
    {
        Assert.Equal("it is not there", Refusal(Of("none")));
        File.CreateSymbolicLink(Of("circle"), "circle");
        Assert.Equal("it is not there", Refusal(Of("circle")));
    }

    [Fact]
    public void A_file_that_takes_the_place_of_another_is_another_even_with_its_length_and_its_time()
    {
        File.WriteAllText(Of("a"), "one");
        var before = FileLook.At(Of("a"));
        File.WriteAllText(Of("b"), "two");
        File.SetLastWriteTimeUtc(Of("b"), File.GetLastWriteTimeUtc(Of("a")));
        File.Move(Of("b"), Of("a"), overwrite: true);
        Assert.NotEqual(before, FileLook.At(Of("a")));
    }
}
