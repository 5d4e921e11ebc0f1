namespace Calico.Bgp.Net.Tests;

public class PrefixTableTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void A_table_agrees_with_a_dictionary_after_any_sequence(IpFamily family)
    {
        var random = new Random(11);
        var table = PrefixTable.Of(family);
        var expected = new Dictionary<Prefix, uint>();
        Span<byte> nlri = stackalloc byte[32], again = stackalloc byte[32];
        for (var i = 1u; i < 60_000; i++)
        {
            var prefix = new Prefix(new Address((UInt128)(uint)random.Next(6000) << 108, family), random.Next(8, 21));
            var octets = prefix.WriteNlri(nlri);
            if (random.Next(3) == 0)
            {
                var handle = table.Find(prefix.Length, nlri[1..octets]);
                Assert.Equal(expected.Remove(prefix), handle != 0);
                if (handle != 0) table.Remove(handle);
            }
            else
            {
                var handle = table.FindOrAdd(prefix.Length, nlri[1..octets]);
                Assert.Equal(expected.GetValueOrDefault(prefix), table.Value(handle));
                table.Value(handle) = expected[prefix] = i;
                Assert.Equal(octets, table.WriteNlri(handle, again));
                Assert.True(nlri[..octets].SequenceEqual(again[..octets]));
            }
            Assert.Equal(expected.Count, table.Count);
        }
        var found = Enumerable.Range(1, (int)table.End - 1).Where(h => table.IsUsed((uint)h))
            .ToDictionary(h => table[(uint)h], h => table.Value((uint)h));
        Assert.Equal(expected.OrderBy(x => x.Key), found.OrderBy(x => x.Key));
    }

    [Fact]
    public void Host_bits_do_not_make_another_prefix()
    {
        var table = PrefixTable.Of(IpFamily.IPv4);
        Assert.Equal(table.FindOrAdd(23, [198, 18, 67]), table.Find(Prefix.Parse("198.18.66.0/23")));
    }
}
