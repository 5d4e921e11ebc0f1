namespace Calico.Bgp.Net.Tests;

public sealed class FilePagesTests
{
    /// <summary>Pages of this process's files that are resident and were not written, in KiB.</summary>
    private static int Resident() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("RssFile:", StringComparison.Ordinal))
        .Sum(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]));

    [Fact]
    public void What_was_only_read_is_resident_no_more_and_can_be_read_again()
    {
        var before = Resident();
        FilePages.GiveBack();
        var after = Resident();
        Assert.True(after < before, $"{before} KiB of files were resident before, {after} KiB after");
        Assert.Equal("as ever", string.Join(' ', ["as", "ever"]));
    }

    [Fact]
    public void Only_private_mappings_of_files_that_cannot_be_and_were_not_written_count()
    {
        string[] smaps =
        [
            "00400000-00404000 r--p 00000000 fe:00 17     /usr/sbin/bgpd", "Rss:  16 kB", "Anonymous:             0 kB", "VmFlags: rd mr",
            "00404000-0115f000 r-xp 00004000 fe:00 17     /usr/sbin/bgpd", "Rss:  16 kB", "Anonymous:             0 kB", "VmFlags: rd ex",
            "01a42000-01a44000 r--p 01641000 fe:00 17     /usr/sbin/bgpd", "Rss:   8 kB", "Anonymous:             8 kB", "VmFlags: rd",
            "01a44000-0253f000 rw-p 01643000 fe:00 17     /usr/sbin/bgpd", "Rss:  16 kB", "Anonymous:             0 kB", "VmFlags: rd wr",
            "7f3de8000000-7f3de8021000 r--s 00000000 00:01 9     /memfd:shared", "Rss: 4 kB", "Anonymous:             0 kB",
            "7f3de81c0000-7f3de81c4000 r--p 00000000 00:00 0     [vvar]", "Rss:   0 kB", "Anonymous:             0 kB",
            "7ffd31e7f000-7ffd31ea0000 r--p 00000000 00:00 0 ", "Rss:   0 kB", "Anonymous:             0 kB",
        ];
        Assert.Equal([(0x400000u, 0x404000u), (0x404000u, 0x115f000u)], FilePages.Readable(smaps));
    }
}
