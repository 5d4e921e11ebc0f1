using System.Text;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Resources.Tests;

public class JsonTreeTests
{
    private static DocumentNode? Read(string json, out string? error) => JsonTree.Read(Encoding.UTF8.GetBytes(json), 10, out error);

    [Fact]
    public void JSON_is_the_same_object_as_YAML()
    {
        const string Json = """
            {"apiVersion":"projectcalico.org/v3","kind":"BGPPeer","metadata":{"name":"a"},
             "spec":{"peerIP":"192.0.2.1","asNumber":65001,"keepOriginalNextHop":true,"nextHopMode":null}}
            """;
        var reading = ResourceJson.Read([Read(Json, out _)!], "test.yaml");
        Assert.Equal(Manifest.Read(Json).Definitions[0].Value, Assert.Single(reading.Definitions).Value);
    }

    [Fact]
    public void Every_value_has_its_place()
    {
        var map = (MappingNode)Read("{\n  \"a\": 1,\n\n  \"b\": [true,\n null]\n}", out _)!;
        Assert.Equal((10, 1), (map.Line, map.Column));
        Assert.Equal([(11, 3), (13, 3)], map.Entries.Select(entry => (entry.Key.Line, entry.Key.Column)));
        Assert.Equal([13, 14], ((SequenceNode)map.Entries[1].Value).Items.Select(item => item.Line));
        Assert.Equal(5, map.Size);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("{\"a\":1} x")]
    [InlineData("{a: 1}")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    public void What_is_no_JSON_is_refused(string json)
    {
        Assert.Null(Read(json, out var error));
        Assert.StartsWith("this is not JSON", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_is_bounded() => Assert.Null(Read(new string('[', 100_000), out _));
}
