using Calico.Bgp.Dataplane.Dns;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public sealed class NameCacheFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("names").FullName;
    private string Path => System.IO.Path.Combine(folder, "dns.json");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly NameCacheImage Image = new(NameCacheImage.CurrentVersion, 2, DnsIsolation.Pod,
        [new("cali1", "a\\.b.example", [new("192.0.2.1", "10.0.0.53", 60, 1, 2)], [new("b.example", "10.0.0.53", 4294967295, 3, 4)])]);

    private NameCacheReading Read() => NameCacheFile.Read(Path, 2, DnsIsolation.Pod);

    [Fact]
    public void What_is_written_is_read_and_nothing_is_left_beside_it()
    {
        NameCacheFile.Write(Path, Image with { Names = [] });
        NameCacheFile.Write(Path, Image);
        Assert.Equivalent(Image, Read().Image, strict: true);
        Assert.Null(Read().Problem);
        Assert.Equal([Path], Directory.GetFiles(folder));
    }

    [Fact]
    public void No_file_is_no_problem_and_no_folder_is_one()
    {
        Assert.Equal(default, Read());
        Assert.Equal(new() { Problem = $"expected a folder {folder}/none, got none" },
            NameCacheFile.Read(folder + "/none/dns.json", 2, DnsIsolation.Pod));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Pod\",\"names\":[{\"endpoint\":\"cali1\"}]}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Pod\",\"names\":null}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Pod\",\"names\":[{\"endp")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Pod\",\"names\":[null]}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Pod\",\"names\":[{\"endpoint\":\"\",\"name\":\"a\",\"addresses\":[null],"
        + "\"aliases\":[]}]}")]
    [InlineData("{\"version\":2,\"epoch\":2,\"isolation\":\"Pod\",\"names\":[]}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Nobody\",\"names\":[]}")]
    [InlineData("v1 felix's own format")]
    public async Task A_file_that_nobody_of_ours_has_written_is_said_and_set_aside(string text)
    {
        File.WriteAllText(Path, text);
        var log = new Said();
        var keeper = new NameKeeper(log);
        Assert.Null(keeper.Read(Path, 2, DnsIsolation.Pod));
        Assert.Contains($"{Path} cannot be read", Assert.Single(log.Lines), StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(Path + ".unreadable"));
        Assert.Equal(default, Read());
        keeper.Write(Path, () => Image);
        await keeper.Writing;
        Assert.NotNull(Read().Image);
    }

    [Fact]
    public void Where_a_file_is_damaged_is_said()
    {
        File.WriteAllText(Path, "{\"version\":1,\n !}");
        Assert.StartsWith("line 2, octet 2: expected names as bgpd writes them, got ", Read().Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"version\":1,\"epoch\":1,\"isolation\":\"Pod\",\"names\":[]}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Node\",\"names\":[]}")]
    public void A_file_that_counts_no_more_is_said_and_stays_until_the_next_takes_its_place(string text)
    {
        File.WriteAllText(Path, text);
        var log = new Said();
        Assert.Null(new NameKeeper(log).Read(Path, 2, DnsIsolation.Pod));
        Assert.Contains("is not taken from", Assert.Single(log.Lines), StringComparison.Ordinal);
        Assert.Equal([Path], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task What_cannot_be_set_aside_is_not_written_over_until_it_is_out_of_the_way()
    {
        File.WriteAllText(Path, "v1");
        Directory.CreateDirectory(Path + ".unreadable");
        var log = new Said();
        var keeper = new NameKeeper(log);
        Assert.Null(keeper.Read(Path, 2, DnsIsolation.Pod));
        Assert.Contains("nothing is kept until it is out of the way", Assert.Single(log.Lines), StringComparison.Ordinal);
        keeper.Write(Path, () => Image);
        Assert.True(keeper.Writing.IsCompleted);
        Assert.Equal("v1", File.ReadAllText(Path));
        File.Delete(Path);
        keeper.Write(Path, () => Image);
        await keeper.Writing;
        Assert.NotNull(Read().Image);
    }

    /// <summary>As long as it is the same, and again when it has been otherwise.</summary>
    [Fact]
    public async Task That_it_cannot_be_written_is_said_once()
    {
        var (log, path) = (new Said(), folder + "/none/dns.json");
        var keeper = new NameKeeper(log);
        Task WriteAsync()
        {
            keeper.Write(path, () => Image);
            return keeper.Writing;
        }
        await WriteAsync();
        await WriteAsync();
        Assert.Contains("No such file or directory", Assert.Single(log.Lines), StringComparison.Ordinal);
        Directory.CreateDirectory(folder + "/none");
        await WriteAsync();
        Directory.Delete(folder + "/none", recursive: true);
        await WriteAsync();
        Assert.Equal(2, log.Lines.Count);
    }

    private sealed class Said : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> format) =>
            Lines.Add(format(state, exception));
    }

    [Fact]
    public void A_file_that_is_too_large_is_not_read()
    {
        using (var file = File.Create(Path)) file.SetLength((64 << 20) + 1);
        Assert.Equal(new() { Problem = "expected at most 67108864 octets, got 67108865", IsBroken = true }, Read());
    }

    [Fact]
    public void A_file_where_none_can_be_is_said()
    {
        Directory.CreateDirectory(Path);
        Assert.True(Read() is { Image: null, Problem: not null, IsBroken: true });
        Assert.Throws<IOException>(() => NameCacheFile.SetAside(Path));
        Assert.True(Directory.Exists(Path));
    }

    [Fact]
    public void What_nobody_would_write_is_left_out()
    {
        var cache = new NameCache(new());
        var far = DateTimeOffset.UnixEpoch.AddDays(1).ToUnixTimeMilliseconds();
        Assert.Equal(1, cache.Restore(Image with
        {
            Names =
            [
                new("cali1", "", [new("192.0.2.1", "10.0.0.53", 60, 1, far)], []),
                new("cali1", "a..b", [new("192.0.2.1", "10.0.0.53", 60, 1, far)], []),
                new("cali1", "a.example", [new("nowhere", "10.0.0.53", 60, 1, far), new("192.0.2.1", "nobody", 60, 1, far)], []),
                new("cali1", "b.example", [new("192.0.2.1", "10.0.0.53", 60, 1, 2)], [new("..", "10.0.0.53", 60, 1, far)]),
                new("cali1", "c.example", [new("192.0.2.1", "10.0.0.53", 60, 1, far)], []),
            ],
        }, 0, DateTimeOffset.UnixEpoch.AddSeconds(1)));
    }
}
