using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public sealed class NameCacheFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("names").FullName;
    private string Path => System.IO.Path.Combine(folder, "dns.json");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly NameCacheImage Image = new(NameCacheImage.CurrentVersion, 2, DnsIsolation.Pod,
        [new("cali1", "a\\.b.example", [new("192.0.2.1", "10.0.0.53", 60, 1, 2)], [new("b.example", "10.0.0.53", 4294967295, 3, 4)])]);

    private NameCacheImage? Read(out string? problem) => NameCacheFile.Read(Path, 2, DnsIsolation.Pod, out problem);

    [Fact]
    public void What_is_written_is_read_and_nothing_is_left_beside_it()
    {
        NameCacheFile.Write(Path, Image with { Names = [] });
        NameCacheFile.Write(Path, Image);
        Assert.Equivalent(Image, Read(out var problem), strict: true);
        Assert.Null(problem);
        Assert.Equal([Path], Directory.GetFiles(folder));
    }

    [Fact]
    public void No_file_is_no_problem()
    {
        Assert.Null(Read(out var problem));
        Assert.Null(problem);
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
    [InlineData("{\"version\":1,\"epoch\":1,\"isolation\":\"Pod\",\"names\":[]}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Node\",\"names\":[]}")]
    [InlineData("{\"version\":1,\"epoch\":2,\"isolation\":\"Nobody\",\"names\":[]}")]
    [InlineData("v1 felix's own format")]
    public void A_file_that_does_not_count_is_said_and_stops_nobody(string text)
    {
        File.WriteAllText(Path, text);
        Assert.Null(Read(out var problem));
        Assert.NotNull(problem);
        Assert.NotEmpty(problem);
        NameCacheFile.Write(Path, Image);
        Assert.NotNull(Read(out _));
    }

    [Fact]
    public void A_file_that_is_too_large_is_not_read()
    {
        using (var file = File.Create(Path)) file.SetLength((64 << 20) + 1);
        Assert.Null(Read(out var problem));
        Assert.Equal("expected at most 67108864 octets, got 67108865", problem);
    }

    [Fact]
    public void A_file_where_none_can_be_is_said()
    {
        Directory.CreateDirectory(Path);
        Assert.Null(Read(out var problem));
        Assert.NotNull(problem);
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
