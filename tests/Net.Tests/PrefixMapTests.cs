namespace Calico.Bgp.Net.Tests;

public class PrefixMapTests
{
    private static Prefix P(string text) => Prefix.Parse(text);

    [Fact]
    public void The_longest_of_several_covering_prefixes_is_found()
    {
        var map = new PrefixMap<int>(IpFamily.IPv4)
        {
            [P("0.0.0.0/0")] = 0,
            [P("10.0.0.0/8")] = 8,
            [P("10.1.0.0/16")] = 16,
            [P("10.1.2.0/24")] = 24
        };
        Assert.True(map.TryLongest(Address.Parse("10.1.2.3"), out var prefix, out var value));
        Assert.Equal((P("10.1.2.0/24"), 24), (prefix, value));
        Assert.True(map.TryLongest(P("10.1.0.0/20"), out prefix, out value));
        Assert.Equal(16, value);
        Assert.True(map.TryLongest(Address.Parse("192.0.2.1"), out prefix, out value));
        Assert.Equal(0, value);
    }

    [Fact]
    public void A_map_agrees_with_a_list_after_any_sequence_of_sets_and_removals()
    {
        var random = new Random(7);
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var map = new PrefixMap<int>(family);
            var list = new Dictionary<Prefix, int>();
            for (var i = 0; i < 5000; i++)
            {
                var bits = (UInt128)(uint)random.Next(64) << 122 | (UInt128)(uint)random.Next(4) << (128 - family.Bits());
                var prefix = new Prefix(new Address(bits, family), random.Next(family.Bits() + 1));
                if (random.Next(3) == 0) Assert.Equal(list.Remove(prefix), map.Remove(prefix));
                else map[prefix] = list[prefix] = i;
                var within = new Prefix(new Address((UInt128)(uint)random.Next(64) << 122, family), random.Next(8));
                Assert.Equal(list.Keys.Any(within.Contains), map.AnyWithin(within));
                Assert.Equal(list.Count, map.Count);
            }
            Assert.Equal(list.OrderBy(x => x.Key), map.All);
            foreach (var (prefix, value) in list)
            {
                Assert.Equal(value, map[prefix]);
                Assert.Equal(list.Where(x => prefix.Contains(x.Key)).OrderBy(x => x.Key), map.Within(prefix));
                var expected = list.Where(x => x.Key.Contains(prefix.Address)).MaxBy(x => x.Key.Length);
                Assert.True(map.TryLongest(prefix.Address, out var found, out _));
                Assert.Equal(expected.Key, found);
            }
        }
    }
}
