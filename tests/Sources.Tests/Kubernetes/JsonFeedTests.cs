using System.Text;
using System.Text.Json;
using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public class JsonFeedTests
{
    /// <summary>Comes in pieces, as a connection's octets do.</summary>
    private sealed class Pieces(byte[] octets, int size) : MemoryStream(octets)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }

    private static async Task<(List<string> Items, ListReader List)> ListAsync(string text, int size = 1 << 20)
    {
        using var feed = new JsonFeed(new Pieces(Encoding.UTF8.GetBytes(text), size));
        var (items, list) = (new List<string>(), new ListReader(feed));
        while (!list.IsWhole && !feed.IsEnded)
        {
            await feed.FillAsync(default);
            list.Read(item => items.Add(Encoding.UTF8.GetString(item)));
        }
        return (items, list);
    }

    private static async Task<List<string>> WatchAsync(string text, int size)
    {
        using var feed = new JsonFeed(new Pieces(Encoding.UTF8.GetBytes(text), size));
        var (events, watch) = (new List<string>(), new WatchReader(feed));
        while (!feed.IsEnded)
        {
            await feed.FillAsync(default);
            watch.Read((type, subject) => events.Add($"{type} {Encoding.UTF8.GetString(subject)}"));
        }
        return events;
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(7), InlineData(1000)]
    public async Task A_list_is_cut_into_its_objects_wherever_its_pieces_end(int size)
    {
        var long9 = new string('ä', 50_000);
        var (items, list) = await ListAsync(
            $$$"""
            {"kind":"NodeList","metadata":{"resourceVersion":"77","continue":"abc","remainingItemCount":3},
            "items":[{"a":"]}{"}, {"b":[1,{"c":"\""}]},{"d":"{{{long9}}}"}]}
            """,
            size == 1 ? 4096 : size);
        Assert.Equal(["""{"a":"]}{"}""", """{"b":[1,{"c":"\""}]}""", $$"""{"d":"{{long9}}"}"""], items);
        Assert.Equal((true, "77", "abc"), (list.IsWhole, list.Version, list.Continue));
    }

    /// <summary>As the API server writes lists of CustomResources: its members are sorted.</summary>
    [Theory]
    [InlineData("""{"apiVersion":"v1","items":[{"x":1}],"kind":"XList","metadata":{"continue":"","resourceVersion":"5"}}""", 1)]
    [InlineData("""{"items":null,"metadata":{"resourceVersion":"5"}}""", 0)]
    [InlineData("""{"metadata":{"resourceVersion":"5"},"items":[]}""", 0)]
    public async Task A_lists_version_may_stand_before_or_behind_its_objects(string text, int count)
    {
        var (items, list) = await ListAsync(text, 1);
        Assert.Equal((count, true, "5", ""), (items.Count, list.IsWhole, list.Version, list.Continue));
    }

    [Theory]
    [InlineData("""{"metadata":{"resourceVersion":"5"},"items":[{"x":1},{"y":""")]
    [InlineData("<html>a proxy's page</html>")]
    [InlineData("[1]")]
    public async Task Half_a_list_and_what_is_none_is_an_error(string text) =>
        await Assert.ThrowsAnyAsync<JsonException>(() => ListAsync(text));

    [Theory]
    [InlineData(1), InlineData(5), InlineData(4096)]
    public async Task A_watch_is_cut_into_its_events(int size) => Assert.Equal(
        ["Added {\"n\":1}", "Modified {\"n\":[2]}", "Deleted {}", "Bookmark {\"n\":4}", "Error {\"code\":410}", "Unknown {}"],
        await WatchAsync("""
            {"type":"ADDED","object":{"n":1}}
            {"object":{"n":[2]},"type":"MODIFIED"}
            {"type":"DELETED","object":{}}{"type":"BOOKMARK","object":{"n":4}}
            {"type":"ERROR","object":{"code":410}}
            {"type":"FUTURE","object":{}}

            """, size));

    [Fact]
    public async Task A_watch_that_ends_inside_an_event_is_an_error() =>
        await Assert.ThrowsAnyAsync<JsonException>(() => WatchAsync("""{"type":"ADDED","obj""", 100));

    [Fact]
    public async Task A_value_that_never_ends_does_not_take_all_memory()
    {
        using var feed = new JsonFeed(new Endless());
        var list = new ListReader(feed);
        await Assert.ThrowsAsync<JsonException>(async () =>
        {
            while (true)
            {
                await feed.FillAsync(default);
                list.Read(_ => { });
            }
        });
    }

    /// <summary><c>{"aaaa…</c></summary>
    private sealed class Endless : Stream
    {
        private bool hasBegun;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)'a');
            if (!hasBegun) "{\""u8.CopyTo(buffer.Span);
            hasBegun = true;
            return ValueTask.FromResult(buffer.Length);
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
